/* SPDX-License-Identifier: Apache-2.0 */
/* httpconfig.h - the settings of lib/net/http.h, which includes them. */
#ifndef ALLOT_HTTPCONFIG_H
#define ALLOT_HTTPCONFIG_H
#include <stddef.h>
#include <stdint.h>
#include "liballot/err.h"

/* Longest silence within an answer, unless told; and as a text. */
#define ALLOT_HTTP_IDLE_S 120
#define ALLOT_HTTP_TEXT_OF(number) #number
#define ALLOT_HTTP_AS_TEXT(number) ALLOT_HTTP_TEXT_OF(number)
#define ALLOT_HTTP_IDLE_TEXT ALLOT_HTTP_AS_TEXT(ALLOT_HTTP_IDLE_S)

typedef struct {
    int max_in_flight;        /* >= 1; more requests wait in a queue */
    int max_retries;          /* >= 0 */
    double connect_timeout_s; /* > 0, of one try, as the others */
    double timeout_s;         /* > 0, until the last byte */
    double total_timeout_s;   /* of all tries together, without the waits between them and without
                                 those that nobody took; 0 = no limit */
    double max_outage_s;      /* how long servers that are away are waited for; 0 = not */
    double first_byte_timeout_s; /* > 0, until the first byte of the answer */
    double idle_timeout_s;       /* > 0, longest silence within an answer */
    size_t max_body;             /* bytes; a larger answer is an error */
    uint64_t seed;               /* of the jitter */
    int insecure;                /* accept any certificate */
    const char *cacert;          /* NULL = the system's; borrowed */
    const char *const *headers;  /* [n_headers] "Name: value", of every request; borrowed */
    int n_headers;
} allot_http_config;

void allot_http_defaults(allot_http_config *c);
ALLOT_MUST_CHECK allot_code allot_http_check(const allot_http_config *c, allot_err *err);
/* Each connection is an open file: raises the limit as far as the system allows, or refuses. */
ALLOT_MUST_CHECK allot_code allot_http_room(int max_in_flight, allot_err *err);
#endif
