/* SPDX-License-Identifier: Apache-2.0 */
/* Reads lambdas and caps, spelled as on the command line, into a rule. */
#include "lib/decide/ruleflags.h"
#include <string.h>

void allot_ruleflags_defaults(allot_ruleflags *f)
{
    *f = (allot_ruleflags){0};
    allot_rule_defaults(&f->rule);
    f->cap_on = allot_cap_name(f->rule.cap_on);
}

static allot_code read_cap_on(const char *text, allot_cap_on *out, allot_err *err)
{
    for (int on = ALLOT_CAP_MEAN; on <= ALLOT_CAP_P99; on++)
        if (strcmp(text, allot_cap_name((allot_cap_on)on)) == 0) {
            *out = (allot_cap_on)on;
            return ALLOT_OK;
        }
    return allot_fail(err, ALLOT_EUSAGE, "--cap-on '%s' is none of mean, p50, p90, p95, p99", text);
}

allot_code allot_ruleflags_read(const allot_ruleflags *f, const allot_costs *costs, allot_rule *out,
                                allot_err *err)
{
    *out = f->rule;
    allot_code rc = read_cap_on(f->cap_on, &out->cap_on, err);
    return rc ? rc : allot_rule_check(out, costs, err);
}
