/* SPDX-License-Identifier: Apache-2.0 */
/* loadmetrics.h - what a generation server tells of its load (Prometheus text), by the names of
 * every kind of server, summed over their labels. */
#ifndef ALLOT_LOADMETRICS_H
#define ALLOT_LOADMETRICS_H

typedef struct {
    double running, waiting; /* requests */
    double cache_queries,
        cache_hits;  /* prompt tokens so far: looked up in the prefix cache, found */
} allot_loadmetrics; /* each is -1 if it is not told */

/* text: NUL-terminated. Values that are no numbers >= 0 are left out. */
void allot_loadmetrics_parse(const char *text, allot_loadmetrics *out);
#endif
