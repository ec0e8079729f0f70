/* SPDX-License-Identifier: Apache-2.0 */
/* pilot.h - the queries of a pilot: a random choice that is spread along the length of the
 * problems, which often tells how much is generated. By length the queries are cut into as many
 * equal parts as are asked for, and one query of each part is drawn. The same seed draws the same
 * ones, and twice as many contain them. */
#ifndef ALLOT_PILOT_H
#define ALLOT_PILOT_H
#include "lib/store/problems.h"
#include "lib/store/rundir.h"

typedef struct {
    long *order;           /* owned [n] rows: the chosen by length, then the others at random */
    long n, n_chosen;      /* of this shard */
    unsigned char *chosen; /* owned [queries] */
} allot_pilot;

/* Draws `wanted` queries, or all there are, of those that r works on and asked [queries]
 * names (NULL: all). */
ALLOT_MUST_CHECK allot_code allot_pilot_choose(const allot_problems *problems,
                                               const allot_rundir *r, const unsigned char *asked,
                                               long wanted, allot_pilot *out, allot_err *err);
void allot_pilot_clear(allot_pilot *p); /* safe on zero */
#endif
