/* SPDX-License-Identifier: Apache-2.0 */
/* httpretry.h - when a failed request is sent again, and after how long: the rules of OpenAI's own
 * client (openai-python, _base_client.py). Pure. */
#ifndef ALLOT_HTTPRETRY_H
#define ALLOT_HTTPRETRY_H
#include <stddef.h>

/* What the headers of an answer say. Start from ALLOT_RETRY_NONE. */
typedef struct {
    int should;     /* x-should-retry: 1 true, 0 false, -1 not said */
    double after_s; /* retry-after-ms or Retry-After; NaN if not said */
    int after_ms_seen;
} allot_retry_hint;

#define ALLOT_RETRY_NONE                                                                           \
    {                                                                                              \
        .should = -1, .after_s = NAN                                                               \
    }

/* Takes one header line, "Name: value" with or without CRLF. now: epoch seconds, for dates. */
void allot_retry_header(allot_retry_hint *hint, const char *line, size_t n, double now);

/* 1 if a request with this status (0 = the connection failed) may be sent again after `retries`.
 * 424 is TGI's word for a generation that went wrong: once may be chance. */
int allot_retry_wanted(int status, int retries, const allot_retry_hint *hint);

/* Seconds to wait before try number k + 1 (k = 0: after the first); unit in [0, 1) is the jitter.
 */
double allot_retry_delay(int k, const allot_retry_hint *hint, double unit);

#endif
