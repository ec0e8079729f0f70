/* SPDX-License-Identifier: Apache-2.0 */
/* soft_parts.h - the workspace behind softlabel.h; for lib/methods only. */
#ifndef ALLOT_SOFT_PARTS_H
#define ALLOT_SOFT_PARTS_H
#include "lib/methods/softlabel.h"

/* One flat pool of answer counts, all that a vote depends on. */
typedef struct {
    int n; /* samples in the class */
    int right;
} allot_soft_class;

struct allot_soft {
    int max_n;          /* pools of up to so many samples fit the arrays below */
    double *log_fact;   /* [max_n + 1] log n! */
    double *pmf;        /* [2 max_n] binomial tables, one after the other */
    double *value;      /* [max_n + 1] leave-one-out labels ... */
    int *times;         /* [max_n + 1] ... and how many samples share each */
    double *sum, *with; /* [max_n] */
    int *order, *mark, *touched, *subset, *count; /* [max_n] */
    allot_soft_class *classes, *fewer;            /* [max_n] */
    double *tail[2];                              /* [max_n + 1] for M and for M - 1 samples */
    double *dp;                                   /* grows */
    size_t dp_capacity;
    void *block; /* owns all but dp */
};

ALLOT_MUST_CHECK allot_code allot_soft_reserve(allot_soft *w, int n, allot_err *err);

/* Delete-one jackknife: (M - 1) / M * sum (v - mean v)^2 over w->value[0..n), each w->times times,
 * m samples altogether. */
double allot_soft_jackknife(const allot_soft *w, int n, int m);

static inline int allot_soft_is_right(const allot_pool *pool, int sample)
{
    return pool->cls[sample] >= 0 && pool->right[pool->cls[sample]];
}

/* The majority's accuracy and variance (0 unless M > N). */
ALLOT_MUST_CHECK allot_code allot_soft_majority(allot_soft *w, const allot_pool *pool, int n,
                                                allot_soft_label *out, allot_err *err);
#endif
