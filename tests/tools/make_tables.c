/* SPDX-License-Identifier: Apache-2.0 */
/* usage: make_tables DIR N_QUERIES [CHANGE]   writes outcomes.h5, ngram.emb.h5, splits.h5,
 * costs.json and queries.jsonl of one small invented world, so that the tools behind the collection
 * can be tested without a server. Queries are sums of numbers; more terms are harder; sampling
 * helps in between, voting hurts where a query has the digit 7. CHANGE: missing-cell,
 * missing-embedding, other-embedding (another model), missing-split, no-validation, other-costs
 * (another temperature), other-strategies (one less in the costs), no-seconds (in the costs),
 * other-split (another id), other-outcomes (another temperature), other-dimension (of the
 * embeddings), fewer-strategies (one less in the outcomes), graded (the outcomes say how),
 * graded-before (they have it in the fingerprint, as once), all-wrong, all-right, beams-wrong
 * (labels). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/costsfile.h"
#include "lib/store/embeddings.h"
#include "lib/store/outcomes.h"
#include "lib/core/rng.h"
#include "lib/store/splits.h"
#include "liballot/features.h"
#include "liballot/ngram.h"

enum { DIM = 64, N_STRATEGIES = 6 };

static const char *const strategies[N_STRATEGIES] = {"single", "majority@4",     "majority@16",
                                                     "bon@4",  "bon@16;agg=min", "beam@4x2x20"};
static const char *change = "";
static const char *folder;

static int is(const char *name)
{
    return strcmp(change, name) == 0;
}

static void must(allot_code rc, const allot_err *err)
{
    if (!rc) return;
    fprintf(stderr, "make_tables: %s\n", err->msg);
    exit(1);
}

static const char *path_of(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void make_strategies(allot_strategies *set)
{
    allot_err err = {0};
    for (int i = 0; i < N_STRATEGIES; i++) {
        allot_strategy s;
        must(allot_strategy_parse(strategies[i], &s, &err), &err);
        must(allot_strategies_add(set, &s, &err), &err);
    }
}

/* Query i: its text and how many terms it has. */
static int make_query(long i, char *text, size_t n)
{
    allot_rng rng = allot_rng_start(7, (uint64_t)i, 0, 0);
    int terms = 2 + (int)allot_rng_below(&rng, 9), at = 0;
    at += snprintf(text, n, "%ld", 100 + i);
    for (int t = 1; t < terms; t++)
        at += snprintf(text + at, n - (size_t)at, "+%d", (int)allot_rng_below(&rng, 100));
    snprintf(text + at, n - (size_t)at, "=?");
    return terms;
}

static double make_label(const allot_strategy *s, const char *text, int terms, allot_rng *rng)
{
    double samples = log2(s->n), z = 5 - terms;
    double gain = s->method == ALLOT_MAJORITY && strchr(text, '7') ? -0.5 : 0.5;
    double p = 1 / (1 + exp(-(z + gain * samples))), right = 0;
    for (int t = 0; t < 16; t++)
        right += allot_rng_unit(rng) < p;
    return right / 16;
}

static void make_outcomes(long n, const allot_strategies *set)
{
    allot_err err = {0};
    allot_outcomes o = {0};
    must(allot_outcomes_init(&o, n, set, &err), &err);
    snprintf(o.metric, sizeof o.metric, "accuracy");
    o.label_rule = strdup("runs");
    o.fingerprint =
        cJSON_Parse(is("other-outcomes") ? "{\"generator\":\"invented\",\"temperature\":1}"
                                         : "{\"generator\":\"invented\",\"temperature\":0.8}");
    if (is("graded")) o.grading = cJSON_Parse("{\"grader\":\"new\",\"options\":\"last number\"}");
    if (is("graded-before")) cJSON_AddStringToObject(o.fingerprint, "grader", "0");
    for (long q = 0; q < n; q++) {
        char text[128];
        int terms = make_query(q, text, sizeof text);
        allot_rng rng = allot_rng_start(8, (uint64_t)q, 0, 0);
        must(allot_key_of_text(text, strlen(text), &o.keys[q], &err), &err);
        o.codepoints[q] = (int32_t)strlen(text);
        for (int s = 0; s < set->count; s++) {
            long cell = q * set->count + s;
            double p = make_label(&set->at[s], text, terms, &rng);
            if (is("all-wrong") || (is("beams-wrong") && set->at[s].method == ALLOT_BEAM)) p = 0;
            if (is("all-right")) p = 1;
            o.accuracy[cell] = (float)p;
            o.variance[cell] = (float)(p * (1 - p) / 16);
            o.n_eff[cell] = 16;
            o.half[2 * cell] = o.half[2 * cell + 1] = (float)p;
            o.tokens[cell] = (float)(20 * terms * set->at[s].n);
            o.seconds[cell] = (float)(0.1 * terms * set->at[s].depth);
            o.seconds_kind[cell] = ALLOT_SECONDS_MEASURED;
            o.n_trials[cell] = is("missing-cell") && q == 3 && s == 2 ? 0 : 16;
        }
    }
    must(allot_outcomes_save(path_of("outcomes.h5"), &o, "make_tables", 7, NULL, &err), &err);
    allot_outcomes_clear(&o);
}

static void make_embeddings(long n)
{
    allot_err err = {0};
    int dim = is("other-dimension") ? DIM / 2 : DIM;
    allot_embeddings e = {.n = is("missing-embedding") ? n - 1 : n, .dim = dim, .normalized = 1};
    e.model = strdup(is("other-embedding") ? "other" : ALLOT_NGRAM_MODEL);
    e.pooling = strdup("ngram");
    e.prefix = strdup("");
    e.keys = calloc((size_t)n, sizeof *e.keys);
    e.at = calloc((size_t)(n * dim), sizeof *e.at);
    if (!e.model || !e.pooling || !e.prefix || !e.keys || !e.at) exit(1);
    for (long q = 0; q < e.n; q++) {
        char text[128];
        make_query(q, text, sizeof text);
        must(allot_key_of_text(text, strlen(text), &e.keys[q], &err), &err);
        allot_ngram_embed(text, strlen(text), dim, e.at + q * dim);
    }
    must(allot_embeddings_save(path_of("ngram.emb.h5"), &e, "make_tables", 7, NULL, &err), &err);
    allot_embeddings_clear(&e);
}

static void make_splits(long n)
{
    static const int of_ten[] = {0, 0, 0, 0, 0, 1, 1, 2, 3, 3};
    allot_err err = {0};
    allot_splits s = {.n = is("missing-split") ? n - 1 : n, .seed = 7};
    snprintf(s.fractions, sizeof s.fractions, "0.5,0.2,0.1,0.2");
    snprintf(s.id, sizeof s.id, is("other-split") ? "fedcba9876543210" : "0123456789abcdef");
    s.keys = calloc((size_t)n, sizeof *s.keys);
    s.split = calloc((size_t)n, sizeof *s.split);
    if (!s.keys || !s.split) exit(1);
    for (long q = 0; q < s.n; q++) {
        char text[128];
        make_query(q, text, sizeof text);
        must(allot_key_of_text(text, strlen(text), &s.keys[q], &err), &err);
        s.split[q] = (uint8_t)of_ten[q % 10];
        if (is("no-validation") && s.split[q] == ALLOT_VALIDATION) s.split[q] = ALLOT_TEST;
    }
    must(allot_splits_save(path_of("splits.h5"), &s, "make_tables", NULL, &err), &err);
    allot_splits_clear(&s);
}

static void make_queries(long n)
{
    FILE *f = fopen(path_of("queries.jsonl"), "w");
    for (long q = 0; f && q < n; q++) {
        char text[128];
        make_query(q, text, sizeof text);
        fprintf(f, "{\"problem\": \"%s\"}\n", text);
    }
    if (!f || fclose(f)) exit(1);
}

static void make_stat(allot_cost_stat *s, double mean)
{
    *s = (allot_cost_stat){.mean = mean,
                           .se = mean / 10,
                           .p50 = 0.9 * mean,
                           .p90 = 1.5 * mean,
                           .p95 = 2 * mean,
                           .p99 = 3 * mean,
                           .n = 50};
}

static void make_costs(const allot_strategies *all)
{
    allot_err err = {0};
    allot_costsfile c = {.n_loads = 1};
    for (int s = 0; s < all->count - is("other-strategies"); s++)
        must(allot_strategies_add(&c.strategies, &all->at[s], &err), &err);
    int n = c.strategies.count, timed = !is("no-seconds");
    c.loads = calloc(1, sizeof *c.loads);
    *c.loads = (allot_costs){.n_strategies = n,
                             .has_seconds = timed,
                             .load = timed,
                             .at = calloc((size_t)n, sizeof(allot_cost))};
    for (int s = 0; s < n; s++) {
        make_stat(&c.loads->at[s].tokens, 120.0 * all->at[s].n);
        if (timed) make_stat(&c.loads->at[s].seconds, 0.5 * all->at[s].depth + 0.01 * all->at[s].n);
    }
    c.fingerprint =
        cJSON_Parse(is("other-costs") ? "{\"generator\":\"invented\",\"temperature\":1}"
                                      : "{\"generator\":\"invented\",\"temperature\":0.8}");
    c.hardware = cJSON_Parse("{\"hardware\":\"none\"}");
    must(allot_costsfile_save(path_of("costs.json"), &c, "make_tables", 7, NULL, &err), &err);
    allot_costsfile_clear(&c);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) return 2;
    allot_strategies set = {0};
    folder = argv[1];
    long n = atol(argv[2]);
    if (argc == 4) change = argv[3];
    make_strategies(&set);
    make_outcomes(n, &(allot_strategies){set.at, set.count - is("fewer-strategies")});
    make_embeddings(n);
    make_splits(n);
    make_costs(&set);
    make_queries(n);
    allot_strategies_clear(&set);
    return 0;
}
