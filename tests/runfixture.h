/* SPDX-License-Identifier: Apache-2.0 */
/* runfixture.h - a small invented run and its timing, whose labels can be worked out by hand.
 * Query i of FIXTURE_QUERIES asks for 100 i + 1; one more has no reference answer. Of the 8 samples
 * of query i exactly i are right. Of the 4 runs of its beam search the best beam is right in the
 * first i, the first finished one only for i = 5. For tests/unit/test_label.c and tests/cli. */
#ifndef ALLOT_RUNFIXTURE_H
#define ALLOT_RUNFIXTURE_H
#include "lib/core/atomicfile.h"
#include "lib/store/fingerprint.h"
#include "lib/store/problems.h"
#include "lib/store/record.h"
#include "lib/store/rundir.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXTURE_QUERIES = 6, FIXTURE_POOL = 8, FIXTURE_RUNS = 4 };

static const char *const fixture_strategies[] = {
    "single",     "majority@2",           "bon@4", "bon@4;agg=min", "weighted@2",
    "beam@2x2x4", "beam@2x2x4;final=vote"};
enum { FIXTURE_STRATEGIES = sizeof fixture_strategies / sizeof *fixture_strategies };

/* What a run may suffer. */
typedef struct {
    int reversed;     /* records in the other order */
    int duplicates;   /* each record followed by a worse one of the same unit */
    int torn;         /* half a line at the end */
    int other_cfg;    /* the last record comes from other settings */
    int lost_samples; /* query 3 has one sample only */
    int lost_scores;  /* query 3 has no scores */
    int foreign;      /* timing: rows of one strategy taken under foreign load */
    double slower;    /* timing: seconds times 1 + slower */
} fixture_harm;

static inline void fixture_must(allot_code code, const allot_err *err)
{
    if (!code) return;
    fprintf(stderr, "fixture: %s\n", err->msg);
    exit(1);
}

static inline void fixture_path(char out[4096], const char *dir, const char *name)
{
    snprintf(out, 4096, "%s/%s", dir, name);
}

static inline allot_key fixture_key(int query)
{
    char text[64];
    allot_key key;
    allot_err err = {0};
    snprintf(text, sizeof text, "What is %d + 1?", 100 * query);
    fixture_must(allot_key_of_text(text, strlen(text), &key, &err), &err);
    return key;
}

static inline void fixture_problems(const char *path)
{
    allot_err err = {0};
    allot_problems_writer *w;
    fixture_must(allot_problems_create(path, &w, &err), &err);
    for (int q = 0; q <= FIXTURE_QUERIES; q++) {
        char problem[64], answer[64] = "";
        allot_key key = fixture_key(q);
        snprintf(problem, sizeof problem, "What is %d + 1?", 100 * q);
        if (q < FIXTURE_QUERIES) snprintf(answer, sizeof answer, "%d", 100 * q + 1);
        const char *texts[ALLOT_N_COLS] = {problem, answer};
        size_t n[ALLOT_N_COLS] = {strlen(problem), strlen(answer)};
        fixture_must(allot_problems_add(w, &key, texts, n, &err), &err);
    }
    fixture_must(allot_problems_commit(&w, "fixture", 1, NULL, &err), &err);
}

static inline void fixture_manifest(const char *dir, const char *schema, allot_rundir *r)
{
    allot_err err = {0};
    *r = (allot_rundir){
        .schema = schema, .pool = FIXTURE_POOL, .runs = FIXTURE_RUNS, .scored = 1, .seed = 1};
    for (int i = 0; i < FIXTURE_STRATEGIES; i++) {
        allot_strategy s;
        fixture_must(allot_strategy_parse(fixture_strategies[i], &s, &err), &err);
        fixture_must(allot_strategies_add(&r->strategies, &s, &err), &err);
    }
    r->fingerprint =
        cJSON_Parse("{\"generator\":\"invented\",\"grader\":\"0\",\"temperature\":0.8}");
    r->hardware = cJSON_Parse("{\"hardware\":\"none\"}");
    if (strcmp(schema, ALLOT_TIMING_SCHEMA) == 0) {
        r->pool = 0;
        r->runs = r->n_loads = r->loads[0] = 1;
    }
    fixture_must(allot_rundir_save(dir, r, &err), &err);
}

static inline allot_generation fixture_gen(const char *text, long n_tokens, double first,
                                           double last)
{
    allot_generation g = {.text = strdup(text),
                          .n = strlen(text),
                          .n_tokens = n_tokens,
                          .scores = calloc(2, sizeof(double)),
                          .n_scores = 2};
    g.scores[0] = first;
    g.scores[1] = last;
    return g;
}

static inline int fixture_is_right(int query, int slot)
{
    return (slot * 5 + query) % FIXTURE_POOL < query;
}

/* The text of an answer: right, wrong in one of two ways, or none. */
static inline void fixture_text(char out[128], int query, int right, int slot)
{
    if (right) snprintf(out, 128, "One more.\n\nThe answer is \\boxed{%d}", 100 * query + 1);
    else if (slot == 7) snprintf(out, 128, "I do not know.");
    else snprintf(out, 128, "Let me see.\n\nThe answer is \\boxed{-%d}", 1 + slot % 2);
}

static inline allot_record fixture_record(const allot_rundir *r, allot_record_type type, int query,
                                          const char *source)
{
    allot_record rec = {.type = type,
                        .key = fixture_key(query),
                        .seconds = 1,
                        .gen_s = 1,
                        .prm_s = NAN,
                        .ttft_s = NAN,
                        .t_start = NAN,
                        .load = 1};
    allot_fingerprint_id(r->fingerprint, rec.cfg);
    snprintf(rec.source, sizeof rec.source, "%s", source);
    rec.gen = calloc(4, sizeof *rec.gen);
    return rec;
}

static inline allot_record fixture_sample(const allot_rundir *r, int query, int slot, int score)
{
    char text[128];
    int right = fixture_is_right(query, slot);
    allot_record rec = fixture_record(r, score ? ALLOT_REC_SCORE : ALLOT_REC_SAMPLE, query, "pool");
    fixture_text(text, query, right, slot);
    rec.slot = slot;
    rec.n_tokens = score ? 0 : 10 + slot + query;
    rec.gen[rec.n_gen++] = fixture_gen(text, rec.n_tokens, right ? 0.1 : 0.9,
                                       right ? 0.9 - 0.01 * slot : 0.3 + 0.01 * slot);
    if (score) free(rec.gen->text), rec.gen->text = NULL;
    else rec.gen->n_scores = 0;
    return rec;
}

static inline allot_record fixture_beam(const allot_rundir *r, int query, int run)
{
    char text[128];
    allot_record rec = fixture_record(r, ALLOT_REC_BEAM, query, "beam@2x2x4");
    rec.run = run;
    rec.n_tokens = 100 + 10 * query + run;
    fixture_text(text, query, query == 5, 0);
    rec.gen[rec.n_gen++] = fixture_gen(text, 40, 0.2, 0.2);
    fixture_text(text, query, run < query, 1);
    rec.gen[rec.n_gen++] = fixture_gen(text, 40, 0.1, 0.8);
    return rec;
}

/* The lines of a journal, to be written in either order. */
typedef struct {
    allot_buf line[FIXTURE_QUERIES * 64];
    int n;
} fixture_lines;

static inline void fixture_add(fixture_lines *l, allot_record *rec)
{
    allot_err err = {0};
    fixture_must(allot_record_print(rec, &l->line[l->n++], &err), &err);
    allot_record_clear(rec);
}

/* The same unit again with another text and score: must not count. */
static inline void fixture_worse(fixture_lines *l, allot_record rec, const fixture_harm *harm)
{
    if (!harm->duplicates) {
        allot_record_clear(&rec);
        return;
    }
    rec.n_tokens = 999;
    for (int i = 0; i < rec.n_gen; i++) {
        if (rec.gen[i].text) {
            free(rec.gen[i].text);
            rec.gen[i].text = strdup("\\boxed{77}");
            rec.gen[i].n = strlen(rec.gen[i].text);
        }
        rec.gen[i].scores[1] = 0.123;
    }
    fixture_add(l, &rec);
}

static inline void fixture_write(const char *dir, fixture_lines *l, const fixture_harm *harm)
{
    allot_buf all = {0};
    allot_err err = {0};
    char path[4096];
    for (int i = 0; i < l->n; i++) {
        /* pairs of a record and its worse copy stay in order */
        int step = harm->duplicates ? 2 : 1;
        int at = harm->reversed ? (l->n / step - 1 - i / step) * step + i % step : i;
        allot_buf_add(&all, l->line[at].at, l->line[at].n);
        allot_buf_str(&all, "\n");
    }
    if (harm->torn) allot_buf_str(&all, "{\"t\":\"sample\",\"cf");
    for (int i = 0; i < l->n; i++)
        allot_buf_clear(&l->line[i]);
    fixture_path(path, dir, "journal.jsonl");
    fixture_must(allot_file_write(path, &allot_kind_any, all.at, all.n, &err), &err);
    allot_buf_clear(&all);
}

static inline void fixture_run(const char *dir, const fixture_harm *harm)
{
    allot_rundir r;
    allot_record rec;
    char path[4096];
    fixture_lines *l = calloc(1, sizeof *l);
    fixture_manifest(dir, ALLOT_RUN_SCHEMA, &r);
    fixture_path(path, dir, "problems.h5");
    fixture_problems(path);
    for (int q = 0; q < FIXTURE_QUERIES; q++) {
        for (int slot = 0; slot < FIXTURE_POOL; slot++)
            for (int score = 0; score < 2; score++) {
                if (q == 3 && ((harm->lost_samples && slot > 0) || (harm->lost_scores && score)))
                    continue;
                rec = fixture_sample(&r, q, slot, score);
                fixture_add(l, &rec);
                fixture_worse(l, fixture_sample(&r, q, slot, score), harm);
            }
        for (int run = 0; run < FIXTURE_RUNS; run++) {
            rec = fixture_beam(&r, q, run);
            if (harm->other_cfg && q == FIXTURE_QUERIES - 1 && run == FIXTURE_RUNS - 1)
                strcpy(rec.cfg, "0000000000000000");
            fixture_add(l, &rec);
            fixture_worse(l, fixture_beam(&r, q, run), harm);
        }
    }
    fixture_write(dir, l, harm);
    allot_rundir_clear(&r);
    free(l);
}

/* Seconds of a timed strategy: 0.01 per token of the longest candidate, 0.001 per token that the
 * reward model reads, 0.05 besides; the first text of strategy 0 begins after 0.01, 0.02, 0.04.
 * Only queries 0 to 2 are timed. */
static inline allot_record fixture_timed(const allot_rundir *r, int query, int strategy,
                                         double slower)
{
    const allot_strategy *s = &r->strategies.at[strategy];
    allot_record rec = fixture_record(r, ALLOT_REC_TIMED, query, fixture_strategies[strategy]);
    double longest = 10 + query + s->n;
    for (int i = 0; i < s->n && i < 4; i++)
        rec.gen[rec.n_gen++] = fixture_gen("x", (long)longest - i, 1, 1);
    rec.n_tokens = (10 + query) * s->n;
    rec.gen_s = (1 + slower) * 0.01 * longest;
    rec.prm_s = allot_strategy_uses_prm(s) ? (1 + slower) * 0.001 * (double)rec.n_tokens : NAN;
    rec.seconds = rec.gen_s + (isnan(rec.prm_s) ? 0 : rec.prm_s) + (1 + slower) * 0.05;
    if (strategy == 0) rec.ttft_s = 0.01 * (1 << query);
    return rec;
}

static inline void fixture_timing(const char *dir, const fixture_harm *harm)
{
    allot_rundir r;
    fixture_lines *l = calloc(1, sizeof *l);
    fixture_manifest(dir, ALLOT_TIMING_SCHEMA, &r);
    for (int q = 0; q < 3; q++)
        for (int s = 0; s < FIXTURE_STRATEGIES; s++) {
            allot_record rec = fixture_timed(&r, q, s, harm->slower);
            rec.foreign = harm->foreign && s == 2;
            rec.retries = q == 0 && s == 1;
            fixture_add(l, &rec);
        }
    fixture_write(dir, l, harm);
    allot_rundir_clear(&r);
    free(l);
}
#endif
