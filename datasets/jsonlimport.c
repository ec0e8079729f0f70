/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/jsonlimport.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/json.h"
#include "core/log.h"
#include "grade/grade.h"
#include "liballot/mem.h"
#include "liballot/strategy.h"

allot_code allot_import_preset(const char *name, allot_import_settings *out, allot_err *err)
{
    static const struct {
        const char *name, *field[ALLOT_N_COLS];
        int gsm8k;
    } presets[] = {
        /* problem, answer, solution, source, level, id */
        {"jsonl", {"problem|question", "answer", "solution", "source", "level", "id|unique_id"}, 0},
        {"gsm8k", {"question", "answer", "answer", NULL, NULL, NULL}, 1},
        {"math", {"problem", NULL, "solution", "type", "level", NULL}, 0},
        {"math500", {"problem", "answer", "solution", "subject", "level", "unique_id"}, 0},
        {"aime", {"Problem", "Answer", "Solution", NULL, NULL, "ID"}, 0},
        {"numina", {"problem", NULL, "solution", "source", NULL, NULL}, 0}};
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (strcmp(presets[i].name, name) != 0) continue;
        *out = (allot_import_settings){.gsm8k = presets[i].gsm8k};
        memcpy(out->field, presets[i].field, sizeof out->field);
        return ALLOT_OK;
    }
    return allot_fail(err, ALLOT_EUSAGE,
                      "--preset: '%s' is none of jsonl, gsm8k, math, math500, aime, numina", name);
}

/* ---- one row ---- */

typedef struct {
    cJSON *object;                  /* owned */
    const char *text[ALLOT_N_COLS]; /* borrowed from object, or from number */
    size_t n[ALLOT_N_COLS];
    char number[ALLOT_N_COLS][32]; /* numeric fields as text */
    allot_key key;
} row;

static const cJSON *find_field(const cJSON *object, const char *names)
{
    while (names) {
        char one[64];
        size_t n = strcspn(names, "|");
        if (n >= sizeof one) return NULL;
        memcpy(one, names, n);
        one[n] = '\0';
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, one);
        if (v && !cJSON_IsNull(v)) return v;
        names = names[n] ? names + n + 1 : NULL;
    }
    return NULL;
}

static allot_code read_field(row *r, int c, const cJSON *v, const char *where, allot_err *err)
{
    if (cJSON_IsString(v)) {
        r->text[c] = v->valuestring;
    } else if (cJSON_IsNumber(v)) {
        snprintf(r->number[c], sizeof r->number[c], "%.15g", v->valuedouble);
        r->text[c] = r->number[c];
    } else {
        return allot_fail(err, ALLOT_EINPUT, "%s: \"%s\" is neither text nor a number", where,
                          v->string);
    }
    r->n[c] = strlen(r->text[c]);
    return ALLOT_OK;
}

/* GSM8K ends its solutions in "#### 42". */
static void gsm8k_answer(row *r)
{
    const char *at = r->text[ALLOT_COL_ANSWER], *mark = NULL;
    for (const char *s = at; s && (s = strstr(s, "####")); s += 4)
        mark = s;
    r->text[ALLOT_COL_ANSWER] = mark ? mark + 4 : "";
    while (*r->text[ALLOT_COL_ANSWER] == ' ')
        r->text[ALLOT_COL_ANSWER]++;
    r->n[ALLOT_COL_ANSWER] = strlen(r->text[ALLOT_COL_ANSWER]);
}

static allot_code read_row(const char *line, size_t n, const char *where,
                           const allot_import_settings *s, row *r, allot_err *err)
{
    allot_code rc = allot_json_parse(line, n, where, &r->object, err);
    if (rc) return rc;
    if (!cJSON_IsObject(r->object))
        return allot_fail(err, ALLOT_EINPUT, "%s: not a JSON object", where);
    for (int c = 0; c < ALLOT_N_COLS && !rc; c++) {
        const cJSON *v = find_field(r->object, s->field[c]);
        r->text[c] = "";
        if (v) rc = read_field(r, c, v, where, err);
    }
    if (rc) return rc;
    if (r->n[ALLOT_COL_PROBLEM] == 0)
        return allot_fail(err, ALLOT_EINPUT,
                          "%s: no field \"%s\" with a problem in it (name it "
                          "with --problem-field)",
                          where, s->field[ALLOT_COL_PROBLEM]);
    if (s->gsm8k) gsm8k_answer(r);
    rc = allot_key_of_text(r->text[ALLOT_COL_PROBLEM], r->n[ALLOT_COL_PROBLEM], &r->key, err);
    return rc ? allot_fail_in(err, "%s", where) : ALLOT_OK;
}

/* The reference answer replaces the answer column when it had to be taken from the solution. */
static int has_reference(row *r)
{
    const char *start;
    size_t n;
    if (!allot_reference(r->text[ALLOT_COL_ANSWER], r->n[ALLOT_COL_ANSWER],
                         r->text[ALLOT_COL_SOLUTION], r->n[ALLOT_COL_SOLUTION], &start, &n))
        return 0;
    r->text[ALLOT_COL_ANSWER] = start;
    r->n[ALLOT_COL_ANSWER] = n;
    return 1;
}

/* ---- the file, line by line ---- */

typedef allot_code (*row_fn)(row *r, long row_number, void *user, allot_err *err);

static allot_code one_line(const char *line, size_t n, const char *where,
                           const allot_import_settings *s, row_fn f, long number, void *user,
                           allot_err *err)
{
    row r = {0};
    allot_code rc = read_row(line, n, where, s, &r, err);
    if (!rc) rc = f(&r, number, user, err);
    cJSON_Delete(r.object);
    return rc;
}

/* Length of the next line without its end, or -1 at the end of the file. A line is bounded before
 * it is held in memory whole. */
static ssize_t next_line(FILE *file, char **line, size_t *room, const char *where, allot_err *err)
{
    size_t n = 0;
    int c;
    while ((c = getc_unlocked(file)) != EOF && c != '\n') {
        void *p = *line;
        if (n >= ALLOT_IMPORT_MAX_LINE) {
            allot_fail(err, ALLOT_EINPUT, "%s: longer than %ld bytes", where,
                       ALLOT_IMPORT_MAX_LINE);
            return -2;
        }
        if (n + 1 >= *room && allot_mem_grow(&p, room, n + 2, 1, err)) return -2;
        *line = p;
        (*line)[n++] = (char)c;
    }
    if (c == EOF && n == 0) return -1;
    if (n && (*line)[n - 1] == '\r') n--;
    return (ssize_t)n;
}

/* Calls f for every good row. Bad lines: the first stops the import, or all are counted. */
static allot_code for_each_row(const char *path, const allot_import_settings *s, row_fn f,
                               void *user, long *lines, long *bad, int show, allot_err *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s", path, strerror(errno));
    char *line = NULL, where[320];
    size_t room = 0;
    ssize_t n;
    long number = 0;
    allot_code rc = ALLOT_OK;
    *bad = 0;
    while (!rc) {
        snprintf(where, sizeof where, "line %ld of '%.250s'", ++number, path);
        n = next_line(file, &line, &room, where, err);
        if (n == -1) break;
        if (n == -2) rc = err->code; /* not even its end was found: cannot be skipped */
        else if (n == 0 || strspn(line, " \t") >= (size_t)n) continue;
        else rc = one_line(line, (size_t)n, where, s, f, number, user, err);
        if (rc != ALLOT_EINPUT || n == -2) continue;
        if (++*bad <= 5 && show) allot_log_warn("%s", err->msg);
        if (s->skip_bad) rc = ALLOT_OK;
    }
    if (!rc && ferror(file))
        rc = allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s", path, strerror(errno));
    *lines = number - 1;
    free(line);
    fclose(file);
    return rc;
}

/* ---- first pass: keys and answers ---- */

typedef struct {
    allot_key key;
    uint64_t answer; /* hash of its canonical form; 0 = none */
    long row;
} seen_row;

typedef struct {
    seen_row *at;
    size_t n, capacity;
    unsigned char *keep; /* by line number: 1 = write it */
} first_pass;

static allot_code remember(row *r, long number, void *user, allot_err *err)
{
    first_pass *p = user;
    void *grown = p->at;
    allot_code rc = allot_mem_grow(&grown, &p->capacity, p->n + 1, sizeof *p->at, err);
    if (rc) return rc;
    p->at = grown;
    char form[ALLOT_ANSWER_MAX + 1];
    uint64_t answer = 0;
    if (has_reference(r)) {
        size_t n =
            allot_canonical(r->text[ALLOT_COL_ANSWER], r->n[ALLOT_COL_ANSWER], form, sizeof form);
        answer = allot_fnv1a(ALLOT_FNV_START, form, n) | 1;
    }
    p->at[p->n++] = (seen_row){r->key, answer, number};
    return ALLOT_OK;
}

static int by_key_and_row(const void *a, const void *b)
{
    const seen_row *x = a, *y = b;
    int c = allot_key_compare(&x->key, &y->key);
    if (c) return c;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Decides for each group of equal keys which row is written. */
static void decide(first_pass *p, const allot_import_settings *s, allot_import_counts *counts)
{
    qsort(p->at, p->n, sizeof *p->at, by_key_and_row);
    for (size_t first = 0, end; first < p->n; first = end) {
        int contradiction = 0;
        seen_row *best = &p->at[first]; /* the first row with an answer, else the first */
        for (end = first; end < p->n && !allot_key_compare(&p->at[first].key, &p->at[end].key);
             end++) {
            if (!best->answer && p->at[end].answer) best = &p->at[end];
            if (best->answer && p->at[end].answer && p->at[end].answer != best->answer)
                contradiction = 1;
        }
        if (contradiction) {
            counts->contradictions += (long)(end - first);
            continue;
        }
        counts->duplicates += (long)(end - first) - 1;
        if (best->answer || s->keep_unanswered) p->keep[best->row] = 1;
        else counts->unanswered++;
    }
}

/* ---- second pass ---- */

typedef struct {
    allot_problems_writer *writer;
    const unsigned char *keep; /* [n_keep] */
    long n_keep, limit, written;
} second_pass;

static allot_code write_row(row *r, long number, void *user, allot_err *err)
{
    second_pass *p = user;
    if (number >= p->n_keep)
        return allot_fail(err, ALLOT_EMISMATCH, "the file grew while it was read");
    if (!p->keep[number] || (p->limit && p->written >= p->limit)) return ALLOT_OK;
    has_reference(r);
    p->written++;
    return allot_problems_add(p->writer, &r->key, r->text, r->n, err);
}

allot_code allot_import_jsonl(const char *input, const char *output, const allot_import_settings *s,
                              allot_import_counts *counts, allot_err *err)
{
    *counts = (allot_import_counts){0};
    first_pass first = {0};
    second_pass second = {.limit = s->limit};
    const char *inputs[] = {input, NULL};
    long again;
    allot_code rc = for_each_row(input, s, remember, &first, &counts->lines, &counts->bad, 1, err);
    if (!rc && first.n == 0) rc = allot_fail(err, ALLOT_EINPUT, "'%s' holds no problems", input);
    if (!rc && !(first.keep = allot_mem_array((size_t)counts->lines + 2, 1, err)))
        rc = ALLOT_ERUNTIME;
    if (!rc) {
        decide(&first, s, counts);
        second.keep = first.keep;
        second.n_keep = counts->lines + 2;
        rc = allot_problems_create(output, &second.writer, err);
    }
    if (!rc) rc = for_each_row(input, s, write_row, &second, &again, &again, 0, err);
    if (!rc && second.written == 0)
        rc =
            allot_fail(err, ALLOT_EINPUT,
                       "'%s': no problem is left (%ld without a usable answer, %ld contradict each "
                       "other)",
                       input, counts->unanswered, counts->contradictions);
    if (!rc) rc = allot_problems_commit(&second.writer, "allot-datasets", 0, inputs, err);
    allot_problems_abort(&second.writer);
    counts->written = second.written;
    free(first.at);
    free(first.keep);
    return rc;
}

/* ---- keys only ---- */

typedef struct {
    allot_key *at;
    size_t n, capacity;
} key_list;

static allot_code add_key(row *r, long number, void *user, allot_err *err)
{
    (void)number;
    key_list *list = user;
    void *grown = list->at;
    allot_code rc = allot_mem_grow(&grown, &list->capacity, list->n + 1, sizeof *list->at, err);
    list->at = grown;
    if (!rc) list->at[list->n++] = r->key;
    return rc;
}

allot_code allot_import_keys(const char *input, const allot_import_settings *s, allot_key **keys,
                             long *n, allot_err *err)
{
    key_list list = {0};
    long lines, bad;
    const allot_import_settings strict = {.field = {s->field[ALLOT_COL_PROBLEM]}};
    allot_code rc = for_each_row(input, &strict, add_key, &list, &lines, &bad, 0, err);
    *keys = list.at;
    *n = (long)list.n;
    return rc;
}
