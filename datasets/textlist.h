/* SPDX-License-Identifier: Apache-2.0 */
/* textlist.h - the problems of a file as keys and signatures, and which of them are in another. */
#ifndef ALLOT_TEXTLIST_H
#define ALLOT_TEXTLIST_H
#include "lib/store/querykey.h"
#include "datasets/minhash.h"

/* What public data sets call it. */
#define ALLOT_PROBLEM_FIELDS "problem|question|Problem|Question"

typedef struct {
    long n;
    allot_key *keys;     /* owned [n] */
    allot_minhash *text; /* owned [n]; NULL if not asked for */
    long *line;          /* owned [n]: of a file, from 1; of problems.h5 the row, from 0 */
    size_t capacity[3];
} allot_textlist;

ALLOT_MUST_CHECK allot_code allot_textlist_add(allot_textlist *t, const allot_key *key,
                                               const char *text, size_t n, long line, int with_text,
                                               allot_err *err);
/* problems.h5 (known by its name's end) or rows as allot_import takes them; fields: the names that
 * the problem's field may have, "a|b". A bad row is refused. */
ALLOT_MUST_CHECK allot_code allot_textlist_load(const char *path, const char *fields, int with_text,
                                                allot_textlist *out, allot_err *err);
void allot_textlist_clear(allot_textlist *t);

/* match[t->n]: the row of other that has the same key, else one at least so similar, else -1.
 * threshold 1: only the same key. similarity [t->n]: 1 for the same key, else the estimate. */
ALLOT_MUST_CHECK allot_code allot_textlist_match(const allot_textlist *t,
                                                 const allot_textlist *other, double threshold,
                                                 long *match, double *similarity, allot_err *err);
#endif
