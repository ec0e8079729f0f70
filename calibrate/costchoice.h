/* SPDX-License-Identifier: Apache-2.0 */
/* costchoice.h - what another cost table changes: the share of queries for which a bundle's probe
 * chooses another strategy.
 * Source: arXiv:2509.09864, equations 1 and 2. */
#ifndef ALLOT_COSTCHOICE_H
#define ALLOT_COSTCHOICE_H
#include "lib/store/costsfile.h"

typedef struct {
    const char *bundle;                         /* model.safetensors; NULL = not asked for */
    const char *embeddings;                     /* x.emb.h5 of the queries */
    const char *problems;                       /* problems.h5: their texts */
    double lambda_per_token, lambda_per_second; /* -1: not given */
} allot_costchoice_settings;

/* Both files, or none; lambdas only with them. */
ALLOT_MUST_CHECK allot_code allot_costchoice_check(const allot_costchoice_settings *s,
                                                   allot_err *err);
/* *out: a list of {"load", "lambda_per_token", "lambda_per_second", "queries", "changed"} for every
 * load in both tables, at the lambdas given, or at some that span what users ask for. The caller
 * deletes it. */
ALLOT_MUST_CHECK allot_code allot_costchoice(const allot_costchoice_settings *s,
                                             const allot_costsfile *before,
                                             const allot_costsfile *now, cJSON **out,
                                             allot_err *err);
#endif
