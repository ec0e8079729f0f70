/* SPDX-License-Identifier: Apache-2.0 */
/* A table of the names that vLLM, SGLang, TGI and llama.cpp give to the same figures. */
#include "lib/engine/loadmetrics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/engine/profile.h"

/* The value of a line `name{labels} value`, or -1 if the line is of something else. */
static double value_of(const char *line, const char *end, const char *name)
{
    size_t n = name ? strlen(name) : 0;
    if (n == 0 || (size_t)(end - line) <= n || strncmp(line, name, n) != 0) return -1;
    const char *at = line + n;
    if (*at == '{') {
        at = memchr(at, '}', (size_t)(end - at));
        if (!at) return -1;
        at++;
    }
    if (at >= end || *at != ' ') return -1;
    char *stop;
    double value = strtod(at, &stop);
    return stop > at && stop <= end && value >= 0 && isfinite(value) ? value : -1;
}

static void add(double *sum, double value)
{
    if (value >= 0) *sum = fmax(*sum, 0) + value;
}

static void take_line(const char *line, const char *end, allot_loadmetrics *out)
{
    const allot_profile *p;
    for (int i = 0; (p = allot_profile_at(i)); i++) {
        add(&out->running, value_of(line, end, p->metrics.running));
        add(&out->waiting, value_of(line, end, p->metrics.waiting));
        add(&out->cache_queries, value_of(line, end, p->metrics.cache_queries));
        add(&out->cache_hits, value_of(line, end, p->metrics.cache_hits));
    }
}

void allot_loadmetrics_parse(const char *text, allot_loadmetrics *out)
{
    *out = (allot_loadmetrics){-1, -1, -1, -1};
    while (*text) {
        const char *end = text + strcspn(text, "\n");
        take_line(text, end, out);
        text = end + (*end == '\n');
    }
}
