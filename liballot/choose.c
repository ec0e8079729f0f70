/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a rule, and finds the best utility among the strategies within its caps. */
#include "choose.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Place among the numbers of a statistic: caps do not look at the standard error. */
static int cap_field(allot_cap_on on)
{
    return on == ALLOT_CAP_MEAN ? 0 : (int)on + 1;
}

const char *allot_cap_name(allot_cap_on on)
{
    return allot_cost_fields[cap_field(on)].name;
}

void allot_rule_defaults(allot_rule *rule)
{
    *rule = (allot_rule){.max_tokens = INFINITY, .max_seconds = INFINITY};
}

static double stat_at(const allot_cost_stat *s, allot_cap_on on)
{
    return allot_cost_number(s, cap_field(on));
}

static allot_code check_cap(const char *what, double cap, allot_err *err)
{
    if (!(cap > 0))
        return allot_fail(err, ALLOT_EUSAGE, "the cap on %s is %g: it must be above 0", what, cap);
    return ALLOT_OK;
}

static allot_code check_lambda(const char *unit, double lambda, allot_err *err)
{
    if (!isfinite(lambda) || lambda < 0)
        return allot_fail(err, ALLOT_EUSAGE,
                          "lambda per %s is %g: it must be a finite number, 0 or more", unit,
                          lambda);
    return ALLOT_OK;
}

allot_code allot_rule_check(const allot_rule *rule, const allot_costs *costs, allot_err *err)
{
    allot_code code = check_lambda("token", rule->lambda_per_token, err);
    if (!code) code = check_lambda("second", rule->lambda_per_second, err);
    if (!code) code = check_cap("tokens", rule->max_tokens, err);
    if (!code) code = check_cap("seconds", rule->max_seconds, err);
    if (code) return code;
    if (!costs->has_seconds && (rule->lambda_per_second > 0 || isfinite(rule->max_seconds)))
        return allot_fail(err, ALLOT_EUSAGE,
                          "the cost table has no seconds, so they cannot be "
                          "weighed or capped (time the strategies with 'allot-collect time', then "
                          "'allot-calibrate costs' and 'allot-export'; or use tokens alone)");
    for (int s = 0; s < costs->n_strategies; s++) {
        const allot_cost *c = &costs->at[s];
        int no_tokens = isfinite(rule->max_tokens) && isnan(stat_at(&c->tokens, rule->cap_on));
        int no_seconds = isfinite(rule->max_seconds) && isnan(stat_at(&c->seconds, rule->cap_on));
        if (no_tokens || no_seconds)
            return allot_fail(err, ALLOT_EUSAGE,
                              "the cost table has no %s of %s for strategy %d "
                              "(cap the mean, or time more queries)",
                              allot_cap_name(rule->cap_on), no_tokens ? "tokens" : "seconds",
                              s + 1);
    }
    return ALLOT_OK;
}

double allot_utility(const allot_rule *rule, double accuracy, double tokens, double seconds)
{
    return accuracy - rule->lambda_per_token * tokens - rule->lambda_per_second * seconds;
}

typedef struct {
    int at; /* -1: none yet */
    double utility, tokens, seconds;
} candidate;

/* Strictly better: greater utility, then fewer seconds, fewer tokens, lesser text. The order of the
 * set never decides. */
static int better(const allot_strategies *set, const candidate *a, const candidate *b)
{
    if (b->at < 0 || a->utility != b->utility) return b->at < 0 || a->utility > b->utility;
    if (a->seconds != b->seconds) return a->seconds < b->seconds;
    if (a->tokens != b->tokens) return a->tokens < b->tokens;
    char text_a[ALLOT_STRATEGY_TEXT], text_b[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(&set->at[a->at], text_a);
    allot_strategy_print(&set->at[b->at], text_b);
    return strcmp(text_a, text_b) < 0;
}

int allot_choose_argmax(const allot_rule *rule, const allot_strategies *set, const double *accuracy,
                        const double *tokens, const double *seconds)
{
    candidate best = {.at = -1};
    for (int s = 0; s < set->count; s++) {
        candidate c = {.at = s, .tokens = tokens[s], .seconds = seconds ? seconds[s] : 0};
        c.utility = allot_utility(rule, accuracy[s], c.tokens, c.seconds);
        if (better(set, &c, &best)) best = c;
    }
    return best.at;
}

/* The larger ratio of cost to cap: at most 1 for a strategy within the caps, 0 without caps. */
static double excess(const allot_rule *rule, const allot_costs *costs, int s)
{
    double ratio = 0;
    if (isfinite(rule->max_tokens))
        ratio = stat_at(&costs->at[s].tokens, rule->cap_on) / rule->max_tokens;
    if (isfinite(rule->max_seconds))
        ratio = fmax(ratio, stat_at(&costs->at[s].seconds, rule->cap_on) / rule->max_seconds);
    return ratio;
}

/* "120 tokens and 3.5 seconds", leaving out what is not finite. */
static void print_amounts(char *out, size_t n, double tokens, double seconds)
{
    char text[2][32] = {"", ""};
    if (isfinite(tokens)) snprintf(text[0], sizeof text[0], "%.6g tokens", tokens);
    if (isfinite(seconds)) snprintf(text[1], sizeof text[1], "%.4g seconds", seconds);
    snprintf(out, n, "%s%s%s", text[0], *text[0] && *text[1] ? " and " : "", text[1]);
}

static allot_code nothing_fits(const allot_rule *rule, const allot_strategies *set,
                               const allot_costs *costs, allot_err *err)
{
    int nearest = 0;
    for (int s = 1; s < set->count; s++)
        if (excess(rule, costs, s) < excess(rule, costs, nearest)) nearest = s;
    char text[ALLOT_STRATEGY_TEXT], caps[72], needs[72];
    allot_strategy_print(&set->at[nearest], text);
    print_amounts(caps, sizeof caps, rule->max_tokens, rule->max_seconds);
    const allot_cost *cost = &costs->at[nearest];
    print_amounts(needs, sizeof needs, stat_at(&cost->tokens, rule->cap_on),
                  costs->has_seconds ? stat_at(&cost->seconds, rule->cap_on) : NAN);
    return allot_fail(err, ALLOT_EINPUT,
                      "no strategy fits into %s; the nearest, '%s', needs %s "
                      "(%s) (raise the caps)",
                      caps, text, needs, allot_cap_name(rule->cap_on));
}

allot_code allot_choose(const allot_rule *rule, const allot_strategies *set, const double *accuracy,
                        const allot_costs *costs, int *chosen, allot_err *err)
{
    candidate best = {.at = -1};
    for (int s = 0; s < set->count; s++) {
        candidate c = {.at = s,
                       .tokens = costs->at[s].tokens.mean,
                       .seconds = costs->has_seconds ? costs->at[s].seconds.mean : 0};
        c.utility = allot_utility(rule, accuracy[s], c.tokens, c.seconds);
        if (excess(rule, costs, s) <= 1 && better(set, &c, &best)) best = c;
    }
    if (best.at < 0) return nothing_fits(rule, set, costs, err);
    *chosen = best.at;
    return ALLOT_OK;
}
