/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Retry-After in all its spellings, and backs off with jitter where there is none. */
#include "lib/net/httpretry.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LONGEST_S 120.0 /* a server that asks for more is not waited for */
#define FIRST_S 0.5
#define CAP_S 8.0
#define JITTER 0.25

/* The value of the header called name, as text; 0 if the line is another header. */
static int value_of(const char *line, size_t n, const char *name, char *out, size_t capacity)
{
    size_t len = strlen(name);
    if (n <= len || line[len] != ':' || strncasecmp(line, name, len) != 0) return 0;
    size_t from = len + 1, to = n;
    while (from < to && strchr(" \t", line[from]))
        from++;
    while (to > from && strchr(" \t\r\n", line[to - 1]))
        to--;
    if (to - from >= capacity) return 0;
    memcpy(out, line + from, to - from);
    out[to - from] = '\0';
    return 1;
}

static double number(const char *text)
{
    char *end;
    double x = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(x) ? x : NAN;
}

/* Seconds, or an HTTP date. */
static double parse_after(const char *text, double now)
{
    double x = number(text);
    if (!isnan(x)) return x;
    struct tm tm = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return end && *end == '\0' ? (double)timegm(&tm) - now : NAN;
}

void allot_retry_header(allot_retry_hint *hint, const char *line, size_t n, double now)
{
    char value[64];
    if (value_of(line, n, "x-should-retry", value, sizeof value)) {
        if (strcasecmp(value, "true") == 0) hint->should = 1;
        if (strcasecmp(value, "false") == 0) hint->should = 0;
    } else if (value_of(line, n, "retry-after-ms", value, sizeof value)) {
        double ms = number(value);
        if (isnan(ms)) return;
        hint->after_s = ms / 1000;
        hint->after_ms_seen = 1; /* the finer one wins */
    } else if (!hint->after_ms_seen && value_of(line, n, "retry-after", value, sizeof value)) {
        hint->after_s = parse_after(value, now);
    }
}

int allot_retry_wanted(int status, int retries, const allot_retry_hint *hint)
{
    if (hint->after_s > LONGEST_S) return 0;
    if (hint->should >= 0 && status != 0) return hint->should;
    if (status == 424) return retries == 0;
    return status == 0 || status == 408 || status == 409 || status == 429 || status >= 500;
}

double allot_retry_delay(int k, const allot_retry_hint *hint, double unit)
{
    if (hint->after_s > 0 && hint->after_s <= LONGEST_S) return hint->after_s;
    double wait = k < 10 ? FIRST_S * (double)(1 << k) : CAP_S;
    return (wait < CAP_S ? wait : CAP_S) * (1 - JITTER * unit);
}
