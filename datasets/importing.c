/* SPDX-License-Identifier: Apache-2.0 */
/* First reading: hashes and what becomes of each row; second reading: the rows that stay are
 * written. */
#include "datasets/importing.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/core/rng.h"
#include "datasets/textkinds.h"
#include "datasets/textlist.h"
#include "lib/extract/extract.h"
#include "liballot/features.h"
#include "liballot/mem.h"
#include "liballot/strategy.h"
#include "liballot/utf8.h"

enum { STREAM = 0x696d7074 }; /* "impt" */

/* ---- first pass: what decides about each row ---- */

typedef struct {
    allot_key key;
    uint64_t text;   /* hash of the problem, cheaper than the key */
    uint64_t answer; /* hash of its canonical form; 0 = none */
    long line;
    long other;       /* line of the row that it is like; 0 = none */
    float similarity; /* to that one */
    uint8_t fate;     /* allot_fate: of this row's own text, at first */
} seen_row;

typedef struct {
    seen_row *at; /* [n] */
    size_t n, capacity;
    allot_textlist texts; /* where they are needed; line: which row of at */
    long lines, bad;
} first_pass;

static int reference_of(const allot_row *row, const char **answer, size_t *n)
{
    return allot_reference(row->text[ALLOT_COL_ANSWER], row->n[ALLOT_COL_ANSWER],
                           row->text[ALLOT_COL_SOLUTION], row->n[ALLOT_COL_SOLUTION], answer, n);
}

static uint64_t hash_of_problem(const allot_row *row)
{
    return allot_fnv1a(ALLOT_FNV_START, row->text[ALLOT_COL_PROBLEM], row->n[ALLOT_COL_PROBLEM]);
}

static uint64_t hash_of_answer(const allot_row *row)
{
    char form[ALLOT_ANSWER_MAX + 1];
    const char *answer;
    size_t n;
    if (!reference_of(row, &answer, &n)) return 0;
    n = allot_canonical(answer, n, form, sizeof form);
    return allot_fnv1a(ALLOT_FNV_START, form, n) | 1;
}

/* What is to be said of the row alone; the first that holds, in the order of allot_fate. */
static allot_fate own_fate(const allot_import_settings *s, const allot_row *row, uint64_t answer)
{
    const char *text = row->text[ALLOT_COL_PROBLEM];
    size_t n = row->n[ALLOT_COL_PROBLEM];
    if (!answer && !s->keep_unanswered) return ALLOT_FATE_UNANSWERED;
    if (s->no_proofs && allot_text_is_proof(text, n)) return ALLOT_FATE_PROOF;
    if (s->no_choice && allot_text_is_choice(text, n)) return ALLOT_FATE_CHOICE;
    if (!s->min_length && !s->max_length) return ALLOT_FATE_WRITTEN;
    long length = (long)allot_features_codepoints(text, n);
    return length < s->min_length || (s->max_length && length > s->max_length) ? ALLOT_FATE_LENGTH
                                                                               : ALLOT_FATE_WRITTEN;
}

static int needs_texts(const allot_import_settings *s)
{
    return s->near > 0 || (s->against && s->against_near < 1);
}

static allot_code remember(const allot_import_settings *s, first_pass *p, const allot_row *row,
                           allot_err *err)
{
    void *grown = p->at;
    allot_code rc = allot_mem_grow(&grown, &p->capacity, p->n + 1, sizeof *p->at, err);
    if (rc) return rc;
    p->at = grown;
    uint64_t answer = hash_of_answer(row);
    p->at[p->n++] = (seen_row){.key = row->key,
                               .text = hash_of_problem(row),
                               .answer = answer,
                               .line = row->line,
                               .fate = (uint8_t)own_fate(s, row, answer)};
    if (!s->against && s->near == 0) return ALLOT_OK;
    return allot_textlist_add(&p->texts, &row->key, row->text[ALLOT_COL_PROBLEM],
                              row->n[ALLOT_COL_PROBLEM], (long)p->n - 1, needs_texts(s), err);
}

static allot_code look(const char *input, const allot_import_settings *s, first_pass *p,
                       allot_err *err)
{
    allot_rowreader *r;
    const allot_row *row;
    allot_code rc = allot_rowreader_open(input, &s->rows, &r, err);
    if (rc) return rc;
    while (!(rc = allot_rowreader_next(r, &row, err)) && row)
        if ((rc = remember(s, p, row, err))) break;
    if (!rc && !s->skip_bad) rc = allot_rowreader_check(r, err);
    p->lines = allot_rowreader_lines(r);
    p->bad = allot_rowreader_bad(r);
    allot_rowreader_close(&r);
    if (!rc && p->n == 0) rc = allot_fail(err, ALLOT_EINPUT, "'%s' holds no problems", input);
    return rc;
}

/* ---- what becomes of them ---- */

static int by_key_and_line(const void *a, const void *b)
{
    const seen_row *x = a, *y = b;
    int c = allot_key_compare(&x->key, &y->key);
    if (c) return c;
    return x->line < y->line ? -1 : x->line > y->line;
}

static int by_line(const void *a, const void *b)
{
    const seen_row *x = a, *y = b;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Rows [0, n) have the same text. */
static void decide_group(seen_row *row, size_t n)
{
    seen_row *best = row; /* the first with an answer, else the first */
    int contradict = 0;
    for (size_t i = 0; i < n; i++) {
        if (!best->answer && row[i].answer) best = &row[i];
        if (best->answer && row[i].answer && row[i].answer != best->answer) contradict = 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (&row[i] == best && !contradict) continue;
        row[i].fate = contradict ? ALLOT_FATE_CONTRADICTION : ALLOT_FATE_DUPLICATE;
        row[i].other = &row[i] != best ? best->line : row[n - 1].line;
        row[i].similarity = 1;
    }
}

static void decide_groups(first_pass *p)
{
    qsort(p->at, p->n, sizeof *p->at, by_key_and_line);
    for (size_t first = 0, end; first < p->n; first = end) {
        for (end = first + 1; end < p->n && !allot_key_compare(&p->at[first].key, &p->at[end].key);)
            end++;
        decide_group(&p->at[first], end - first);
    }
    qsort(p->at, p->n, sizeof *p->at, by_line); /* as it was: texts refer to it */
}

/* Leaves in texts only the rows that are still to be written. */
static void keep_undecided(first_pass *p)
{
    allot_textlist *t = &p->texts;
    long n = 0;
    for (long i = 0; i < t->n; i++) {
        if (p->at[t->line[i]].fate) continue;
        t->keys[n] = t->keys[i];
        t->line[n] = t->line[i];
        if (t->text) t->text[n] = t->text[i];
        n++;
    }
    t->n = n;
}

static allot_code leave_out_known(const allot_import_settings *s, first_pass *p, allot_err *err)
{
    char fields[256];
    allot_textlist known = {0};
    int n = snprintf(fields, sizeof fields, "%s|" ALLOT_PROBLEM_FIELDS,
                     s->rows.field[ALLOT_COL_PROBLEM]);
    if (n >= (int)sizeof fields)
        return allot_fail(err, ALLOT_EUSAGE, "--problem-field: longer than 200 bytes");
    allot_code rc = allot_textlist_load(s->against, fields, s->against_near < 1, &known, err);
    long *match = NULL;
    double *similarity = NULL;
    keep_undecided(p);
    if (!rc && (!(match = allot_mem_array((size_t)p->texts.n, sizeof *match, err)) ||
                !(similarity = allot_mem_array((size_t)p->texts.n, sizeof *similarity, err))))
        rc = ALLOT_ERUNTIME;
    if (!rc) rc = allot_textlist_match(&p->texts, &known, s->against_near, match, similarity, err);
    for (long i = 0; !rc && i < p->texts.n; i++) {
        seen_row *row = &p->at[p->texts.line[i]];
        if (match[i] < 0) continue;
        row->fate = ALLOT_FATE_CONTAMINATED;
        row->other = known.line[match[i]];
        row->similarity = (float)similarity[i];
    }
    free(match);
    free(similarity);
    allot_textlist_clear(&known);
    return rc;
}

static allot_code leave_out_near(const allot_import_settings *s, first_pass *p, allot_err *err)
{
    const allot_textlist *t = &p->texts;
    keep_undecided(p);
    long *near = allot_mem_array((size_t)t->n, sizeof *near, err);
    if (!near) return ALLOT_ERUNTIME;
    allot_code rc = allot_minhash_near(t->text, t->n, s->near, near, err);
    for (long i = 0; !rc && i < t->n; i++) {
        seen_row *row = &p->at[t->line[i]];
        if (near[i] < 0) continue;
        row->fate = ALLOT_FATE_NEAR;
        row->other = p->at[t->line[near[i]]].line;
        row->similarity = (float)allot_minhash_similarity(&t->text[i], &t->text[near[i]]);
    }
    free(near);
    return rc;
}

static int by_place(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Of the rows still to be written those of the lowest places stay: the first, or drawn ones. */
static allot_code apply_limit(first_pass *p, const allot_import_settings *s, allot_err *err)
{
    uint64_t *place = allot_mem_array(p->n, 2 * sizeof *place, err);
    size_t n = 0;
    if (!place) return ALLOT_ERUNTIME;
    uint64_t *sorted = place + p->n;
    for (size_t i = 0; i < p->n; i++) {
        uint64_t words[] = {(uint64_t)s->seed, STREAM, allot_key_u64(&p->at[i].key)};
        place[i] = s->shuffle ? allot_rng_mix(words, 3) : i;
        if (!p->at[i].fate) sorted[n++] = place[i];
    }
    qsort(sorted, n, sizeof *sorted, by_place);
    for (size_t i = 0; n > (size_t)s->limit && i < p->n; i++)
        if (!p->at[i].fate && place[i] > sorted[s->limit - 1]) p->at[i].fate = ALLOT_FATE_LIMIT;
    free(place);
    return ALLOT_OK;
}

static allot_code decide(first_pass *p, const allot_import_settings *s, allot_err *err)
{
    decide_groups(p);
    allot_code rc = s->against ? leave_out_known(s, p, err) : ALLOT_OK;
    if (!rc && s->near > 0) rc = leave_out_near(s, p, err);
    return !rc && s->limit ? apply_limit(p, s, err) : rc;
}

/* ---- second pass ---- */

void allot_example_text(const char *text, size_t n, char to[ALLOT_EXAMPLE_BYTES])
{
    if (n >= ALLOT_EXAMPLE_BYTES) n = ALLOT_EXAMPLE_BYTES - 1;
    n = allot_utf8_valid(text, n);
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i]; /* one line */
    to[n] = '\0';
}

/* Counts, and marks the lines that the second pass wants: rows to write and examples. */
static void count(const first_pass *p, allot_import_counts *counts, unsigned char *keep)
{
    for (size_t i = 0; i < p->n; i++) {
        const seen_row *row = &p->at[i];
        long k = counts->n[row->fate]++;
        int example = row->fate != ALLOT_FATE_WRITTEN && k < ALLOT_IMPORT_EXAMPLES;
        if (example)
            counts->example[row->fate][k] = (allot_import_example){
                .line = row->line, .other = row->other, .similarity = (double)row->similarity};
        keep[row->line] = row->fate == ALLOT_FATE_WRITTEN || example;
    }
}

static void add_example(const allot_row *row, allot_import_counts *counts, allot_fate fate)
{
    for (int k = 0; k < ALLOT_IMPORT_EXAMPLES; k++)
        if (counts->example[fate][k].line == row->line)
            allot_example_text(row->text[ALLOT_COL_PROBLEM], row->n[ALLOT_COL_PROBLEM],
                               counts->example[fate][k].problem);
}

/* The reference answer stands in the answer column even when it had to be taken from the solution.
 */
static allot_code write_row(allot_problems_writer *w, const allot_key *key, const allot_row *row,
                            allot_err *err)
{
    const char *text[ALLOT_N_COLS];
    size_t n[ALLOT_N_COLS];
    memcpy(text, row->text, sizeof text);
    memcpy(n, row->n, sizeof n);
    reference_of(row, &text[ALLOT_COL_ANSWER], &n[ALLOT_COL_ANSWER]);
    return allot_problems_add(w, key, text, n, err);
}

static allot_code changed(const char *input, allot_err *err)
{
    return allot_fail(err, ALLOT_EMISMATCH, "'%s' changed while it was read (import it again)",
                      input);
}

static allot_code write_rows(const char *input, const allot_import_settings *s, const first_pass *p,
                             const unsigned char *keep, allot_problems_writer *w,
                             allot_import_counts *counts, allot_err *err)
{
    allot_row_settings again = s->rows;
    allot_rowreader *r;
    const allot_row *row;
    const seen_row *seen = p->at, *end = p->at + p->n;
    again.quiet = again.no_key = 1;
    again.keep = keep;
    again.n_keep = p->lines + 1;
    long wanted = counts->n[ALLOT_FATE_WRITTEN];
    allot_code rc = allot_rowreader_open(input, &again, &r, err);
    if (rc) return rc;
    while (!(rc = allot_rowreader_next(r, &row, err)) && row) {
        while (seen < end && seen->line < row->line)
            seen++;
        if (seen == end || seen->text != hash_of_problem(row)) rc = changed(input, err);
        else if (seen->fate) add_example(row, counts, seen->fate);
        else if (!(rc = write_row(w, &seen->key, row, err))) wanted--;
        if (rc) break;
    }
    allot_rowreader_close(&r);
    return rc || !wanted ? rc : changed(input, err);
}

/* ---- the report ---- */

const char *allot_fate_name(allot_fate f)
{
    static const char *const names[ALLOT_N_FATES] = {
        "written", "duplicates", "contradictions", "unanswered",      "proofs",
        "choices", "lengths",    "contaminated",   "near_duplicates", "behind_limit"};
    return names[f];
}

static void add_examples(cJSON *out, allot_fate f, const allot_import_counts *c)
{
    cJSON *list = cJSON_AddArrayToObject(out, allot_fate_name(f));
    for (int k = 0; k < ALLOT_IMPORT_EXAMPLES && c->example[f][k].line; k++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddItemToArray(list, o);
        cJSON_AddNumberToObject(o, "line", (double)c->example[f][k].line);
        if (c->example[f][k].similarity > 0) {
            cJSON_AddNumberToObject(o, "as_line", (double)c->example[f][k].other);
            cJSON_AddNumberToObject(o, "similarity",
                                    round(1000 * c->example[f][k].similarity) / 1000);
        }
        cJSON_AddStringToObject(o, "problem", c->example[f][k].problem);
    }
}

static cJSON *counts_only(const allot_import_counts *c)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "lines", (double)c->lines);
    cJSON_AddNumberToObject(o, "bad", (double)c->bad);
    for (int f = 0; f < ALLOT_N_FATES; f++)
        cJSON_AddNumberToObject(o, allot_fate_name((allot_fate)f), (double)c->n[f]);
    return o;
}

cJSON *allot_import_report(const allot_import_counts *c)
{
    cJSON *o = counts_only(c);
    cJSON *examples = cJSON_AddObjectToObject(o, "examples");
    for (int f = 1; f < ALLOT_FATE_LIMIT; f++)
        if (c->n[f]) add_examples(examples, (allot_fate)f, c);
    return o;
}

/* The file says of itself what was left out. */
static allot_code note_counts(allot_problems_writer *w, const allot_import_counts *c,
                              allot_err *err)
{
    cJSON *o = counts_only(c);
    allot_code rc = allot_problems_note(w, "import", o, err);
    cJSON_Delete(o);
    return rc;
}

/* ---- both passes ---- */

static allot_code none_left(const char *input, const allot_import_counts *c, allot_err *err)
{
    char why[256] = "";
    size_t n = 0;
    for (int f = 1; f < ALLOT_N_FATES && n < sizeof why; f++)
        if (c->n[f])
            n += (size_t)snprintf(why + n, sizeof why - n, "%s%s: %ld", n ? ", " : "",
                                  allot_fate_name((allot_fate)f), c->n[f]);
    return allot_fail(err, ALLOT_EINPUT, "'%s': no problem is left (%s)", input, why);
}

allot_code allot_import(const char *input, const char *output, const allot_import_settings *s,
                        allot_import_counts *counts, allot_err *err)
{
    first_pass p = {0};
    allot_problems_writer *w = NULL;
    unsigned char *keep = NULL;
    const char *inputs[] = {input, s->against, NULL};
    struct stat st;
    *counts = (allot_import_counts){0};
    if (stat(input, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return allot_fail(err, ALLOT_EUSAGE,
                          "'%s' is no file, and an import reads it twice "
                          "(save it first)",
                          input);
    allot_code rc = look(input, s, &p, err);
    if (!rc && !(keep = allot_mem_array((size_t)p.lines + 1, 1, err))) rc = ALLOT_ERUNTIME;
    if (!rc) {
        rc = decide(&p, s, err);
        count(&p, counts, keep);
        counts->lines = p.lines;
        counts->bad = p.bad;
        if (!rc && counts->n[ALLOT_FATE_WRITTEN] == 0) rc = none_left(input, counts, err);
    }
    if (!rc) rc = allot_problems_create(output, &w, err);
    if (!rc) rc = write_rows(input, s, &p, keep, w, counts, err);
    if (!rc) rc = note_counts(w, counts, err);
    if (!rc) rc = allot_problems_commit(&w, "allot-datasets", 0, inputs, err);
    allot_problems_abort(&w);
    allot_textlist_clear(&p.texts);
    free(p.at);
    free(keep);
    return rc;
}

/* ---- keys only ---- */

allot_code allot_import_keys(const char *input, const allot_row_settings *s, allot_key **keys,
                             long *n, allot_err *err)
{
    const allot_row_settings problems = {.field = {s->field[ALLOT_COL_PROBLEM]}, .quiet = 1};
    allot_rowreader *r;
    const allot_row *row;
    size_t capacity = 0;
    void *grown = NULL;
    *keys = NULL;
    *n = 0;
    allot_code rc = allot_rowreader_open(input, &problems, &r, err);
    if (rc) return rc;
    while (!(rc = allot_rowreader_next(r, &row, err)) && row) {
        rc = allot_mem_grow(&grown, &capacity, (size_t)*n + 1, sizeof **keys, err);
        *keys = grown;
        if (rc) break;
        (*keys)[(*n)++] = row->key;
    }
    if (!rc) rc = allot_rowreader_check(r, err);
    allot_rowreader_close(&r);
    return rc;
}
