/* SPDX-License-Identifier: Apache-2.0 */
/* secondsmodel.h - wall-clock seconds of cells that were not timed, from those that were.
 *
 * Parallel strategies of N samples (s: single at N = 1):
 *   seconds = g_N E[longest of N] + r_N N E[tokens] + o_N
 * with g_N generation seconds per token of the longest sample, r_N reward-model seconds per token
 * read (0 without a reward model), o_N the rest; each a ratio of sums over the timed rows of that
 * N, between the N that were timed linear in log N. Searches: seconds = b_s E[tokens], b_s of
 * that very strategy; a search that was never timed has no seconds. */
#ifndef ALLOT_SECONDSMODEL_H
#define ALLOT_SECONDSMODEL_H
#include "lib/store/timedrows.h"

enum { ALLOT_SECONDS_MAX_N = 64 }; /* most different N that are timed */

typedef struct {
    int n;          /* N */
    double g, r, o; /* as above; r is NaN if no timed row used the reward model */
} allot_seconds_at;

typedef struct {
    allot_seconds_at at[ALLOT_SECONDS_MAX_N]; /* [n_at] by ascending N */
    int n_at;
    double *search; /* owned [S of the timing's manifest], NaN where never timed */
} allot_secondsmodel;

/* Which rows: those of this load, and of one half of the queries (0 or 1) or all (-1). */
ALLOT_MUST_CHECK allot_code allot_secondsmodel_fit(const allot_timedrows *rows, int load, int half,
                                                   allot_secondsmodel *out, allot_err *err);
void allot_secondsmodel_clear(allot_secondsmodel *m);

/* 0 or 1: the half of the queries that a key belongs to. */
int allot_seconds_half(const allot_key *key);

/* Seconds of strategy s; timed: its index in the timing's manifest (of searches; else ignored);
 * longest: expected tokens of its longest sample; tokens: expected tokens of all. NaN if unknown.
 */
double allot_secondsmodel_predict(const allot_secondsmodel *m, const allot_strategy *s, int timed,
                                  double longest, double tokens);

/* How far the model is off on rows that it has not seen: each half of the queries predicted by the
 * other half. */
typedef struct {
    long n;             /* rows predicted */
    double error, bias; /* sum |predicted - timed|, sum (predicted - timed), over sum timed; NaN if
                           none */
} allot_seconds_error;
/* The seconds that m says of a row, NaN where the row does not count. */
typedef double (*allot_seconds_guess)(const allot_secondsmodel *m, const allot_timed *row,
                                      void *user);
/* guess NULL: from the tokens that the row had. */
ALLOT_MUST_CHECK allot_code allot_secondsmodel_held_out(const allot_timedrows *rows, int load,
                                                        allot_seconds_guess guess, void *user,
                                                        allot_seconds_error *out, allot_err *err);

/* Index in the timing's manifest of a strategy with the same cost (a search's final rule costs
 * nothing), or -1. */
int allot_seconds_find(const allot_strategies *timed, const allot_strategy *s);
#endif
