/* SPDX-License-Identifier: Apache-2.0 */
/* Realised means of each rule at the points of the grids, as rows of CSV. */
#include "eval/grid.h"
#include <math.h>
#include <string.h>

static const char *rule_name(allot_rule_kind k)
{
    static const char *const names[] = {"adaptive", "adaptive, uncalibrated",
                                        "adaptive, oracle costs", "oracle"};
    return names[k];
}

double allot_grid_lambda(int by_seconds, int k)
{
    double low = by_seconds ? -5 : -7;
    return pow(10, low + (-1 - low) * k / (ALLOT_GRID_POINTS - 1.0));
}

static double fixed_lambda(int by_seconds, int k)
{
    static const double values[2][ALLOT_GRID_FIXED] = {{0, 1e-4, 1e-3, 1e-2},
                                                       {0, 1e-7, 1e-6, 1e-5}};
    return values[by_seconds != 0][k];
}

static int choose(const allot_evaldata *d, allot_rule_kind kind, const allot_rule *rule, int q)
{
    size_t row = (size_t)q * (size_t)d->s;
    int own = kind == ALLOT_RULE_ORACLE_COSTS;
    const double *accuracy = kind == ALLOT_RULE_ORACLE         ? d->label
                             : kind == ALLOT_RULE_UNCALIBRATED ? d->p_raw
                                                               : d->p;
    const double *seconds = own ? d->seconds : d->table_seconds;
    return allot_choose_argmax(rule, &d->bundle.strategies, accuracy + row,
                               own ? d->tokens + row : d->table_tokens,
                               own && seconds ? seconds + row : seconds);
}

static void add(const allot_evaldata *d, size_t cell, double weight, allot_realised *sum)
{
    sum->accuracy += weight * d->label[cell];
    sum->tokens += weight * d->tokens[cell];
    if (d->seconds) sum->seconds += weight * d->seconds[cell];
}

static void finish(const allot_evaldata *d, const allot_rule *rule, allot_realised *sum)
{
    sum->accuracy /= d->n;
    sum->tokens /= d->n;
    sum->seconds /= d->n;
    sum->utility = allot_utility(rule, sum->accuracy, sum->tokens, sum->seconds);
}

void allot_grid_point(const allot_evaldata *d, allot_rule_kind kind, const allot_rule *rule,
                      int *chosen, allot_realised *out)
{
    *out = (allot_realised){0};
    for (int q = 0; q < d->n; q++) {
        int s = choose(d, kind, rule, q);
        if (chosen) chosen[q] = s;
        add(d, (size_t)q * (size_t)d->s + (size_t)s, 1, out);
    }
    finish(d, rule, out);
}

void allot_grid_random(const allot_evaldata *d, const allot_rule *rule, allot_realised *out)
{
    *out = (allot_realised){0};
    for (size_t cell = 0; cell < (size_t)d->n * (size_t)d->s; cell++)
        add(d, cell, 1.0 / d->s, out);
    finish(d, rule, out);
}

static allot_rule rule_at(int by_seconds, double moving, double fixed)
{
    allot_rule rule;
    allot_rule_defaults(&rule);
    rule.lambda_per_token = by_seconds ? fixed : moving;
    rule.lambda_per_second = by_seconds ? moving : fixed;
    return rule;
}

static void row(const char *name, const allot_rule *rule, const allot_realised *r, allot_buf *out)
{
    allot_buf_printf(out, "\"%s\",%.6g,%.6g,%.6f,%.3f,%.6f,%.6f\n", name, rule->lambda_per_token,
                     rule->lambda_per_second, r->accuracy, r->tokens, r->seconds, r->utility);
}

void allot_grid_csv(const allot_evaldata *d, int by_seconds, allot_buf *out)
{
    allot_buf_str(out, "rule,lambda_per_token,lambda_per_second,accuracy,tokens,seconds,utility\n");
    int n_fixed = d->seconds || by_seconds ? ALLOT_GRID_FIXED : 1;
    for (int kind = 0; kind < ALLOT_N_RULES; kind++)
        for (int f = 0; f < n_fixed; f++)
            for (int k = 0; k < ALLOT_GRID_POINTS; k++) {
                allot_rule rule = rule_at(by_seconds, allot_grid_lambda(by_seconds, k),
                                          fixed_lambda(by_seconds, f));
                allot_realised r;
                allot_grid_point(d, (allot_rule_kind)kind, &rule, NULL, &r);
                row(rule_name((allot_rule_kind)kind), &rule, &r, out);
            }
}
