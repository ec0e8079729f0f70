/* SPDX-License-Identifier: Apache-2.0 */
/* fit.h - trains a probe: Adam on the cross-entropy with soft labels, early stopping on the
 * validation split, the best weights kept; then, but in the paper's mode, the main effects and the
 * share of the interaction (train/interaction.h). Same data, settings and seed give the same
 * weights, whatever the number of threads. Source: arXiv:2509.09864, section 2.4 and appendix A.1.
 */
#ifndef ALLOT_FIT_H
#define ALLOT_FIT_H
#include "train/traindata.h"

typedef struct {
    int paper;           /* batches of rows instead of queries, PyTorch's initialisation */
    double lr;           /* step size */
    double weight_decay; /* decoupled */
    int batch;           /* queries in a batch; rows (query, strategy) with paper */
    int epochs;          /* at most */
    int patience;        /* epochs without a better validation loss before it stops */
    int threads;
    long seed;
} allot_fit_settings;

/* Mean cross-entropies (natural log) of the validation cells; lower is better. */
typedef struct {
    double raw; /* the raw logits: before offset and interaction were fitted */
    double probe;
    double strategy_mean; /* the training mean of each strategy for every query: nothing learned
                             about queries */
    double query_only;    /* the probe's mean logit of a query for all strategies: nothing about
                             strategies */
    double additive;      /* the probe's logits as query part + strategy part: no interaction, so
                             the same ranking of strategies for every query */
} allot_fit_losses;

typedef struct {
    int epochs;                 /* done */
    int best_epoch;             /* 1-based; whose weights were kept */
    double *train, *validation; /* owned [epochs]: mean loss in each epoch */
    allot_fit_losses losses;    /* of the kept weights */
} allot_fit_info;

extern const allot_fit_settings allot_fit_default, allot_fit_paper;
void allot_fit_defaults(allot_fit_settings *s, int paper);
ALLOT_MUST_CHECK allot_code allot_fit_check(const allot_fit_settings *s, allot_err *err);

/* Random weights for the sizes of the probe; normalisation is left as it is. */
void allot_fit_initialise(allot_probe *probe, long seed);

/* Trains probe from allot_fit_initialise on. features [S][P]. */
ALLOT_MUST_CHECK allot_code allot_fit_run(const allot_fit_settings *s, const allot_cells *train,
                                          const allot_cells *validation, const float *features,
                                          allot_probe *probe, allot_fit_info *info, allot_err *err);
void allot_fit_info_clear(allot_fit_info *info);

#endif
