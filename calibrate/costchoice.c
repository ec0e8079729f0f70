/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses with the old and the new cost table for every query, and counts where they differ. */
#include "calibrate/costchoice.h"
#include <stdlib.h>
#include <string.h>
#include "lib/store/bundlefile.h"
#include "lib/store/embeddings.h"
#include "lib/core/json.h"
#include "lib/store/problems.h"
#include "liballot/bundle.h"
#include "liballot/mem.h"
#include "liballot/utf8.h"

typedef struct {
    allot_bundle bundle;
    allot_embeddings embeddings;
    allot_problems problems;
    double *accuracy;    /* [n,S] predicted */
    long n;              /* queries with an embedding and a text */
    double *costs[2][2]; /* [S] before and now; tokens and seconds (NULL: not known) */
} choosing;

allot_code allot_costchoice_check(const allot_costchoice_settings *s, allot_err *err)
{
    if ((s->bundle != NULL) != (s->embeddings != NULL) ||
        (s->bundle != NULL) != (s->problems != NULL))
        return allot_fail(err, ALLOT_EUSAGE,
                          "--bundle, --embeddings and --problems belong together");
    if (!s->bundle && (s->lambda_per_token >= 0 || s->lambda_per_second >= 0))
        return allot_fail(err, ALLOT_EUSAGE, "lambdas need --bundle, whose choices they decide");
    return ALLOT_OK;
}

static allot_code load_all(const allot_costchoice_settings *s, choosing *c, allot_err *err)
{
    allot_code rc = allot_bundlefile_load(s->bundle, &c->bundle, err);
    if (!rc) rc = allot_embeddings_load(s->embeddings, &c->embeddings, err);
    if (!rc)
        rc = allot_embeddings_agree(&c->embeddings, s->embeddings, c->bundle.embedding_model,
                                    c->bundle.probe.d, c->bundle.embedding_id, s->bundle, err);
    return rc ? rc : allot_problems_load(s->problems, 0, &c->problems, err);
}

/* Fills accuracy for the queries that are in both files. */
static allot_code predict(const allot_costchoice_settings *s, choosing *c, allot_err *err)
{
    const allot_embeddings *e = &c->embeddings;
    allot_keyindex index = {0};
    int n_s = c->bundle.strategies.count;
    float *scratch = allot_mem_array(allot_scratch_floats(&c->bundle), sizeof *scratch, err);
    c->accuracy = allot_mem_array((size_t)e->n, (size_t)n_s * sizeof *c->accuracy, err);
    allot_code rc = scratch && c->accuracy ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc)
        rc =
            allot_keyindex_build(&index, c->problems.keys, (size_t)c->problems.n, s->problems, err);
    for (long i = 0; !rc && i < e->n; i++) {
        long row = allot_keyindex_find(&index, &e->keys[i]);
        if (row < 0) continue;
        size_t n;
        const char *text = allot_strings_at(&c->problems.col[ALLOT_COL_PROBLEM], row, &n);
        rc =
            allot_bundle_predict(&c->bundle, e->at + i * e->dim, (size_t)allot_utf8_length(text, n),
                                 scratch, c->accuracy + c->n++ * n_s, err);
    }
    if (!rc && c->n == 0)
        rc = allot_fail(err, ALLOT_EMISMATCH, "'%s' and '%s' have no query in common",
                        s->embeddings, s->problems);
    allot_keyindex_clear(&index);
    free(scratch);
    return rc;
}

/* The means of one table in the order of the bundle's strategies. */
static allot_code costs_of(const choosing *c, const allot_costsfile *f, const allot_costs *at,
                           const char *bundle, double *tokens, double *seconds, allot_err *err)
{
    for (int s = 0; s < c->bundle.strategies.count; s++) {
        int k = allot_strategies_find(&f->strategies, &c->bundle.strategies.at[s]);
        if (k < 0) {
            char text[ALLOT_STRATEGY_TEXT];
            allot_strategy_print(&c->bundle.strategies.at[s], text);
            return allot_fail(err, ALLOT_EMISMATCH,
                              "'%s' chooses among strategies of which '%s' is in only one of the "
                              "cost tables",
                              bundle, text);
        }
        tokens[s] = at->at[k].tokens.mean;
        seconds[s] = at->has_seconds ? at->at[k].seconds.mean : 0;
    }
    return ALLOT_OK;
}

static long count_changed(const choosing *c, const allot_rule *rule)
{
    long changed = 0;
    const allot_strategies *set = &c->bundle.strategies;
    for (long q = 0; q < c->n; q++) {
        const double *accuracy = c->accuracy + q * set->count;
        changed += allot_choose_argmax(rule, set, accuracy, c->costs[0][0], c->costs[0][1]) !=
                   allot_choose_argmax(rule, set, accuracy, c->costs[1][0], c->costs[1][1]);
    }
    return changed;
}

static void add_row(const choosing *c, const allot_rule *rule, int load, cJSON *out)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddNumberToObject(row, "load", load);
    cJSON_AddNumberToObject(row, "lambda_per_token", rule->lambda_per_token);
    cJSON_AddNumberToObject(row, "lambda_per_second", rule->lambda_per_second);
    cJSON_AddNumberToObject(row, "queries", (double)c->n);
    allot_json_add_number(row, "changed", (double)count_changed(c, rule) / (double)c->n);
    cJSON_AddItemToArray(out, row);
}

static void add_load(const allot_costchoice_settings *s, const choosing *c, int load, cJSON *out)
{
    static const double usual[][2] = {{0, 1e-4}, {0, 1e-3}, {0, 1e-2},
                                      {1e-6, 0}, {1e-5, 0}, {1e-4, 0}};
    allot_rule rule;
    allot_rule_defaults(&rule);
    if (s->lambda_per_token >= 0 || s->lambda_per_second >= 0) {
        if (s->lambda_per_token >= 0) rule.lambda_per_token = s->lambda_per_token;
        if (s->lambda_per_second >= 0) rule.lambda_per_second = s->lambda_per_second;
        add_row(c, &rule, load, out);
        return;
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        rule.lambda_per_token = usual[i][0];
        rule.lambda_per_second = usual[i][1];
        add_row(c, &rule, load, out);
    }
}

static allot_code compare_loads(const allot_costchoice_settings *s, choosing *c,
                                const allot_costsfile *before, const allot_costsfile *now,
                                cJSON *out, allot_err *err)
{
    for (int t = 0; t < 4; t++) {
        double **at = &c->costs[t / 2][t % 2];
        *at = allot_mem_array((size_t)c->bundle.strategies.count, sizeof **at, err);
        if (!*at) return ALLOT_ERUNTIME;
    }
    for (int i = 0; i < now->n_loads; i++)
        for (int k = 0; k < before->n_loads; k++) {
            if (now->loads[i].load != before->loads[k].load) continue;
            allot_code rc = costs_of(c, before, &before->loads[k], s->bundle, c->costs[0][0],
                                     c->costs[0][1], err);
            if (!rc)
                rc = costs_of(c, now, &now->loads[i], s->bundle, c->costs[1][0], c->costs[1][1],
                              err);
            if (rc) return rc;
            add_load(s, c, now->loads[i].load, out);
        }
    return ALLOT_OK;
}

allot_code allot_costchoice(const allot_costchoice_settings *s, const allot_costsfile *before,
                            const allot_costsfile *now, cJSON **out, allot_err *err)
{
    choosing c = {0};
    *out = cJSON_CreateArray();
    allot_code rc = load_all(s, &c, err);
    if (!rc) rc = predict(s, &c, err);
    if (!rc) rc = compare_loads(s, &c, before, now, *out, err);
    for (int t = 0; t < 4; t++)
        free(c.costs[t / 2][t % 2]);
    free(c.accuracy);
    allot_bundle_clear(&c.bundle);
    allot_embeddings_clear(&c.embeddings);
    allot_problems_clear(&c.problems);
    if (rc) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return rc;
}
