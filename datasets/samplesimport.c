/* SPDX-License-Identifier: Apache-2.0 */
/* Turns each line into the journal's records, as if the collector had drawn and scored the
 * samples. */
#include "datasets/samplesimport.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/core/buf.h"
#include "lib/store/fingerprint.h"
#include "lib/core/interrupt.h"
#include "lib/store/journal.h"
#include "lib/core/json.h"
#include "lib/store/problems.h"
#include "lib/store/record.h"
#include "lib/store/rundir.h"
#include "lib/readers/instream.h"
#include "liballot/mem.h"
#include "liballot/utf8.h"

typedef struct {
    const allot_samplesimport *s;
    allot_samples_counts *counts;
    char where[320]; /* the line, for messages */
    char cfg[17];
    allot_problems_writer *problems;
    allot_journal *journal;
    allot_buf line;  /* owned; one record */
    allot_key *keys; /* owned [counts->queries] */
    size_t capacity;
    const char *answer; /* of the current query; NULL if unknown */
    long unscored;
} importing;

/* One sample as both forms tell it; borrowed from the line's JSON. */
typedef struct {
    const char *text, *extracted;
    const cJSON *correct, *score, *tokens, *seconds;
} told_sample;

static allot_code refuse(const importing *in, int slot, const char *what, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT, "%s: sample %d: %s", in->where, slot, what);
}

static const cJSON *field(const cJSON *object, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(v) ? NULL : v;
}

/* A number of min..max, or fallback where there is none. */
static allot_code number(const importing *in, int slot, const cJSON *v, const char *name,
                         double max, double *out, allot_err *err)
{
    char what[80];
    if (v == NULL) return ALLOT_OK;
    if (cJSON_IsBool(v)) *out = cJSON_IsTrue(v);
    else if (cJSON_IsNumber(v)) *out = v->valuedouble;
    if ((cJSON_IsNumber(v) || cJSON_IsBool(v)) && *out >= 0 && *out <= max) return ALLOT_OK;
    snprintf(what, sizeof what, "\"%s\" is not a number of 0 to %g", name, max);
    return refuse(in, slot, what, err);
}

static allot_code whole_number(const importing *in, int slot, const cJSON *v, const char *name,
                               double max, double *out, allot_err *err)
{
    char what[80];
    allot_code rc = number(in, slot, v, name, max, out, err);
    if (rc || *out == floor(*out)) return rc;
    snprintf(what, sizeof what, "\"%s\" is %g, not a whole number", name, *out);
    return refuse(in, slot, what, err);
}

/* Scores of the steps, or of the whole, into g (owned there). */
static allot_code take_scores(importing *in, int slot, const cJSON *v, allot_generation *g,
                              allot_err *err)
{
    int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 1, i = 0;
    g->scores = allot_mem_array((size_t)n, sizeof *g->scores, err);
    if (g->scores == NULL) return ALLOT_ERUNTIME;
    for (const cJSON *x = cJSON_IsArray(v) ? v->child : v; i < n; x = x->next, i++) {
        if (!cJSON_IsNumber(x) || !isfinite(x->valuedouble))
            return refuse(in, slot, "a score is not a number", err);
        g->scores[i] = x->valuedouble;
    }
    g->n_scores = n;
    return n > 0 ? ALLOT_OK : refuse(in, slot, "it has an empty list of scores", err);
}

static allot_code write_record(importing *in, const allot_record *r, allot_err *err)
{
    in->line.n = 0;
    allot_code rc = allot_record_print(r, &in->line, err);
    return rc ? rc : allot_journal_write(in->journal, in->line.at, in->line.n, err);
}

/* A judge elsewhere and ours may differ: counted, with an example. */
static void compare_judges(importing *in, const allot_generation *g, int correct)
{
    allot_samples_counts *c = in->counts;
    const char *answer, *text = in->answer ? in->answer : "";
    size_t n;
    int right = allot_extract(g->text, g->n, &in->s->grade, &answer, &n) &&
                allot_answers_equal(text, strlen(text), answer, n, &in->s->grade);
    c->judged++;
    if (right == correct || c->disagreed++ > 0) return;
    const char *end = strrchr(g->text, '\n');
    snprintf(c->example, sizeof c->example, "%s: '%.60s' is told to be %s, the answer is '%.60s'",
             in->where, end ? end + 1 : g->text, correct ? "right" : "wrong", text);
}

/* The text of a sample of which only the answer is known. */
static char *boxed(const char *extracted, allot_err *err)
{
    size_t n = strlen(extracted) + 9;
    char *text = allot_mem_text("", 0, err);
    void *grown = text ? realloc(text, n) : NULL;
    if (grown == NULL) {
        free(text);
        return NULL;
    }
    snprintf(grown, n, "\\boxed{%s}", extracted);
    return grown;
}

static allot_code add_sample(importing *in, const allot_key *key, int slot, const told_sample *t,
                             allot_err *err)
{
    allot_generation gen = {.finish = ALLOT_FINISH_STOP};
    allot_record r = {.type = ALLOT_REC_SAMPLE,
                      .key = *key,
                      .slot = slot,
                      .gen = &gen,
                      .n_gen = 1,
                      .t_start = NAN,
                      .seconds = NAN,
                      .gen_s = NAN,
                      .prm_s = NAN,
                      .ttft_s = NAN,
                      .source = "pool"};
    double tokens = 0, correct = 0;
    memcpy(r.cfg, in->cfg, sizeof r.cfg);
    if ((t->text == NULL) == (t->extracted == NULL))
        return refuse(in, slot, "it needs either \"text\" or \"extracted\"", err);
    const char *told = t->text ? t->text : t->extracted;
    if (told[allot_utf8_valid(told, strlen(told))])
        return refuse(in, slot, "its text is not UTF-8 (convert the file with iconv)", err);
    allot_code rc = whole_number(in, slot, t->tokens, "tokens", 1e9, &tokens, err);
    if (!rc) rc = number(in, slot, t->seconds, "seconds", 1e9, &r.seconds, err);
    if (!rc) rc = whole_number(in, slot, t->correct, "correct", 1, &correct, err);
    if (rc) return rc;
    gen.text = t->text ? allot_mem_text(t->text, strlen(t->text), err) : boxed(t->extracted, err);
    if (gen.text == NULL) return ALLOT_ERUNTIME;
    gen.n = strlen(gen.text);
    gen.n_tokens = r.n_tokens = (long)tokens;
    in->counts->without_tokens += t->tokens == NULL;
    in->counts->samples++;
    if (t->correct) {
        gen.judged = correct != 0 ? 1 : 2;
        compare_judges(in, &gen, correct != 0);
    }
    rc = write_record(in, &r, err);
    if (!rc && t->score == NULL) in->unscored++;
    if (!rc && t->score != NULL) {
        free(gen.text);
        gen = (allot_generation){0};
        r.type = ALLOT_REC_SCORE;
        r.n_tokens = 0;
        in->counts->scored = 1;
        rc = take_scores(in, slot, t->score, &gen, err);
        if (!rc) rc = write_record(in, &r, err);
    }
    free(gen.text);
    free(gen.scores);
    return rc;
}

static allot_code add_samples(importing *in, const cJSON *o, const allot_key *key, int *n,
                              allot_err *err)
{
    const cJSON *samples = field(o, "samples"), *texts = field(o, "completions");
    const cJSON *scores = field(o, "scores"), *tokens = field(o, "completion_tokens");
    allot_code rc = ALLOT_OK;
    if (samples != NULL) {
        for (const cJSON *v = samples->child; v && !rc; v = v->next) {
            told_sample t = {cJSON_GetStringValue(field(v, "text")),
                             cJSON_GetStringValue(field(v, "extracted")),
                             field(v, "correct"),
                             field(v, "score"),
                             field(v, "tokens"),
                             field(v, "seconds")};
            rc = add_sample(in, key, (*n)++, &t, err);
        }
        return rc;
    }
    const struct {
        const char *name;
        const cJSON *list;
    } lists[] = {{"scores", scores}, {"completion_tokens", tokens}};
    for (size_t i = 0; i < 2 && !rc; i++)
        if (lists[i].list && !cJSON_IsArray(lists[i].list))
            rc =
                allot_fail(err, ALLOT_EINPUT, "%s: \"%s\" is not a list", in->where, lists[i].name);
        else if (lists[i].list && cJSON_GetArraySize(lists[i].list) != cJSON_GetArraySize(texts))
            rc = allot_fail(err, ALLOT_EINPUT, "%s: %d completions, but %d \"%s\"", in->where,
                            cJSON_GetArraySize(texts), cJSON_GetArraySize(lists[i].list),
                            lists[i].name);
    const cJSON *score = scores ? scores->child : NULL, *count = tokens ? tokens->child : NULL;
    for (const cJSON *v = texts->child; v && !rc; v = v->next) {
        told_sample t = {.text = cJSON_GetStringValue(v), .score = score, .tokens = count};
        rc = add_sample(in, key, (*n)++, &t, err);
        score = score ? score->next : NULL;
        count = count ? count->next : NULL;
    }
    return rc;
}

static allot_code add_query(importing *in, const cJSON *o, allot_err *err)
{
    static const char *const names[] = {"query", "problem", "question", "prompt"};
    const char *text = NULL;
    int n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && !text; i++)
        text = cJSON_GetStringValue(field(o, names[i]));
    in->answer = cJSON_GetStringValue(field(o, "answer"));
    if (text == NULL)
        return allot_fail(err, ALLOT_EINPUT, "%s: no \"query\", \"problem\" or \"question\"",
                          in->where);
    if (cJSON_IsArray(field(o, "samples")) == cJSON_IsArray(field(o, "completions")))
        return allot_fail(err, ALLOT_EINPUT,
                          "%s: it needs either a list \"samples\" or a list "
                          "\"completions\"",
                          in->where);
    void *grown = in->keys;
    allot_code rc = allot_mem_grow(&grown, &in->capacity, (size_t)in->counts->queries + 1,
                                   sizeof *in->keys, err);
    if (rc) return rc;
    in->keys = grown;
    allot_key *key = &in->keys[in->counts->queries++];
    rc = allot_key_of_text(text, strlen(text), key, err);
    if (rc) return allot_fail_in(err, "%s", in->where);
    const char *texts[ALLOT_N_COLS] = {[ALLOT_COL_PROBLEM] = text, [ALLOT_COL_ANSWER] = in->answer};
    size_t lengths[ALLOT_N_COLS] = {[ALLOT_COL_PROBLEM] = strlen(text),
                                    [ALLOT_COL_ANSWER] = in->answer ? strlen(in->answer) : 0};
    rc = allot_problems_add(in->problems, key, texts, lengths, err);
    if (!rc) rc = add_samples(in, o, key, &n, err);
    if (!rc && n == 0) rc = allot_fail(err, ALLOT_EINPUT, "%s: it has no samples", in->where);
    if (in->counts->queries == 1 || n < in->counts->least) in->counts->least = n;
    if (n > in->counts->pool) in->counts->pool = n;
    return rc;
}

static allot_code read_line(importing *in, char *line, size_t n, allot_err *err)
{
    cJSON *o = NULL;
    if (n > (size_t)ALLOT_INSTREAM_MAX_LINE)
        return allot_fail(err, ALLOT_EINPUT, "%s: longer than %ld bytes (%zu)", in->where,
                          ALLOT_INSTREAM_MAX_LINE, n);
    if (strspn(line, " \t") == n) return ALLOT_OK;
    allot_code rc = allot_json_parse(line, n, in->where, &o, err);
    if (!rc && !cJSON_IsObject(o))
        rc = allot_fail(err, ALLOT_EINPUT, "%s: not a JSON object", in->where);
    if (!rc) rc = add_query(in, o, err);
    cJSON_Delete(o);
    return rc;
}

static allot_code read_lines(importing *in, const char *path, allot_instream *f, allot_err *err)
{
    char *line;
    size_t n;
    allot_code rc;
    while (!(rc = allot_instream_line(f, &line, &n, err)) && line) {
        snprintf(in->where, sizeof in->where, "line %ld of '%.250s'", allot_instream_number(f),
                 path);
        if ((rc = read_line(in, line, n, err))) break;
    }
    return rc;
}

static allot_code add_strategy(allot_strategies *set, const char *method, int n, allot_err *err)
{
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy s;
    snprintf(text, sizeof text, n > 0 ? "%s@%d" : "%s", method, n);
    allot_code rc = allot_strategy_parse(text, &s, err);
    return rc ? rc : allot_strategies_add(set, &s, err);
}

/* What every query has enough samples for. */
static allot_code fitting_strategies(const allot_samples_counts *c, allot_strategies *out,
                                     allot_err *err)
{
    static const char *const methods[] = {"majority", "bon", "weighted"};
    allot_code rc = add_strategy(out, "single", 0, err);
    for (int m = 0; m < (c->scored ? 3 : 1); m++)
        for (int n = 2; !rc && n <= c->least && n <= ALLOT_MAX_N; n *= 2)
            rc = add_strategy(out, methods[m], n, err);
    return rc;
}

static allot_code wanted_strategies(const importing *in, allot_strategies *out, allot_err *err)
{
    const allot_strategies *want = in->s->want;
    allot_code rc = ALLOT_OK;
    if (want == NULL) return fitting_strategies(in->counts, out, err);
    for (int i = 0; i < want->count && !rc; i++) {
        const allot_strategy *s = &want->at[i];
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(s, text);
        if (allot_strategy_kind(s) != ALLOT_POOLED || s->n > in->counts->pool)
            rc = allot_fail(err, ALLOT_EMISMATCH, "%s cannot be made of %d samples of each query",
                            text, in->counts->pool);
        else if (allot_strategy_uses_prm(s) && !in->counts->scored)
            rc = allot_fail(err, ALLOT_EMISMATCH, "%s needs scores, which the samples do not have",
                            text);
        else rc = allot_strategies_add(out, s, err);
    }
    return rc;
}

/* The manifest comes last: without it a directory is no run. */
static allot_code finish(importing *in, const char *path, const char *run, cJSON *fingerprint,
                         allot_err *err)
{
    const char *inputs[] = {path, NULL};
    allot_keyindex unique = {0};
    allot_rundir r = {.schema = ALLOT_RUN_SCHEMA,
                      .pool = in->counts->pool,
                      .runs = 1,
                      .scored = in->counts->scored,
                      .judged = in->counts->judged > 0,
                      .imported = 1,
                      .fingerprint = fingerprint,
                      .hardware = cJSON_CreateObject()};
    allot_code rc = ALLOT_OK;
    if (in->counts->queries == 0) rc = allot_fail(err, ALLOT_EINPUT, "'%s' holds no samples", path);
    if (!rc && in->counts->scored && in->unscored > 0)
        rc = allot_fail(err, ALLOT_EINPUT,
                        "'%s': %ld of %ld samples have no score, the others have "
                        "(score all, or none)",
                        path, in->unscored, in->counts->samples);
    if (!rc && in->counts->judged > 0 && in->counts->judged < in->counts->samples)
        rc = allot_fail(err, ALLOT_EINPUT,
                        "'%s': %ld of %ld samples do not tell whether they are "
                        "correct, the others do (judge all, or none)",
                        path, in->counts->samples - in->counts->judged, in->counts->samples);
    if (!rc) rc = allot_keyindex_build(&unique, in->keys, (size_t)in->counts->queries, path, err);
    if (!rc) rc = wanted_strategies(in, &r.strategies, err);
    if (!rc) rc = allot_journal_close(&in->journal, err);
    if (!rc) rc = allot_problems_commit(&in->problems, "allot-datasets", 0, inputs, err);
    if (!rc) rc = allot_rundir_save(run, &r, err);
    allot_keyindex_clear(&unique);
    allot_strategies_clear(&r.strategies);
    cJSON_Delete(r.hardware);
    return rc;
}

static allot_code import_open(importing *in, const char *path, allot_instream *f, const char *run,
                              allot_err *err)
{
    char *problems = allot_rundir_path(run, "problems.h5", err);
    char *journal = allot_rundir_path(run, "journal.jsonl", err);
    cJSON *fingerprint =
        in->s->fingerprint ? cJSON_Duplicate(in->s->fingerprint, 1) : cJSON_CreateObject();
    if (in->s->fingerprint == NULL) {
        cJSON_AddStringToObject(fingerprint, "imported", in->s->name);
    }
    allot_fingerprint_id(fingerprint, in->cfg);
    allot_code rc = problems && journal ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc) rc = allot_problems_create(problems, &in->problems, err);
    if (!rc) rc = allot_journal_open(journal, &in->journal, err);
    if (!rc) rc = read_lines(in, path, f, err);
    if (!rc) rc = finish(in, path, run, fingerprint, err);
    allot_problems_abort(&in->problems);
    allot_err ignored;
    if (in->journal && allot_journal_close(&in->journal, &ignored)) in->journal = NULL;
    if (rc && journal) unlink(journal);
    if (rc && problems) unlink(problems);
    if (rc) rmdir(run);
    cJSON_Delete(fingerprint);
    free(problems);
    free(journal);
    return rc;
}

allot_code allot_samples_import(const char *path, const char *run, const allot_samplesimport *s,
                                allot_samples_counts *counts, allot_err *err)
{
    importing in = {.s = s, .counts = counts};
    *counts = (allot_samples_counts){0};
    allot_instream *f;
    allot_code rc = allot_instream_open(path, &f, err);
    if (rc) return rc;
    if (mkdir(run, 0777) != 0)
        rc = allot_fail(err, ALLOT_EINPUT, "cannot make '%s': %m (give a run that does not exist)",
                        run);
    else if (!(rc = allot_interrupt_own(run, err))) rc = import_open(&in, path, f, run, err);
    allot_interrupt_disown(run);
    allot_instream_close(&f);
    free(in.keys);
    allot_buf_clear(&in.line);
    return rc;
}
