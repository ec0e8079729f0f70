/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/labels/graded.h"
#include "lib/core/buf.h"
#include "lib/store/fingerprint.h"
#include "lib/store/journal.h"
#include "lib/core/options.h"
#include "lib/store/record.h"
#include "lib/methods/methods.h"
#include "lib/extract/gradeoptions.h"
#include "liballot/mem.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_BYTES = 300 }; /* of a text and of an answer, for people */

typedef struct {
    allot_graded *g;
    const allot_problems *problems;
    const allot_graded_options *options;
    allot_keyindex index;     /* of all problems */
    long *graded_row;         /* [problems] row in g, -1 = no usable reference */
    allot_strategy *searches; /* [B] final = best */
    allot_soft *soft;
    const char *path;
    allot_buf line; /* of the answers' file */
    char cfg[17];
} reading;

static void reference_of(const allot_problems *p, long row, const char **text, size_t *n, int *ok)
{
    size_t n_answer, n_solution;
    const char *answer = allot_strings_at(&p->col[ALLOT_COL_ANSWER], row, &n_answer);
    const char *solution = allot_strings_at(&p->col[ALLOT_COL_SOLUTION], row, &n_solution);
    *ok = allot_reference(answer, n_answer, solution, n_solution, text, n);
}

/* An answer of a text as the graded data keep it: hashes for equality of text and of class. */
static allot_extract_how read_answer(const reading *in, const allot_generation *gen,
                                     uint64_t *answer, uint64_t *cls, const char **text, size_t *n)
{
    char canonical[ALLOT_ANSWER_MAX];
    *answer = *cls = 0;
    allot_extract_how how = allot_extract(gen->text, gen->n, &in->options->grade, text, n);
    size_t length = how ? allot_canonical(*text, *n, canonical, sizeof canonical) : 0;
    if (length == 0) return ALLOT_EXTRACT_NONE;
    *answer = allot_fnv1a(ALLOT_FNV_START, *text, *n) | 1; /* never 0 */
    *cls = allot_fnv1a(ALLOT_FNV_START, canonical, length) | 1;
    return how;
}

static int answer_is_right(const reading *in, long q, const char *text, size_t n)
{
    const char *reference;
    size_t n_reference;
    int ok;
    reference_of(in->problems, in->g->row[q], &reference, &n_reference, &ok);
    return ok && allot_answers_equal(reference, n_reference, text, n, &in->options->grade);
}

/* Most samples of a query repeat an answer: each text is compared with the reference once. */
static int sample_is_right(const reading *in, long q, uint64_t answer, const char *text, size_t n)
{
    const allot_graded_sample *pool = allot_graded_pool(in->g, q);
    for (int i = 0; i < in->g->pool; i++)
        if (pool[i].present && pool[i].answer == answer) return pool[i].right;
    return answer_is_right(in, q, text, n);
}

/* Whoever drew the sample judged it. Answers vote together if they are judged alike and equal, as
 * text where they are no mathematics. */
static void take_judgement(allot_graded_sample *s, const allot_generation *gen)
{
    if (s->cls == 0) s->cls = allot_fnv1a(ALLOT_FNV_START, gen->text, gen->n);
    s->right = gen->judged == 1;
    s->cls = allot_fnv1a(s->cls, &s->right, sizeof s->right) | 1;
    s->answer = s->cls;
}

/* A line of the answers' file: which text, how its answer was found, what it is, whether it is
 * right. Errors of the file are its owner's to find. */
static void tell(reading *in, const allot_record *r, const char *source, allot_extract_how how,
                 const char *text, size_t n, int right)
{
    char hex[65];
    allot_buf *line = &in->line;
    if (!in->options->answers) return;
    allot_key_hex(&r->key, hex);
    allot_buf_reset(line);
    allot_buf_printf(line, "{\"key\":\"%s\",\"source\":", hex);
    allot_buf_json(line, source, strlen(source));
    allot_buf_printf(line, ",\"run\":%d,\"slot\":%d,\"way\":\"%s\",\"answer\":", r->run, r->slot,
                     allot_extract_name(how));
    if (how) allot_buf_json(line, text, n);
    else allot_buf_str(line, "null");
    allot_buf_printf(line, ",\"right\":%s}\n", right ? "true" : "false");
    if (!line->failed) fwrite(line->at, 1, line->n, in->options->answers);
}

static char **example_of(const reading *in, int row, int right)
{
    return &in->g->examples[2 * row + (right != 0)];
}

/* The first text of a strategy that was wrong, and that was right, with what was made of it. Its
 * end is shown: there the answer is. */
static void keep_example(const reading *in, long q, char **kept, const allot_generation *gen,
                         allot_extract_how how, const char *answer, size_t n)
{
    size_t from = gen->n > SHOWN_BYTES ? gen->n - SHOWN_BYTES : 0, n_reference;
    const char *reference;
    int ok;
    allot_buf b = {0};
    if (*kept) return;
    while (from < gen->n && ((unsigned char)gen->text[from] & 0xc0) == 0x80)
        from++;
    reference_of(in->problems, in->g->row[q], &reference, &n_reference, &ok);
    allot_buf_printf(&b, "the text %s", from ? "ends " : "");
    allot_buf_json(&b, gen->text + from, gen->n - from);
    allot_buf_printf(&b, ", what was read in it is %s", how ? "" : "nothing");
    if (how) allot_buf_json(&b, answer, n < SHOWN_BYTES ? n : SHOWN_BYTES);
    if (how) allot_buf_printf(&b, " (%s)", allot_extract_name(how));
    allot_buf_str(&b, ", the reference is ");
    if (ok) allot_buf_json(&b, reference, n_reference < SHOWN_BYTES ? n_reference : SHOWN_BYTES);
    else allot_buf_str(&b, "missing");
    *kept = b.at;
}

static void add_sample(reading *in, long q, const allot_record *r)
{
    allot_graded_sample *s = &in->g->samples[q * in->g->pool + r->slot];
    allot_graded_counts *c = &in->g->counts;
    const char *text;
    size_t n;
    if (s->present) {
        c->n_duplicates++;
        return;
    }
    allot_extract_how how = read_answer(in, &r->gen[0], &s->answer, &s->cls, &text, &n);
    if (r->gen[0].judged) take_judgement(s, &r->gen[0]);
    else s->right = how && sample_is_right(in, q, s->answer, text, n);
    s->present = 1;
    s->n_tokens = (double)r->n_tokens;
    s->seconds = r->seconds;
    c->n_samples++;
    c->n_timed += !isnan(r->seconds);
    c->how[how]++;
    allot_cuts_add(&c->cuts, r);
    c->n_cut += r->gen[0].finish == ALLOT_FINISH_LENGTH;
    tell(in, r, r->source, how, text, n, s->right);
    keep_example(in, q, example_of(in, in->g->set->count, s->right), &r->gen[0], how, text, n);
}

static void add_score(reading *in, long q, const allot_record *r)
{
    allot_graded_sample *s = &in->g->samples[q * in->g->pool + r->slot];
    if (s->scored) {
        in->g->counts.n_duplicates++;
        return;
    }
    s->scored = 1;
    in->g->counts.n_prm_cut += r->gen[0].prm_truncated != 0;
    for (int a = 0; a < ALLOT_N_AGGS; a++)
        s->score[a] = allot_aggregate(r->gen[0].scores, r->gen[0].n_scores, (allot_agg)a);
}

/* The paper's label: bootstraps of the finished beams of one run. */
static allot_code search_paper(reading *in, long q, int strategy, const allot_record *r,
                               allot_err *err)
{
    const allot_strategy *s = &in->g->set->at[strategy];
    float *out = &in->g->search_paper[q * in->g->set->count + strategy];
    int n = r->n_gen < s->n ? r->n_gen : s->n, n_classes = 0;
    *out = 0;
    if (n == 0) return ALLOT_OK;
    int cls[ALLOT_MAX_N];
    unsigned char right[ALLOT_MAX_N];
    uint64_t hash[ALLOT_MAX_N];
    double score[ALLOT_MAX_N];
    for (int i = 0; i < n; i++) {
        uint64_t answer, c;
        const char *text;
        size_t len;
        const allot_generation *gen = &r->gen[i];
        score[i] = gen->n_scores ? allot_aggregate(gen->scores, gen->n_scores, s->agg) : -INFINITY;
        cls[i] = -1;
        if (!read_answer(in, gen, &answer, &c, &text, &len)) continue;
        for (cls[i] = 0; cls[i] < n_classes && hash[cls[i]] != c;)
            cls[i]++;
        if (cls[i] == n_classes) {
            hash[n_classes] = c;
            right[n_classes++] = (unsigned char)answer_is_right(in, q, text, len);
        }
    }
    allot_pool pool = {n, cls, n_classes, right, score};
    allot_soft_stream stream = {in->options->seed, allot_key_u64(&r->key),
                                allot_fnv1a(ALLOT_FNV_START, r->source, strlen(r->source))};
    allot_soft_label label;
    allot_code code =
        allot_soft_paper(in->soft, &pool, allot_method_vote(s), n, &stream, &label, err);
    *out = (float)label.accuracy;
    return code;
}

/* One run of a search answers for every strategy that differs in its final rule only. */
static allot_code add_search(reading *in, long q, int search, const allot_record *r, allot_err *err)
{
    allot_graded *g = in->g;
    allot_graded_run *run = &g->searches[(q * g->n_searches + search) * g->runs + r->run];
    if (run->present) {
        g->counts.n_duplicates++;
        return ALLOT_OK;
    }
    *run = (allot_graded_run){(double)r->n_tokens, 1};
    allot_cuts_add(&g->counts.cuts, r);
    for (int s = 0; s < g->set->count; s++) {
        if (g->search_of[s] != search) continue;
        int picked = allot_pick(&g->set->at[s], r->gen, r->n_gen, &in->options->grade);
        char strategy[ALLOT_STRATEGY_TEXT];
        uint64_t answer, cls;
        const char *text = "";
        size_t n = 0;
        allot_extract_how how = picked < 0
                                    ? ALLOT_EXTRACT_NONE
                                    : read_answer(in, &r->gen[picked], &answer, &cls, &text, &n);
        int right = how && answer_is_right(in, q, text, n);
        allot_strategy_print(&g->set->at[s], strategy);
        tell(in, r, strategy, how, text, n, right);
        if (picked >= 0)
            keep_example(in, q, example_of(in, s, right), &r->gen[picked], how, text, n);
        g->search_right[(q * g->set->count + s) * g->runs + r->run] = (unsigned char)right;
        allot_code code = ALLOT_OK;
        if (in->options->paper && r->run == 0) code = search_paper(in, q, s, r, err);
        if (code) return code;
    }
    return ALLOT_OK;
}

static int find_search(const reading *in, const char *source)
{
    allot_strategy s;
    if (allot_strategy_parse(source, &s, NULL)) return -1;
    s = allot_strategy_source(&s);
    for (int b = 0; b < in->g->n_searches; b++)
        if (allot_strategy_same(&s, &in->searches[b])) return b;
    return -1;
}

static allot_code add_record(reading *in, const allot_record *r, allot_err *err)
{
    allot_graded *g = in->g;
    if (r->type == ALLOT_REC_ERROR) {
        g->counts.n_errors++;
        return ALLOT_OK;
    }
    long row = allot_keyindex_find(&in->index, &r->key), q = row < 0 ? -1 : in->graded_row[row];
    if (row >= 0 && q < 0) return ALLOT_OK; /* no reference: its query is counted */
    int pooled = r->type == ALLOT_REC_SAMPLE || r->type == ALLOT_REC_SCORE;
    int search = r->type == ALLOT_REC_BEAM ? find_search(in, r->source) : -1;
    if (q >= 0 && pooled && r->slot < g->pool)
        r->type == ALLOT_REC_SAMPLE ? add_sample(in, q, r) : add_score(in, q, r);
    else if (q >= 0 && search >= 0 && r->run < g->runs) return add_search(in, q, search, r, err);
    else g->counts.n_outside++;
    return ALLOT_OK;
}

static allot_code read_line(const char *line, size_t n, long number, void *user, allot_err *err)
{
    reading *in = user;
    char where[512];
    allot_record r = {0};
    if (allot_interrupted())
        return allot_fail(err, ALLOT_EINTR, "interrupted; nothing was written");
    snprintf(where, sizeof where, "line %ld of '%.400s'", number, in->path);
    allot_code code = allot_record_parse(line, n, where, &r, err);
    if (code) return code;
    in->g->counts.n_lines++;
    allot_record_texts(&r, line, n);
    if (strcmp(r.cfg, in->cfg) != 0)
        code = allot_fail(err, ALLOT_EMISMATCH,
                          "%s: made with other settings than the manifest's "
                          "(fingerprint %s, not %s; a run directory holds one set of settings)",
                          where, r.cfg, in->cfg);
    else code = add_record(in, &r, err);
    allot_record_clear(&r);
    return code;
}

/* Which problems are graded: those with a reference that can be read, or all when they come judged.
 */
static allot_code choose_rows(reading *in, int judged, allot_err *err)
{
    const allot_problems *p = in->problems;
    allot_graded *g = in->g;
    g->row = allot_mem_array((size_t)p->n, sizeof *g->row, err);
    in->graded_row = allot_mem_array((size_t)p->n, sizeof *in->graded_row, err);
    if (!g->row || !in->graded_row) return ALLOT_ERUNTIME;
    for (long i = 0; i < p->n; i++) {
        const char *text;
        size_t n;
        int ok;
        reference_of(p, i, &text, &n, &ok);
        ok |= judged;
        in->graded_row[i] = ok ? g->n : -1;
        if (ok) g->row[g->n++] = i;
    }
    g->counts.n_no_reference = p->n - g->n;
    return ALLOT_OK;
}

static allot_code list_searches(reading *in, allot_err *err)
{
    allot_graded *g = in->g;
    g->search_of = allot_mem_array((size_t)g->set->count, sizeof *g->search_of, err);
    in->searches = allot_mem_array((size_t)g->set->count, sizeof *in->searches, err);
    if (!g->search_of || !in->searches) return ALLOT_ERUNTIME;
    for (int s = 0; s < g->set->count; s++) {
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&g->set->at[s], text);
        g->search_of[s] = find_search(in, text);
        if (allot_strategy_kind(&g->set->at[s]) == ALLOT_SEARCH && g->search_of[s] < 0) {
            g->search_of[s] = g->n_searches;
            in->searches[g->n_searches++] = allot_strategy_source(&g->set->at[s]);
        }
    }
    return ALLOT_OK;
}

static allot_code allocate(allot_graded *g, int paper, allot_err *err)
{
    size_t q = (size_t)g->n, s = (size_t)g->set->count, r = (size_t)g->runs;
    g->samples = allot_mem_array(q, (size_t)g->pool * sizeof *g->samples, err);
    g->searches = allot_mem_array(q, (size_t)g->n_searches * r * sizeof *g->searches, err);
    g->search_right = allot_mem_array(q, s * r, err);
    g->examples = allot_mem_array(2 * (s + 1), sizeof *g->examples, err);
    g->search_paper = allot_mem_array(paper ? q * s : 0, sizeof *g->search_paper, err);
    if (!g->samples || !g->searches || !g->search_right || !g->examples || !g->search_paper)
        return ALLOT_ERUNTIME;
    for (size_t i = 0; paper && i < q * s; i++)
        g->search_paper[i] = NAN;
    return ALLOT_OK;
}

allot_code allot_graded_load(const char *run_dir, const allot_rundir *manifest,
                             const allot_problems *problems, const allot_strategies *set,
                             const allot_graded_options *options, allot_graded *out, allot_err *err)
{
    *out = (allot_graded){.pool = manifest->pool, .runs = manifest->runs, .set = set};
    reading in = {.g = out, .problems = problems, .options = options};
    char *path = allot_rundir_path(run_dir, "journal.jsonl", err);
    in.path = path;
    allot_rundir_cfg(manifest, in.cfg);
    allot_cuts_settings(&out->counts.cuts, manifest->fingerprint);
    allot_code code = path ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!code) code = allot_soft_new(&in.soft, err);
    if (!code)
        code = allot_keyindex_build(&in.index, problems->keys, (size_t)problems->n, run_dir, err);
    if (!code) code = choose_rows(&in, manifest->judged, err);
    if (!code) code = list_searches(&in, err);
    if (!code) code = allocate(out, options->paper, err);
    if (!code) code = allot_journal_read(path, read_line, &in, &out->counts.torn, err);
    allot_keyindex_clear(&in.index);
    allot_soft_free(in.soft);
    free(in.graded_row);
    free(in.searches);
    free(path);
    if (!code) code = allot_buf_check(&in.line, err);
    allot_buf_clear(&in.line);
    if (code) allot_graded_clear(out);
    return code;
}

void allot_graded_clear(allot_graded *g)
{
    free(g->row);
    free(g->search_of);
    free(g->samples);
    free(g->searches);
    free(g->search_right);
    free(g->search_paper);
    for (int i = 0; g->examples && i < 2 * (g->set->count + 1); i++)
        free(g->examples[i]);
    free(g->examples);
    memset(g, 0, sizeof *g);
}
