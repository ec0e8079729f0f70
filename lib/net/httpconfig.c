/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of an HTTP client: what they are unless told, and what is refused. */
#include <string.h>
#include <sys/resource.h>
#include "lib/net/httpconfig.h"

#define SPARE_FILES 128 /* open files besides the connections */

void allot_http_defaults(allot_http_config *c)
{
    *c = (allot_http_config){.max_in_flight = 64,
                             .max_retries = 4,
                             .connect_timeout_s = 5,
                             .timeout_s = 600,
                             .first_byte_timeout_s = 600,
                             .idle_timeout_s = ALLOT_HTTP_IDLE_S,
                             .max_body = 64 << 20};
}

static int seconds_ok(double s)
{
    return s > 0 && s <= 1e6;
}

/* The value may be a secret, so that it is not told. Others of these would break the request. */
static allot_code check_header(const char *line, allot_err *err)
{
    static const char *const own[] = {"authorization", "content-length", "content-type",
                                      "expect",        "host",           "transfer-encoding"};
    int n = (int)strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    if (n == 0 || line[n] != ':' || !line[n + 1 + (int)strspn(line + n + 1, " \t")])
        return allot_fail(err, ALLOT_EUSAGE, "a header is not like 'Name: value'");
    for (const char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' && *p != '\t')
            return allot_fail(err, ALLOT_EUSAGE, "the header '%.*s' holds a line break", n, line);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if ((int)strlen(own[i]) == n && strncasecmp(line, own[i], (size_t)n) == 0)
            return allot_fail(err, ALLOT_EUSAGE,
                              "the header '%.*s' is not to be given (keys: --api-key-env or "
                              "--api-key-file)",
                              n, line);
    return ALLOT_OK;
}

allot_code allot_http_check(const allot_http_config *c, allot_err *err)
{
    if (c->max_in_flight < 1 || c->max_in_flight > 65536)
        return allot_fail(err, ALLOT_EUSAGE, "max-concurrency is %d, not within 1 and 65536",
                          c->max_in_flight);
    if (c->max_retries < 0 || c->max_retries > 1000)
        return allot_fail(err, ALLOT_EUSAGE, "max-retries is %d, not within 0 and 1000",
                          c->max_retries);
    if (!(c->total_timeout_s >= 0 && c->total_timeout_s <= 1e6) ||
        !(c->max_outage_s >= 0 && c->max_outage_s <= 1e7))
        return allot_fail(err, ALLOT_EUSAGE, "a limit of seconds is negative or too large");
    if (!seconds_ok(c->connect_timeout_s) || !seconds_ok(c->timeout_s) ||
        !seconds_ok(c->first_byte_timeout_s) || !seconds_ok(c->idle_timeout_s))
        return allot_fail(err, ALLOT_EUSAGE, "a timeout is not within 0 and 1000000 seconds");
    for (int i = 0; i < c->n_headers; i++) {
        allot_code rc = check_header(c->headers[i], err);
        if (rc) return rc;
    }
    return ALLOT_OK;
}

/* The soft limit is often 1024 where the hard one allows more. */
allot_code allot_http_room(int max_in_flight, allot_err *err)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)max_in_flight + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need) return ALLOT_OK;
    if (limit.rlim_max < need)
        return allot_fail(err, ALLOT_ERUNTIME,
                          "%d requests in flight need %lu open files, %lu are allowed (lower "
                          "--max-concurrency, or raise 'ulimit -n')",
                          max_in_flight, (unsigned long)need, (unsigned long)limit.rlim_max);
    limit.rlim_cur = need;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return ALLOT_OK;
}
