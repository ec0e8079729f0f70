/* SPDX-License-Identifier: Apache-2.0 */
/* outcomes.h - outcomes.h5: what every strategy did on every query.
 * Arrays over Q queries and S strategies, row-major: key uint8 [Q,32]; codepoints int32 [Q];
 * accuracy, variance, n_eff float32 [Q,S]; half float32 [Q,S,2]; tokens, seconds float32 [Q,S];
 * seconds_kind uint8 [Q,S]; n_trials int32 [Q,S] (0 = missing cell); string column strategies [S].
 * Attributes: metric, fingerprint, grading (JSON), strategy_set_id, pool size and runs. */
#ifndef ALLOT_OUTCOMES_H
#define ALLOT_OUTCOMES_H
#include <cjson/cJSON.h>
#include "liballot/strategy.h"
#include "lib/store/querykey.h"

#define ALLOT_OUTCOMES_SCHEMA "allot-outcomes"
enum { ALLOT_SECONDS_ABSENT, ALLOT_SECONDS_MEASURED, ALLOT_SECONDS_MODELLED };

typedef struct {
    long n;                      /* Q */
    allot_strategies strategies; /* S */
    allot_key *keys;             /* owned [Q], unique */
    int32_t *codepoints;         /* owned [Q]: length of the query's text */
    float *accuracy;             /* owned [Q,S]: soft label in [0, 1]; 0 where missing */
    float *variance;             /* owned [Q,S]: of the soft label */
    float *n_eff;                /* owned [Q,S]: effective number of trials */
    float *half;                 /* owned [Q,S,2]: the label on two disjoint halves, for
                                    cross-fitting; NaN where there are no two halves */
    float *tokens;               /* owned [Q,S]: mean generated tokens of the strategy */
    float *seconds;              /* owned [Q,S]: wall-clock; 0 where absent */
    uint8_t *seconds_kind;       /* owned [Q,S] */
    int32_t *n_trials;           /* owned [Q,S]: 0 = missing */
    cJSON *fingerprint;          /* owned */
    cJSON *grading;              /* owned: how answers were graded; NULL = not told */
    char metric[32];             /* "accuracy", or the name of a reward in [0, 1] */
    char *label_rule; /* owned: how the labels were made, e.g. "subsets", "paper-bootstrap" */
} allot_outcomes;

/* Allocates zeroed arrays for n queries and the strategies (copied). */
ALLOT_MUST_CHECK allot_code allot_outcomes_init(allot_outcomes *o, long n,
                                                const allot_strategies *set, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_outcomes_load(const char *path, allot_outcomes *out,
                                                allot_err *err);
ALLOT_MUST_CHECK allot_code allot_outcomes_save(const char *path, const allot_outcomes *o,
                                                const char *tool, long seed,
                                                const char *const *inputs, allot_err *err);
void allot_outcomes_clear(allot_outcomes *o);

/* What to do with missing cells (n_trials = 0): refused unless told. */
typedef enum {
    ALLOT_MISSING_REFUSE,
    ALLOT_MISSING_DROP_QUERY,
    ALLOT_MISSING_DROP_STRATEGY,
    ALLOT_MISSING_MASK
} allot_missing;
ALLOT_MUST_CHECK allot_code allot_missing_parse(const char *text, allot_missing *out,
                                                allot_err *err);
/* Applies it in place; refusal counts the cells and gives an example; dropping says how many (via
 * *dropped_queries, *dropped_strategies). Mask leaves them, n_trials = 0. */
ALLOT_MUST_CHECK allot_code allot_outcomes_missing(allot_outcomes *o, allot_missing how,
                                                   const char *file, long *dropped_queries,
                                                   int *dropped_strategies, allot_err *err);
#endif
