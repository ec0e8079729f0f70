/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON lines or CSV into cells, refuses repeated ones, and joins them with the problems by
 * key. */
#include "datasets/outcomesimport.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/core/options.h"
#include "lib/store/problems.h"
#include "lib/readers/csvrows.h"
#include "lib/readers/instream.h"
#include "lib/readers/rowreader.h"
#include "liballot/features.h"
#include "liballot/mem.h"

#define MAX_BYTES ((size_t)4 << 30)
#define MAX_TRIALS 1000000000

enum { QUERY, STRATEGY, CORRECT, TRIALS, SUCCESSES, ACCURACY, TOKENS, SECONDS, N_FIELDS };
static const char *const names[N_FIELDS] = {"query",     "strategy", "correct", "trials",
                                            "successes", "accuracy", "tokens",  "seconds"};

typedef struct {
    allot_key key;
    int32_t codepoints;
    int strategy;
    long line;
    double accuracy, trials, tokens, seconds; /* seconds < 0: absent */
} table_row;

typedef struct {
    const char *path;
    const allot_outcomesimport *settings;
    allot_strategies strategies;
    table_row *at; /* owned [n] */
    size_t n, capacity;
    size_t n_row_numbers; /* rows that name their query so, which are not in at */
    char example[80];     /* the first of them */
    int warned;
} table;

/* ---- one row ---- */

/* "17", "q17", "row 17", "#17": an id within some other table. */
static int is_row_number(const char *text, size_t n)
{
    size_t at = 0, digits;
    while (at < n && at < 8 && isalpha((unsigned char)text[at]))
        at++;
    while (at < n && strchr(" -_#:.", text[at]))
        at++;
    digits = strspn(text + at, "0123456789");
    return (digits > 0 && at + digits == n) || allot_features_codepoints(text, n) < 3;
}

static int is_key(const char *text, size_t n)
{
    return n == 64 && strspn(text, "0123456789abcdef") == 64;
}

static allot_code read_query(const table *t, const char *text, table_row *r, allot_err *err)
{
    size_t n = strlen(text);
    r->codepoints = (int32_t)allot_features_codepoints(text, n);
    if (!is_key(text, n)) return allot_key_of_text(text, n, &r->key, err);
    if (!t->settings->problems)
        return allot_fail(err, ALLOT_EINPUT,
                          "query %.16s is given by its key, whose text is not "
                          "known (name the queries with --problems PROBLEMS.h5)",
                          text);
    return allot_key_parse(text, &r->key, err);
}

static allot_code read_strategy(table *t, const char *text, table_row *r, allot_err *err)
{
    char wrapped[ALLOT_STRATEGY_TEXT + 16];
    allot_strategy s;
    if (t->settings->named) {
        if (strlen(text) >= ALLOT_STRATEGY_TEXT)
            return allot_fail(err, ALLOT_EINPUT, "the strategy's name '%.40s...' is too long",
                              text);
        snprintf(wrapped, sizeof wrapped, "named:\"%s\"", text);
        text = wrapped;
    }
    allot_code rc = allot_strategy_parse(text, &s, err);
    if (rc) {
        allot_fail_in(err, "strategy (--named takes any text as a name)");
        return err->code = ALLOT_EINPUT;
    }
    r->strategy = allot_strategies_find(&t->strategies, &s);
    if (r->strategy >= 0) return ALLOT_OK;
    r->strategy = t->strategies.count;
    return allot_strategies_add(&t->strategies, &s, err);
}

/* A missing optional field is NULL and leaves *out as it is. */
static allot_code read_number(const char *const *text, int field, double max, double *out,
                              allot_err *err)
{
    if (!text[field]) return ALLOT_OK;
    allot_code rc = allot_parse_double(text[field], names[field], 0, max, out, err);
    return rc ? (err->code = ALLOT_EINPUT) : ALLOT_OK;
}

/* Accuracy and trials from the one form of the three that the row has. */
static allot_code read_label(const char *const *text, int as_trials, table_row *r, allot_err *err)
{
    int forms = !!text[CORRECT] + !!text[SUCCESSES] + !!text[ACCURACY];
    if (forms != 1 || (text[SUCCESSES] && !text[TRIALS]) || (text[CORRECT] && text[TRIALS]))
        return allot_fail(err, ALLOT_EINPUT,
                          "a row has correct, or trials and successes, or "
                          "accuracy with or without trials (this one has %d of the three)",
                          forms);
    if (as_trials && !text[CORRECT])
        return allot_fail(err, ALLOT_EINPUT,
                          "with --trials each row is one trial and says correct");
    r->trials = 1;
    if (text[CORRECT]) {
        const char *c = text[CORRECT];
        r->accuracy = !strcmp(c, "1") || !strcasecmp(c, "true");
        if (r->accuracy == 0 && strcmp(c, "0") && strcasecmp(c, "false"))
            return allot_fail(err, ALLOT_EINPUT, "correct: '%.40s' is not 0, 1, true or false", c);
        return ALLOT_OK;
    }
    double successes = 0;
    allot_code rc = read_number(text, TRIALS, MAX_TRIALS, &r->trials, err);
    if (!rc && (r->trials < 1 || r->trials != floor(r->trials)))
        rc = allot_fail(err, ALLOT_EINPUT, "trials: %g is not a whole number of 1 or more",
                        r->trials);
    if (!rc) rc = read_number(text, ACCURACY, 1, &r->accuracy, err);
    if (!rc) rc = read_number(text, SUCCESSES, r->trials, &successes, err);
    if (!rc && successes != floor(successes))
        rc = allot_fail(err, ALLOT_EINPUT, "successes: %g is not a whole number", successes);
    if (!rc && text[SUCCESSES]) r->accuracy = successes / r->trials;
    return rc;
}

/* text [N_FIELDS]: values, NULL where there is none. */
static allot_code add_row(table *t, const char *const *text, long line, allot_err *err)
{
    table_row r = {.line = line, .seconds = -1};
    allot_code rc = ALLOT_OK;
    for (int i = 0; !rc && i < N_FIELDS; i++)
        if (!text[i] && (i == QUERY || i == STRATEGY || i == TOKENS))
            rc = allot_fail(err, ALLOT_EINPUT, "it has no %s%s", names[i],
                            i == TOKENS ? " (write 0 where none are known)" : "");
    if (!rc && is_row_number(text[QUERY], strlen(text[QUERY]))) {
        if (!t->n_row_numbers++)
            snprintf(t->example, sizeof t->example, "'%.40s' in line %ld", text[QUERY], line);
        return ALLOT_OK;
    }
    if (!rc) rc = read_query(t, text[QUERY], &r, err);
    if (!rc) rc = read_strategy(t, text[STRATEGY], &r, err);
    if (!rc) rc = read_label(text, t->settings->trials, &r, err);
    if (!rc) rc = read_number(text, TOKENS, 1e12, &r.tokens, err);
    if (!rc) rc = read_number(text, SECONDS, 1e9, &r.seconds, err);
    if (rc) return allot_fail_in(err, "line %ld of '%.250s'", line, t->path);
    void *grown = t->at;
    rc = allot_mem_grow(&grown, &t->capacity, t->n + 1, sizeof *t->at, err);
    if (rc) return rc;
    t->at = grown;
    t->at[t->n++] = r;
    return ALLOT_OK;
}

/* ---- the two kinds of tables ---- */

/* A misspelt field must not vanish unseen. */
static int field_of(table *t, const char *name)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (strcmp(names[i], name) == 0) return i;
    if (!t->warned++) allot_log_warn("'%s': field '%.64s' is not used", t->path, name);
    return -1;
}

static allot_code read_json_row(table *t, const char *line, size_t n, long number, allot_err *err)
{
    char where[320], numbers[N_FIELDS][32];
    const char *text[N_FIELDS] = {NULL};
    cJSON *o = NULL;
    const cJSON *v;
    snprintf(where, sizeof where, "line %ld of '%.250s'", number, t->path);
    allot_code rc = allot_json_parse(line, n, where, &o, err);
    if (!rc && !cJSON_IsObject(o))
        rc = allot_fail(err, ALLOT_EINPUT, "%s: not a JSON object", where);
    for (v = rc ? NULL : o->child; v && !rc; v = v->next) {
        int i = field_of(t, v->string);
        if (i < 0 || cJSON_IsNull(v)) continue;
        if (cJSON_IsNumber(v)) snprintf(numbers[i], sizeof *numbers, "%.17g", v->valuedouble);
        if (cJSON_IsString(v)) text[i] = v->valuestring;
        else if (cJSON_IsNumber(v)) text[i] = numbers[i];
        else if (cJSON_IsBool(v)) text[i] = cJSON_IsTrue(v) ? "true" : "false";
        else rc = allot_fail(err, ALLOT_EINPUT, "%s: \"%s\" is not a value", where, names[i]);
    }
    if (!rc) rc = add_row(t, text, number, err);
    cJSON_Delete(o);
    return rc;
}

static allot_code read_jsonl(table *t, char *text, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    for (long number = 1; !rc && *text; number++) {
        size_t n = strcspn(text, "\n");
        if (strspn(text, " \t\r") < n) rc = read_json_row(t, text, n, number, err);
        text += n + (text[n] == '\n');
    }
    return rc;
}

static allot_code read_header(table *t, const allot_csvrows *c, int **out, allot_err *err)
{
    int seen[N_FIELDS] = {0}, *field = allot_mem_array(c->n, sizeof *field, err);
    *out = field;
    if (!field) return ALLOT_ERUNTIME;
    for (size_t i = 0; i < c->n; i++) {
        field[i] = field_of(t, c->field[i]);
        if (field[i] >= 0 && seen[field[i]]++)
            return allot_fail(err, ALLOT_EINPUT, "'%s': the header names column '%s' twice",
                              t->path, c->field[i]);
    }
    if (!seen[QUERY] || !seen[STRATEGY])
        return allot_fail(err, ALLOT_EINPUT,
                          "'%s': its first line does not name the columns query "
                          "and strategy",
                          t->path);
    return ALLOT_OK;
}

static allot_code read_csv(table *t, char *text, char separator, allot_err *err)
{
    allot_csvrows c = {.rest = text, .file = t->path, .separator = separator, .next_line = 1};
    int *field = NULL;
    allot_code rc = allot_csvrows_next(&c, err);
    if (!rc) rc = read_header(t, &c, &field, err);
    size_t n = c.n;
    while (!rc) {
        const char *value[N_FIELDS] = {NULL};
        rc = allot_csvrows_next(&c, err);
        if (rc || c.n == 0) break;
        if (c.n != n)
            rc = allot_fail(err, ALLOT_EINPUT,
                            "line %ld of '%.250s': %zu fields, the header has "
                            "%zu",
                            c.line, t->path, c.n, n);
        for (size_t i = 0; !rc && i < n; i++)
            if (field[i] >= 0 && *c.field[i]) value[field[i]] = c.field[i];
        if (!rc) rc = add_row(t, value, c.line, err);
    }
    free(field);
    allot_csvrows_clear(&c);
    return rc;
}

/* ---- rows to cells ---- */

static int by_cell(const void *a, const void *b)
{
    const table_row *x = a, *y = b;
    int c = allot_key_compare(&x->key, &y->key);
    if (c) return c;
    if (x->strategy != y->strategy) return x->strategy < y->strategy ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static int same_cell(const table_row *x, const table_row *y)
{
    return x->strategy == y->strategy && allot_key_compare(&x->key, &y->key) == 0;
}

static allot_code refuse_row_numbers(const table *t, allot_err *err)
{
    if (t->n_row_numbers == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EINPUT,
                      "'%s': %zu of %zu rows name their query by a row number, "
                      "e.g. %s: two tables joined by row number pair different questions (give the "
                      "query's text, or its key with --problems)",
                      t->path, t->n_row_numbers, t->n + t->n_row_numbers, t->example);
}

static allot_code refuse_repeated(const table *t, allot_err *err)
{
    size_t repeated = 0, first = 0;
    for (size_t i = t->n - 1; i > 0; i--) /* ends at the first, which is the example */
        if (same_cell(&t->at[i - 1], &t->at[i])) {
            repeated++;
            first = i - 1;
        }
    if (repeated == 0 || t->settings->trials) return ALLOT_OK;
    char hex[65], text[ALLOT_STRATEGY_TEXT];
    const table_row *r = &t->at[first];
    allot_key_hex(&r->key, hex);
    allot_strategy_print(&t->strategies.at[r->strategy], text);
    return allot_fail(err, ALLOT_EINPUT,
                      "'%s': %zu of %zu rows repeat a query and strategy, e.g. "
                      "query %.16s, %s in lines %ld and %ld (give each pair once, or say --trials "
                      "if each row is one trial)",
                      t->path, repeated, t->n, hex, text, r->line, r[1].line);
}

/* The n rows of one cell: one row, or repeated trials. */
static void fill_cell(allot_outcomes *o, size_t cell, const table_row *r, size_t n)
{
    double right = 0, trials = 0, tokens = 0, seconds = 0, half[2] = {0};
    size_t timed = 0;
    for (size_t i = 0; i < n; i++) {
        right += r[i].accuracy * r[i].trials;
        trials += r[i].trials;
        tokens += r[i].tokens;
        half[i % 2] += r[i].accuracy;
        if (r[i].seconds < 0) continue;
        seconds += r[i].seconds;
        timed++;
    }
    double p = right / trials;
    o->accuracy[cell] = (float)p;
    o->variance[cell] = (float)(p * (1 - p) / trials);
    o->n_eff[cell] = (float)trials;
    o->n_trials[cell] = (int32_t)trials;
    o->tokens[cell] = (float)(tokens / (double)n);
    if (timed) o->seconds[cell] = (float)(seconds / (double)timed);
    o->seconds_kind[cell] = timed ? ALLOT_SECONDS_MEASURED : ALLOT_SECONDS_ABSENT;
    for (size_t k = 0; k < 2; k++) {
        size_t n_half = (n + 1 - k) / 2;
        o->half[2 * cell + k] = n > 1 ? (float)(half[k] / (double)n_half) : NAN;
    }
}

static allot_code make_outcomes(table *t, allot_outcomes *o, long *missing, allot_err *err)
{
    long q = 0, cells = 0;
    qsort(t->at, t->n, sizeof *t->at, by_cell);
    allot_code rc = refuse_repeated(t, err);
    for (size_t i = 0; i < t->n; i++)
        q += i == 0 || allot_key_compare(&t->at[i - 1].key, &t->at[i].key) != 0;
    if (!rc) rc = allot_outcomes_init(o, q, &t->strategies, err);
    if (rc) return rc;
    q = -1;
    for (size_t first = 0, end; first < t->n; first = end) {
        const table_row *r = &t->at[first];
        if (first == 0 || allot_key_compare(&r[-1].key, &r->key)) {
            o->keys[++q] = r->key;
            o->codepoints[q] = r->codepoints;
        }
        for (end = first + 1; end < t->n && same_cell(r, &t->at[end]);)
            end++;
        fill_cell(o, (size_t)q * (size_t)t->strategies.count + (size_t)r->strategy, r, end - first);
        cells++;
    }
    *missing = o->n * t->strategies.count - cells;
    o->label_rule = allot_mem_text("imported", 8, err);
    o->fingerprint = cJSON_CreateObject();
    cJSON_AddStringToObject(o->fingerprint, "imported", t->settings->name);
    return o->label_rule ? ALLOT_OK : ALLOT_ERUNTIME;
}

/* All queries must be known, and the texts behind keys have a length. */
static allot_code join_problems(const char *table_path, const char *path, allot_outcomes *o,
                                allot_err *err)
{
    allot_problems p = {0};
    allot_keyindex index = {0};
    long *rows = allot_mem_array((size_t)o->n, sizeof *rows, err);
    allot_code rc = rows ? allot_problems_load(path, 0, &p, err) : ALLOT_ERUNTIME;
    if (!rc) rc = allot_keyindex_build(&index, p.keys, (size_t)p.n, path, err);
    if (!rc)
        rc = allot_key_join(o->keys, (size_t)o->n, table_path, &index, path,
                            "import the problems that were measured with 'allot-datasets import'",
                            rows, err);
    for (long q = 0; !rc && q < o->n; q++) {
        size_t n;
        const char *text = allot_strings_at(&p.col[ALLOT_COL_PROBLEM], rows[q], &n);
        o->codepoints[q] = (int32_t)allot_features_codepoints(text, n);
    }
    free(rows);
    allot_keyindex_clear(&index);
    allot_problems_clear(&p);
    return rc;
}

allot_code allot_outcomes_import(const char *path, const allot_outcomesimport *s,
                                 allot_outcomes *out, long *missing, allot_err *err)
{
    table t = {.path = path, .settings = s};
    char *text = NULL;
    size_t n = 0;
    *out = (allot_outcomes){0};
    allot_rowformat format = allot_row_format_of(path);
    allot_code rc = allot_instream_text(path, MAX_BYTES, &text, &n, err);
    if (!rc && format == ALLOT_ROWS_JSONL) rc = read_jsonl(&t, text, err);
    else if (!rc) rc = read_csv(&t, text, format == ALLOT_ROWS_TSV ? '\t' : ',', err);
    if (!rc) rc = refuse_row_numbers(&t, err);
    if (!rc && t.n == 0) rc = allot_fail(err, ALLOT_EINPUT, "'%s' holds no rows", path);
    if (!rc) rc = make_outcomes(&t, out, missing, err);
    if (!rc && s->problems) rc = join_problems(path, s->problems, out, err);
    free(text);
    free(t.at);
    allot_strategies_clear(&t.strategies);
    if (rc) allot_outcomes_clear(out);
    return rc;
}
