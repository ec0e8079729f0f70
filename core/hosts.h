/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.h - several servers of the same thing. A request goes to the one with the fewest out; one
 * that fails is set aside, longer each time, and then tried with one request at a time until it
 * answers. Pure but for memory; the clock is the caller's (allot_clock_s). */
#ifndef ALLOT_HOSTS_H
#define ALLOT_HOSTS_H
#include "liballot/err.h"

typedef struct {
    char *root;           /* owned: "http://host:8000" */
    int outstanding;      /* requests out */
    int failures;         /* times in a row that it was set aside */
    double aside_until_s; /* monotonic; 0 = it is in use */
} allot_host;

typedef struct {
    allot_host *at; /* owned [n] */
    int n;
    int last;     /* chosen: among equals the next one's turn */
    long n_ended; /* requests that are back, of all; each try is one */
} allot_hosts;

/* The addresses of a comma-separated list, each as for allot_endpoint_open; none twice. */
ALLOT_MUST_CHECK allot_code allot_hosts_open(const char *urls, allot_hosts *out, allot_err *err);
void allot_hosts_clear(allot_hosts *h);

/* The host for the next request, and counts it there. Where all are set aside: the one that comes
 * back first. */
int allot_hosts_begin(allot_hosts *h, double now);
/* The request is back. failed: the host did not answer, or a proxy says that it is not there. */
void allot_hosts_end(allot_hosts *h, int host, int failed, double now);
/* Whether a request would find a host that is not set aside. */
int allot_hosts_alive(const allot_hosts *h, double now);
#endif
