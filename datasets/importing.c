/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/importing.h"
#include <stdlib.h>
#include <string.h>
#include "grade/grade.h"
#include "liballot/mem.h"
#include "liballot/strategy.h"
#include "liballot/utf8.h"

/* ---- first pass: what decides about each row ---- */

typedef struct {
    allot_key key;
    uint64_t answer; /* hash of its canonical form; 0 = none */
    long line;
    long other; /* line of the row that it repeats; 0 = none */
    allot_fate fate;
} seen_row;

typedef struct {
    seen_row *at; /* [n] */
    size_t n, capacity;
    long lines, bad;
} first_pass;

static int reference_of(const allot_row *row, const char **answer, size_t *n)
{
    return allot_reference(row->text[ALLOT_COL_ANSWER], row->n[ALLOT_COL_ANSWER],
                           row->text[ALLOT_COL_SOLUTION], row->n[ALLOT_COL_SOLUTION], answer, n);
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

static allot_code remember(first_pass *p, const allot_row *row, allot_err *err)
{
    void *grown = p->at;
    allot_code rc = allot_mem_grow(&grown, &p->capacity, p->n + 1, sizeof *p->at, err);
    if (rc) return rc;
    p->at = grown;
    p->at[p->n++] = (seen_row){.key = row->key, .answer = hash_of_answer(row), .line = row->line};
    return ALLOT_OK;
}

static allot_code look(const char *input, const allot_import_settings *s, first_pass *p,
                       allot_err *err)
{
    allot_rowreader *r;
    const allot_row *row;
    allot_code rc = allot_rowreader_open(input, &s->rows, &r, err);
    if (rc) return rc;
    while (!(rc = allot_rowreader_next(r, &row, err)) && row)
        if ((rc = remember(p, row, err))) break;
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
    }
}

static void decide(first_pass *p, const allot_import_settings *s)
{
    qsort(p->at, p->n, sizeof *p->at, by_key_and_line);
    for (size_t first = 0, end; first < p->n; first = end) {
        for (end = first + 1; end < p->n && !allot_key_compare(&p->at[first].key, &p->at[end].key);)
            end++;
        decide_group(&p->at[first], end - first);
    }
    qsort(p->at, p->n, sizeof *p->at, by_line);
    long written = 0;
    for (size_t i = 0; i < p->n; i++) {
        seen_row *row = &p->at[i];
        if (row->fate) continue;
        if (!row->answer && !s->keep_unanswered) row->fate = ALLOT_FATE_UNANSWERED;
        else if (s->limit && written == s->limit) row->fate = ALLOT_FATE_LIMIT;
        else written++;
    }
}

/* ---- second pass ---- */

static void keep_start(char *to, const char *text, size_t n)
{
    if (n >= ALLOT_EXAMPLE_BYTES) n = ALLOT_EXAMPLE_BYTES - 1;
    n = allot_utf8_valid(text, n);
    memcpy(to, text, n);
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
            counts->example[row->fate][k] =
                (allot_import_example){.line = row->line, .other = row->other};
        keep[row->line] = row->fate == ALLOT_FATE_WRITTEN || example;
    }
}

static void add_example(const allot_row *row, allot_import_counts *counts, allot_fate fate)
{
    for (int k = 0; k < ALLOT_IMPORT_EXAMPLES; k++)
        if (counts->example[fate][k].line == row->line)
            keep_start(counts->example[fate][k].problem, row->text[ALLOT_COL_PROBLEM],
                       row->n[ALLOT_COL_PROBLEM]);
}

/* The reference answer stands in the answer column even when it had to be taken from the solution.
 */
static allot_code write_row(allot_problems_writer *w, const allot_row *row, allot_err *err)
{
    const char *text[ALLOT_N_COLS];
    size_t n[ALLOT_N_COLS];
    memcpy(text, row->text, sizeof text);
    memcpy(n, row->n, sizeof n);
    reference_of(row, &text[ALLOT_COL_ANSWER], &n[ALLOT_COL_ANSWER]);
    return allot_problems_add(w, &row->key, text, n, err);
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
    again.quiet = 1;
    again.keep = keep;
    again.n_keep = p->lines + 1;
    long wanted = counts->n[ALLOT_FATE_WRITTEN];
    allot_code rc = allot_rowreader_open(input, &again, &r, err);
    if (rc) return rc;
    while (!(rc = allot_rowreader_next(r, &row, err)) && row) {
        while (seen < end && seen->line < row->line)
            seen++;
        if (seen == end || allot_key_compare(&seen->key, &row->key)) rc = changed(input, err);
        else if (seen->fate) add_example(row, counts, seen->fate);
        else if (!(rc = write_row(w, row, err))) wanted--;
        if (rc) break;
    }
    allot_rowreader_close(&r);
    return rc || !wanted ? rc : changed(input, err);
}

static allot_code none_left(const char *input, const allot_import_counts *c, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT,
                      "'%s': no problem is left (%ld without a usable answer, "
                      "%ld contradict each other)",
                      input, c->n[ALLOT_FATE_UNANSWERED], c->n[ALLOT_FATE_CONTRADICTION]);
}

allot_code allot_import(const char *input, const char *output, const allot_import_settings *s,
                        allot_import_counts *counts, allot_err *err)
{
    first_pass p = {0};
    allot_problems_writer *w = NULL;
    unsigned char *keep = NULL;
    const char *inputs[] = {input, NULL};
    *counts = (allot_import_counts){0};
    allot_code rc = look(input, s, &p, err);
    if (!rc && !(keep = allot_mem_array((size_t)p.lines + 1, 1, err))) rc = ALLOT_ERUNTIME;
    if (!rc) {
        decide(&p, s);
        count(&p, counts, keep);
        counts->lines = p.lines;
        counts->bad = p.bad;
        if (counts->n[ALLOT_FATE_WRITTEN] == 0) rc = none_left(input, counts, err);
    }
    if (!rc) rc = allot_problems_create(output, &w, err);
    if (!rc) rc = write_rows(input, s, &p, keep, w, counts, err);
    if (!rc) rc = allot_problems_commit(&w, "allot-datasets", 0, inputs, err);
    allot_problems_abort(&w);
    free(p.at);
    free(keep);
    return rc;
}

/* ---- the report ---- */

const char *allot_fate_name(allot_fate f)
{
    static const char *const names[ALLOT_N_FATES] = {"written", "duplicates", "contradictions",
                                                     "unanswered", "behind_limit"};
    return names[f];
}

static void add_examples(cJSON *out, allot_fate f, const allot_import_counts *c)
{
    cJSON *list = cJSON_AddArrayToObject(out, allot_fate_name(f));
    for (int k = 0; k < ALLOT_IMPORT_EXAMPLES && c->example[f][k].line; k++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddItemToArray(list, o);
        cJSON_AddNumberToObject(o, "line", (double)c->example[f][k].line);
        if (c->example[f][k].other)
            cJSON_AddNumberToObject(o, "as_line", (double)c->example[f][k].other);
        cJSON_AddStringToObject(o, "problem", c->example[f][k].problem);
    }
}

cJSON *allot_import_report(const allot_import_counts *c)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "lines", (double)c->lines);
    cJSON_AddNumberToObject(o, "bad", (double)c->bad);
    for (int f = 0; f < ALLOT_N_FATES; f++)
        cJSON_AddNumberToObject(o, allot_fate_name((allot_fate)f), (double)c->n[f]);
    cJSON *examples = cJSON_AddObjectToObject(o, "examples");
    for (int f = 1; f < ALLOT_FATE_LIMIT; f++)
        if (c->n[f]) add_examples(examples, (allot_fate)f, c);
    return o;
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
