/* SPDX-License-Identifier: Apache-2.0 */
/* ruleflags.h - the command-line options of the choice: lambdas and caps. */
#ifndef ALLOT_RULEFLAGS_H
#define ALLOT_RULEFLAGS_H
#include "lib/core/options.h"
#include "liballot/choose.h"

typedef struct {
    allot_rule rule;
    const char *cap_on;
} allot_ruleflags;

/* Rows of an option table. */
#define ALLOT_RULE_ROWS(f)                                                                         \
    {"lambda-tokens",                                                                              \
     ALLOT_OPT_DOUBLE,                                                                             \
     &(f).rule.lambda_per_token,                                                                   \
     "X",                                                                                          \
     "price of a token in accuracy",                                                               \
     0,                                                                                            \
     1e9},                                                                                         \
        {"lambda-seconds",                                                                         \
         ALLOT_OPT_DOUBLE,                                                                         \
         &(f).rule.lambda_per_second,                                                              \
         "Y",                                                                                      \
         "price of a second in accuracy",                                                          \
         0,                                                                                        \
         1e9},                                                                                     \
        {"max-tokens",                                                                             \
         ALLOT_OPT_DOUBLE,                                                                         \
         &(f).rule.max_tokens,                                                                     \
         "N",                                                                                      \
         "cap on the predicted tokens of the whole strategy (else none)",                          \
         1e-9,                                                                                     \
         1e18},                                                                                    \
        {"max-seconds",                                                                            \
         ALLOT_OPT_DOUBLE,                                                                         \
         &(f).rule.max_seconds,                                                                    \
         "S",                                                                                      \
         "cap on its predicted seconds (else none)",                                               \
         1e-9,                                                                                     \
         1e18},                                                                                    \
    {                                                                                              \
        "cap-on", ALLOT_OPT_STRING, &(f).cap_on, "STAT",                                           \
            "what the caps look at: mean, p50, p90, p95, p99", 0, 0                                \
    }

void allot_ruleflags_defaults(allot_ruleflags *f);
/* The checked rule for these costs. */
ALLOT_MUST_CHECK allot_code allot_ruleflags_read(const allot_ruleflags *f, const allot_costs *costs,
                                                 allot_rule *out, allot_err *err);
#endif
