/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.h - several servers of the same thing. A request goes to the one with the fewest out; one
 * that fails is set aside, longer each time, and then tried with one request until it answers (or,
 * where no other is there, until it has worked on that for a while). Pure but for memory; the clock
 * is the caller's (allot_clock_s). */
#ifndef ALLOT_HOSTS_H
#define ALLOT_HOSTS_H
#include "liballot/err.h"

typedef struct {
    char *root;           /* owned: "http://host:8000" */
    int outstanding;      /* requests out */
    int failures;         /* times in a row that it was set aside */
    double aside_until_s; /* monotonic; 0 = it is in use */
    double probed_s; /* monotonic: the one request went there; before aside_until_s = not yet */
} allot_host;

typedef struct {
    allot_host *at; /* owned [n] */
    int n;
    int last;            /* chosen: among equals the next one's turn */
    long n_ended;        /* requests that are back, of all; each try is one */
    int seen;            /* one has answered, whatever it said: it is no wrong address */
    double away_since_s; /* monotonic: since then none is there; 0 = one is, as far as is known */
} allot_hosts;

/* How a request ended. */
typedef enum {
    ALLOT_HOST_THERE,  /* with an answer */
    ALLOT_HOST_FAILED, /* with none in time, or half of one */
    ALLOT_HOST_AWAY    /* nobody took it, or a proxy says that nobody is there */
} allot_host_end;

/* The addresses of a comma-separated list, each as for allot_endpoint_open; none twice. */
ALLOT_MUST_CHECK allot_code allot_hosts_open(const char *urls, allot_hosts *out, allot_err *err);
void allot_hosts_clear(allot_hosts *h);

/* The host for the next request, and counts it there. Where all are set aside: the one that comes
 * back first. */
int allot_hosts_begin(allot_hosts *h, double now);
/* The request is back. */
void allot_hosts_end(allot_hosts *h, int host, allot_host_end how, double now);
/* Whether a request would find a host that is not set aside. */
int allot_hosts_alive(const allot_hosts *h, double now);
/* Whether a request is out that is to tell if a host is back. */
int allot_hosts_probing(const allot_hosts *h);
#endif
