/* SPDX-License-Identifier: Apache-2.0 */
/* selectreport.h - how a choice is printed. */
#ifndef ALLOT_SELECTREPORT_H
#define ALLOT_SELECTREPORT_H
#include "lib/decide/decide.h"

typedef struct {
    const allot_bundle *bundle;
    const allot_rule *rule;
    const double *accuracy; /* [S] predicted */
    int chosen;
    int all; /* also list every strategy */
} allot_choice;

/* For people, with the price of accuracy that the lambdas state. */
void allot_select_print_text(const allot_choice *c);
/* One tab-separated line: strategy, accuracy, tokens, seconds, utility, query. */
void allot_select_print_row(const allot_choice *c, const char *query);
ALLOT_MUST_CHECK allot_code allot_select_print_json(const allot_choice *c, const allot_key *key,
                                                    allot_err *err);
#endif
