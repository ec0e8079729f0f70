/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each table, and the list that saves them all. */
#include "eval/tables.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/atomicfile.h"
#include "lib/core/json.h"
#include "lib/core/stats.h"
#include "eval/grid.h"
#include "liballot/mem.h"

/* A strategy's text as a CSV field. */
static void csv_name(const allot_evaldata *d, int s, allot_buf *out)
{
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(&d->bundle.strategies.at[s], text);
    allot_buf_str(out, "\"");
    for (const char *c = text; *c; c++)
        allot_buf_add(out, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    allot_buf_str(out, "\"");
}

allot_code allot_tables_statics(const allot_evaldata *d, int resamples, long seed,
                                allot_static_row *rows, allot_err *err)
{
    size_t s_count = (size_t)d->s, n_r = (size_t)resamples;
    double *mean = allot_mem_array(s_count, sizeof *mean, err);
    double *weight = allot_mem_array((size_t)d->n, sizeof *weight, err);
    double *drawn = allot_mem_array(s_count * n_r, sizeof *drawn, err);
    allot_code rc = mean && weight && drawn ? ALLOT_OK : ALLOT_ERUNTIME;
    for (int r = 0; r < resamples && !rc; r++) {
        allot_band_weights(seed, r, d->n, weight);
        allot_band_statics(d, d->label, weight, mean);
        for (size_t s = 0; s < s_count; s++)
            drawn[s * n_r + (size_t)r] = mean[s];
    }
    for (int s = 0; s < d->s && !rc; s++) {
        double *x = drawn + (size_t)s * n_r;
        allot_sort(x, n_r);
        rows[s].low = allot_quantile_sorted(x, n_r, 0.025);
        rows[s].high = allot_quantile_sorted(x, n_r, 0.975);
    }
    const double *cells[] = {d->label, d->tokens, d->seconds, d->p};
    for (int c = 0; c < 4 && !rc; c++) {
        if (!cells[c]) continue;
        allot_band_statics(d, cells[c], NULL, mean);
        for (int s = 0; s < d->s; s++) {
            double *to[] = {&rows[s].accuracy, &rows[s].tokens, &rows[s].seconds,
                            &rows[s].predicted};
            *to[c] = mean[s];
        }
    }
    free(mean);
    free(weight);
    free(drawn);
    return rc;
}

void allot_tables_statics_csv(const allot_evaldata *d, const allot_static_row *rows, allot_buf *out)
{
    allot_buf_str(out, "strategy,accuracy,low,high,tokens,seconds,predicted\n");
    for (int s = 0; s < d->s; s++) {
        csv_name(d, s, out);
        allot_buf_printf(out, ",%.6f,%.6f,%.6f,%.3f,%.6f,%.6f\n", rows[s].accuracy, rows[s].low,
                         rows[s].high, rows[s].tokens, rows[s].seconds, rows[s].predicted);
    }
}

cJSON *allot_tables_statics_json(const allot_evaldata *d, const allot_static_row *rows)
{
    cJSON *list = cJSON_CreateArray();
    for (int s = 0; s < d->s; s++) {
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&d->bundle.strategies.at[s], text);
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "strategy", text);
        allot_json_add_number(row, "accuracy", rows[s].accuracy);
        allot_json_add_number(row, "low", rows[s].low);
        allot_json_add_number(row, "high", rows[s].high);
        allot_json_add_number(row, "tokens", rows[s].tokens);
        allot_json_add_number(row, "seconds", d->seconds ? rows[s].seconds : NAN);
        allot_json_add_number(row, "predicted_accuracy", rows[s].predicted);
        cJSON_AddItemToArray(list, row);
    }
    return list;
}

void allot_tables_band_csv(const allot_band *b, allot_buf *out)
{
    allot_buf_str(out, "cost,rule,hull,difference,low,high,oracle\n");
    for (int i = 0; i < ALLOT_BAND_POINTS; i++) {
        allot_buf_printf(out, "%.6g,%.6f,%.6f,%.6f,%.6f,%.6f,", b->cost[i], b->rule[i], b->hull[i],
                         b->difference[i], b->low[i], b->high[i]);
        if (isfinite(b->oracle[i])) allot_buf_printf(out, "%.6f", b->oracle[i]);
        allot_buf_str(out, "\n");
    }
}

void allot_tables_interval(cJSON *object, const char *name, double value, double low, double high)
{
    cJSON *x = cJSON_AddObjectToObject(object, name);
    allot_json_add_number(x, "value", value);
    allot_json_add_number(x, "low", low);
    allot_json_add_number(x, "high", high);
}

cJSON *allot_tables_axis_json(const allot_axis_result *a)
{
    const allot_band *b = &a->band;
    char verdict[200];
    allot_axis_verdict(a, verdict, sizeof verdict);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "verdict", verdict);
    cJSON_AddBoolToObject(o, "never_below_hull", b->n_below == 0);
    cJSON_AddNumberToObject(o, "points", ALLOT_BAND_POINTS);
    cJSON_AddNumberToObject(o, "points_above", b->n_above);
    cJSON_AddNumberToObject(o, "points_below", b->n_below);
    cJSON_AddNumberToObject(o, "resamples", b->resamples);
    allot_json_add_number(o, "critical_t", b->critical);
    allot_tables_interval(o, "mean_difference", b->mean_difference, b->mean_low, b->mean_high);
    allot_tables_interval(o, "closed_gap", b->gap, b->gap_low, b->gap_high);
    allot_json_add_number(o, "oracle_mean_difference", b->oracle_difference);
    return o;
}

void allot_tables_exact_csv(const allot_trajectory *t, allot_buf *out)
{
    allot_buf_str(out, "lambda,cost,accuracy\n");
    for (int k = 0; k < t->k; k++) {
        double a = 0, c = 0;
        for (int q = 0; q < t->n; q++) {
            a += (double)t->accuracy[(size_t)k * (size_t)t->n + (size_t)q];
            c += (double)t->cost[(size_t)k * (size_t)t->n + (size_t)q];
        }
        allot_buf_printf(out, "%.9g,%.6g,%.6f\n", t->lambda[k], c / t->n, a / t->n);
    }
}

/* ---- both lambdas > 0 ---- */

/* Utility of each query under the rule's choice minus its utility under each static: the best
 * static of a resample is found from the column means. gain[n], utility[n][S] are filled. */
static void utilities(const allot_evaldata *d, const allot_rule *rule, const int *chosen,
                      double *own, double *statics)
{
    for (int q = 0; q < d->n; q++)
        for (int s = 0; s < d->s; s++) {
            size_t cell = (size_t)q * (size_t)d->s + (size_t)s;
            statics[cell] = allot_utility(rule, d->label[cell], d->tokens[cell], d->seconds[cell]);
            if (chosen[q] == s) own[q] = statics[cell];
        }
}

static double gain_over_best(const allot_evaldata *d, const double *own, const double *statics,
                             const double *weight, double *mean, int *best)
{
    double total = 0, sum = 0;
    for (int q = 0; q < d->n; q++) {
        double w = weight ? weight[q] : 1;
        total += w;
        sum += w * own[q];
    }
    allot_band_statics(d, statics, weight, mean);
    *best = 0;
    for (int s = 1; s < d->s; s++)
        if (mean[s] > mean[*best]) *best = s;
    return sum / total - mean[*best];
}

typedef struct {
    double *own, *statics, *mean, *weight, *drawn; /* [n], [n][S], [S], [n], [R] */
    int *chosen;                                   /* [n] */
} both_scratch;

static cJSON *pair_row(const allot_evaldata *d, const allot_rule *rule, int resamples, long seed,
                       both_scratch *w, double *value)
{
    allot_realised r;
    int best, ignored;
    allot_grid_point(d, ALLOT_RULE_ADAPTIVE, rule, w->chosen, &r);
    utilities(d, rule, w->chosen, w->own, w->statics);
    *value = gain_over_best(d, w->own, w->statics, NULL, w->mean, &best);
    double best_utility = w->mean[best];
    for (int i = 0; i < resamples; i++) {
        allot_band_weights(seed, i, d->n, w->weight);
        w->drawn[i] = gain_over_best(d, w->own, w->statics, w->weight, w->mean, &ignored);
    }
    allot_sort(w->drawn, (size_t)resamples);
    cJSON *row = cJSON_CreateObject();
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(&d->bundle.strategies.at[best], text);
    cJSON_AddNumberToObject(row, "lambda_per_token", rule->lambda_per_token);
    cJSON_AddNumberToObject(row, "lambda_per_second", rule->lambda_per_second);
    allot_json_add_number(row, "adaptive_utility", r.utility);
    cJSON_AddStringToObject(row, "best_static", text);
    allot_json_add_number(row, "best_static_utility", best_utility);
    allot_tables_interval(row, "difference", *value,
                          allot_quantile_sorted(w->drawn, (size_t)resamples, 0.025),
                          allot_quantile_sorted(w->drawn, (size_t)resamples, 0.975));
    return row;
}

allot_code allot_tables_both_json(const allot_evaldata *d, int resamples, long seed, cJSON **out,
                                  allot_err *err)
{
    static const double per_token[] = {1e-7, 1e-6, 1e-5, 1e-4};
    static const double per_second[] = {1e-4, 1e-3, 1e-2, 1e-1};
    size_t n = (size_t)d->n;
    both_scratch w = {allot_mem_array(n, sizeof(double), err),
                      allot_mem_array(n * (size_t)d->s, sizeof(double), err),
                      allot_mem_array((size_t)d->s, sizeof(double), err),
                      allot_mem_array(n, sizeof(double), err),
                      allot_mem_array((size_t)resamples, sizeof(double), err),
                      allot_mem_array(n, sizeof(int), err)};
    allot_code rc =
        w.own && w.statics && w.mean && w.weight && w.drawn && w.chosen ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc) {
        *out = cJSON_CreateObject();
        cJSON *rows = cJSON_CreateArray();
        int not_below = 0;
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) {
                allot_rule rule;
                allot_rule_defaults(&rule);
                rule.lambda_per_token = per_token[i];
                rule.lambda_per_second = per_second[j];
                double value;
                cJSON_AddItemToArray(rows, pair_row(d, &rule, resamples, seed, &w, &value));
                not_below += value >= -1e-12;
            }
        cJSON_AddNumberToObject(*out, "pairs", 16);
        cJSON_AddNumberToObject(*out, "pairs_not_below", not_below);
        cJSON_AddItemToObject(*out, "rows", rows);
    }
    free(w.own);
    free(w.statics);
    free(w.mean);
    free(w.weight);
    free(w.drawn);
    free(w.chosen);
    return rc;
}

/* ---- shares and limits ---- */

void allot_tables_shares_wide(const allot_evaldata *d, int by_seconds, allot_buf *csv,
                              allot_buf *names)
{
    allot_buf_printf(names, "strategies_%s = \"", by_seconds ? "seconds" : "tokens");
    allot_buf_str(csv, "lambda");
    for (int s = 0; s < d->s; s++) {
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&d->bundle.strategies.at[s], text);
        for (char *c = text; *c; c++)
            if (*c == ' ' || *c == '"' || *c == '\\') *c = '_';
        allot_buf_printf(names, "%s%s", s ? " " : "", text);
        allot_buf_str(csv, ",");
        csv_name(d, s, csv);
    }
    allot_buf_str(names, "\"\n");
    allot_buf_str(csv, "\n");
    for (int k = 0; k < ALLOT_GRID_POINTS; k++) {
        allot_rule rule;
        allot_rule_defaults(&rule);
        double lambda = allot_grid_lambda(by_seconds, k);
        *(by_seconds ? &rule.lambda_per_second : &rule.lambda_per_token) = lambda;
        int count[ALLOT_MAX_STRATEGIES] = {0};
        for (int q = 0; q < d->n; q++)
            count[allot_choose_argmax(&rule, &d->bundle.strategies, d->p + (size_t)q * (size_t)d->s,
                                      d->table_tokens, d->table_seconds)]++;
        allot_buf_printf(csv, "%.6g", lambda);
        for (int s = 0; s < d->s; s++)
            allot_buf_printf(csv, ",%.6f", (double)count[s] / d->n);
        allot_buf_str(csv, "\n");
    }
}

double allot_tables_limit(const allot_evaldata *d, int by_seconds, int huge)
{
    allot_rule rule;
    allot_rule_defaults(&rule);
    if (huge) *(by_seconds ? &rule.lambda_per_second : &rule.lambda_per_token) = 1e6;
    const double *cost = by_seconds ? d->table_seconds : d->table_tokens;
    int hits = 0;
    for (int q = 0; q < d->n; q++) {
        const double *p = d->p + (size_t)q * (size_t)d->s;
        int s =
            allot_choose_argmax(&rule, &d->bundle.strategies, p, d->table_tokens, d->table_seconds);
        int best = 1;
        for (int i = 0; i < d->s; i++)
            best &= huge ? cost[i] >= cost[s] : p[i] <= p[s];
        hits += best;
    }
    return (double)hits / d->n;
}

allot_code allot_tables_save(const char *dir, const char *name, const allot_buf *text,
                             allot_err *err)
{
    allot_buf path = {0};
    allot_buf_printf(&path, "%s/%s", dir, name);
    allot_code rc = allot_buf_check(text, err);
    if (!rc) rc = allot_buf_check(&path, err);
    if (!rc)
        rc = allot_file_write(path.at, &allot_kind_any, text->at ? text->at : "", text->n, err);
    allot_buf_clear(&path);
    return rc;
}
