/* SPDX-License-Identifier: Apache-2.0 */
/* The wanted columns of each row, whatever the format, and a count of rows that have none. */
#include "lib/readers/rowreader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/log.h"
#include "lib/readers/csvrows.h"
#include "lib/readers/instream.h"
#include "lib/readers/jsonrow.h"
#include "liballot/mem.h"
#include "liballot/utf8.h"

enum { SHOWN = 5, MAX_ALIASES = 8, MAX_NAMES = ALLOT_N_COLS * MAX_ALIASES, FIELDS_BYTES = 200 };

struct allot_rowreader {
    allot_instream *in;
    char *path;
    allot_row_settings s;
    char *name_texts;             /* what names point into */
    const char *names[MAX_NAMES]; /* [n_names] all names of all fields, once each */
    int n_names;
    int alias[ALLOT_N_COLS][MAX_ALIASES]; /* [n_aliases] which names a column's field may have */
    int n_aliases[ALLOT_N_COLS];
    int *place; /* CSV: [n_fields] which name each field is, or -1 */
    size_t n_fields;
    allot_rowvalue value[MAX_NAMES];
    allot_jsonrow json;
    allot_csvrows csv;
    char fields[FIELDS_BYTES]; /* of the header, or of the row that is refused: "a", "b" */
    allot_buf record;          /* CSV: the lines of one row */
    allot_row row;
    long bad;
    int begun, document; /* JSON lines: one was read; it begins a value of many lines, or a list */
    allot_err first_bad;
};

/* ---- opening ---- */

static int name_of(const allot_rowreader *r, const char *field)
{
    for (int i = 0; i < r->n_names; i++)
        if (strcmp(r->names[i], field) == 0) return i;
    return -1;
}

static allot_code add_name(allot_rowreader *r, int c, const char *field, allot_err *err)
{
    if (r->n_aliases[c] == MAX_ALIASES)
        return allot_fail(err, ALLOT_EUSAGE, "a field may have at most %d names, not '%.80s'",
                          MAX_ALIASES, r->s.field[c]);
    int i = name_of(r, field);
    if (i < 0) r->names[i = r->n_names++] = field;
    r->alias[c][r->n_aliases[c]++] = i;
    return ALLOT_OK;
}

/* "problem|question" of each column. */
static allot_code split_names(allot_rowreader *r, allot_err *err)
{
    allot_buf all = {0};
    for (int c = 0; c < ALLOT_N_COLS; c++)
        allot_buf_printf(&all, "%s%c", r->s.field[c] ? r->s.field[c] : "", '\0');
    allot_code rc = allot_buf_check(&all, err);
    char *at = r->name_texts = all.at;
    for (int c = 0; !rc && c < ALLOT_N_COLS; c++) {
        char *end = at + strlen(at), *rest = at;
        for (char *field; !rc && (field = strtok_r(rest, "|", &rest));)
            rc = add_name(r, c, field, err);
        at = end + 1;
    }
    return rc;
}

static int ends_in(const char *path, size_t n, const char *end)
{
    size_t m = strlen(end);
    return n >= m && strncasecmp(path + n - m, end, m) == 0;
}

allot_rowformat allot_row_format_of(const char *path)
{
    static const char *const packed[] = {".gz", ".zst", ".zstd"};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        if (ends_in(path, n, packed[i])) n -= strlen(packed[i]);
    if (ends_in(path, n, ".csv")) return ALLOT_ROWS_CSV;
    return ends_in(path, n, ".tsv") ? ALLOT_ROWS_TSV : ALLOT_ROWS_JSONL;
}

static allot_code read_header(allot_rowreader *r, allot_err *err);

/* Adds a name to those that a message shows, as long as they fit. */
static void list_field(allot_rowreader *r, const char *name, size_t n)
{
    size_t at = strlen(r->fields);
    n = allot_utf8_valid(name, n < 40 ? n : 40);
    if (at + n + 5 > sizeof r->fields) return;
    snprintf(r->fields + at, sizeof r->fields - at, "%s\"%.*s\"", at ? ", " : "", (int)n, name);
    for (; r->fields[at]; at++)
        if ((unsigned char)r->fields[at] < ' ') r->fields[at] = '?';
}

allot_code allot_rowreader_open(const char *path, const allot_row_settings *s,
                                allot_rowreader **out, allot_err *err)
{
    *out = NULL;
    allot_rowreader *r = allot_mem_array(1, sizeof *r, err);
    if (!r) return ALLOT_ERUNTIME;
    r->s = *s;
    if (s->format == ALLOT_ROWS_BY_NAME) r->s.format = allot_row_format_of(path);
    allot_code rc = (r->path = allot_mem_text(path, strlen(path), err)) ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc) rc = split_names(r, err);
    if (!rc) rc = allot_instream_open(path, &r->in, err);
    if (!rc && r->s.format != ALLOT_ROWS_JSONL) rc = read_header(r, err);
    if (rc) allot_rowreader_close(&r);
    *out = r;
    return rc;
}

void allot_rowreader_close(allot_rowreader **rp)
{
    allot_rowreader *r = *rp;
    if (!r) return;
    allot_instream_close(&r->in);
    allot_jsonrow_clear(&r->json);
    allot_csvrows_clear(&r->csv);
    allot_buf_clear(&r->record);
    free(r->path);
    free(r->name_texts);
    free(r->place);
    free(r);
    *rp = NULL;
}

/* ---- lines ---- */

/* The next line that is not blank; *line = NULL at the end. */
static allot_code next_line(allot_rowreader *r, char **line, size_t *n, allot_err *err)
{
    for (allot_code rc;;) {
        if ((rc = allot_instream_line(r->in, line, n, err)) || !*line) return rc;
        if (*n > (size_t)ALLOT_INSTREAM_MAX_LINE || strspn(*line, " \t") < *n) return ALLOT_OK;
    }
}

static allot_code in_line(const allot_rowreader *r, allot_err *err)
{
    return allot_fail_in(err, "line %ld of '%.250s'", r->row.line, r->path);
}

static allot_code too_long(size_t n, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT, "longer than %ld bytes (%zu)", ALLOT_INSTREAM_MAX_LINE, n);
}

static int wants(const allot_rowreader *r, long line)
{
    return !r->s.keep || (line < r->s.n_keep && r->s.keep[line]);
}

/* ---- JSON lines ---- */

/* *bad: the row is not one, err says why; *end: no more. A return code means: no way on. */
static allot_code next_json(allot_rowreader *r, int *end, allot_code *bad, allot_err *err)
{
    char *line;
    size_t n;
    allot_code rc;
    do {
        rc = next_line(r, &line, &n, err);
        *end = !line;
        if (rc || !line) return rc;
        r->row.line = allot_instream_number(r->in);
    } while (!wants(r, r->row.line));
    int first = !r->begun;
    r->begun = 1;
    *bad = n > (size_t)ALLOT_INSTREAM_MAX_LINE
               ? too_long(n, err)
               : allot_jsonrow_read(&r->json, line, n, r->names, r->n_names, r->value, err);
    if (*bad) {
        if (first && n <= (size_t)ALLOT_INSTREAM_MAX_LINE)
            r->document = *line == '[' || (*line == '{' && n == 1);
        *bad = in_line(r, err);
    }
    return ALLOT_OK;
}

/* ---- CSV and TSV ---- */

static size_t count_quotes(const char *text, size_t n)
{
    size_t quotes = 0;
    for (const char *end = text + n; (text = memchr(text, '"', (size_t)(end - text))); text++)
        quotes++;
    return quotes;
}

/* The lines of one row: as long as a quote is open, the next line belongs to it. */
static allot_code next_record(allot_rowreader *r, int *end, allot_err *err)
{
    char *line;
    size_t n, quotes = 0;
    allot_buf_reset(&r->record);
    allot_code rc = next_line(r, &line, &n, err);
    *end = !line;
    if (rc || !line) return rc;
    r->row.line = allot_instream_number(r->in);
    for (;;) {
        if (r->record.n + n > (size_t)ALLOT_INSTREAM_MAX_LINE)
            return allot_fail(err, ALLOT_EINPUT,
                              "line %ld of '%.250s': a row longer than %ld bytes "
                              "(is a quote not closed?)",
                              r->row.line, r->path, ALLOT_INSTREAM_MAX_LINE);
        quotes += count_quotes(line, n);
        allot_buf_add(&r->record, line, n);
        allot_buf_add(&r->record, "\n", 1);
        if (quotes % 2 == 0) return allot_buf_check(&r->record, err);
        rc = allot_instream_line(r->in, &line, &n, err);
        if (!rc && !line)
            rc = allot_fail(err, ALLOT_EINPUT, "line %ld of '%.250s': a quote is not closed",
                            r->row.line, r->path);
        if (rc) return rc;
    }
}

static allot_code split_record(allot_rowreader *r, allot_err *err)
{
    if (memchr(r->record.at, '\0', r->record.n)) {
        allot_fail(err, ALLOT_EINPUT, "holds a NUL byte");
        return in_line(r, err);
    }
    size_t valid = allot_utf8_valid(r->record.at, r->record.n);
    if (valid < r->record.n) {
        allot_fail(err, ALLOT_EINPUT, "is not UTF-8 at byte %zu (convert it with iconv)",
                   valid + 1);
        return in_line(r, err);
    }
    r->csv.rest = r->record.at;
    r->csv.file = r->path;
    r->csv.next_line = r->row.line;
    r->csv.separator = r->s.format == ALLOT_ROWS_TSV ? '\t' : ',';
    allot_code rc = allot_csvrows_next(&r->csv, err);
    if (rc || !*r->csv.rest) return rc;
    allot_fail(err, ALLOT_EINPUT, "a quote in a field that is not quoted (write \"a \"\"b\"\"\")");
    return in_line(r, err);
}

/* Which field is where. The names in the header must be different ones. */
static allot_code read_header(allot_rowreader *r, allot_err *err)
{
    int end;
    allot_code rc = next_record(r, &end, err);
    if (rc) return rc;
    if (end) return allot_fail(err, ALLOT_EINPUT, "'%.250s' holds no problems", r->path);
    if ((rc = split_record(r, err))) return rc;
    r->n_fields = r->csv.n;
    r->place = allot_mem_array(r->n_fields, sizeof *r->place, err);
    if (!r->place) return ALLOT_ERUNTIME;
    int seen[MAX_NAMES] = {0};
    for (size_t f = 0; f < r->n_fields; f++) {
        int i = r->place[f] = name_of(r, r->csv.field[f]);
        list_field(r, r->csv.field[f], strlen(r->csv.field[f]));
        if (i >= 0 && seen[i]++)
            return allot_fail(err, ALLOT_EINPUT, "the header of '%.250s' has '%.80s' twice",
                              r->path, r->names[i]);
    }
    return ALLOT_OK;
}

static allot_code next_csv(allot_rowreader *r, int *end, allot_code *bad, allot_err *err)
{
    do {
        allot_code rc = next_record(r, end, err);
        if (rc || *end) return rc;
    } while (!wants(r, r->row.line));
    if ((*bad = split_record(r, err))) return ALLOT_OK;
    if (r->csv.n != r->n_fields) {
        allot_fail(err, ALLOT_EINPUT, "has %zu fields, the header has %zu", r->csv.n, r->n_fields);
        *bad = in_line(r, err);
        return ALLOT_OK;
    }
    for (int i = 0; i < r->n_names; i++)
        r->value[i] = (allot_rowvalue){ALLOT_ROW_ABSENT, "", 0};
    for (size_t f = 0; f < r->n_fields; f++) {
        const char *text = r->csv.field[f];
        if (r->place[f] >= 0 && *text)
            r->value[r->place[f]] = (allot_rowvalue){ALLOT_ROW_TEXT, text, strlen(text)};
    }
    return ALLOT_OK;
}

/* ---- rows ---- */

/* GSM8K ends its solutions in "#### 42". */
static void gsm8k_answer(allot_row *row)
{
    const char *at = row->text[ALLOT_COL_ANSWER], *end = at + row->n[ALLOT_COL_ANSWER];
    const char *mark = end;
    for (const char *s = at; (s = memmem(s, (size_t)(end - s), "####", 4)); s += 4)
        mark = s + 4;
    while (mark < end && *mark == ' ')
        mark++;
    row->text[ALLOT_COL_ANSWER] = mark;
    row->n[ALLOT_COL_ANSWER] = (size_t)(end - mark);
}

/* Says what the row has instead: most often the preset is that of another data set. */
static allot_code no_problem(allot_rowreader *r, allot_err *err)
{
    if (r->s.format == ALLOT_ROWS_JSONL) r->fields[0] = '\0';
    for (int i = 0; r->s.format == ALLOT_ROWS_JSONL && i < r->json.n_fields; i++)
        list_field(r, r->json.field[i].text, r->json.field[i].n);
    return allot_fail(err, ALLOT_EINPUT,
                      "no field \"%s\" with a problem in it, but %s (name it with "
                      "--problem-field, or give another --preset)",
                      r->s.field[ALLOT_COL_PROBLEM], *r->fields ? r->fields : "nothing");
}

/* Values to columns. */
static allot_code make_row(allot_rowreader *r, allot_err *err)
{
    allot_row *row = &r->row;
    for (int c = 0; c < ALLOT_N_COLS; c++) {
        row->text[c] = "";
        row->n[c] = 0;
        for (int k = 0; k < r->n_aliases[c] && row->n[c] == 0; k++) {
            const allot_rowvalue *v = &r->value[r->alias[c][k]];
            int listed = c == ALLOT_COL_ANSWER || c == ALLOT_COL_SOLUTION;
            if (v->kind == ALLOT_ROW_OTHER || (v->kind == ALLOT_ROW_LIST && !listed))
                return allot_fail(err, ALLOT_EINPUT, "\"%s\" is neither text nor a number",
                                  r->names[r->alias[c][k]]);
            row->text[c] = v->text;
            row->n[c] = v->n;
        }
    }
    if (row->n[ALLOT_COL_PROBLEM] == 0) return no_problem(r, err);
    if (r->s.gsm8k) gsm8k_answer(row);
    if (r->s.no_key) return ALLOT_OK;
    return allot_key_of_text(row->text[ALLOT_COL_PROBLEM], row->n[ALLOT_COL_PROBLEM], &row->key,
                             err);
}

static void count_bad(allot_rowreader *r, const allot_err *why)
{
    if (r->bad++ == 0) r->first_bad = *why;
    if (r->bad <= SHOWN && !r->s.quiet) allot_log_warn("%s", why->msg);
}

allot_code allot_rowreader_next(allot_rowreader *r, const allot_row **row, allot_err *err)
{
    *row = NULL;
    for (;;) {
        int end = 0;
        allot_err why = {0};
        allot_code bad = ALLOT_OK, rc = r->s.format == ALLOT_ROWS_JSONL
                                            ? next_json(r, &end, &bad, &why)
                                            : next_csv(r, &end, &bad, &why);
        if (rc) {
            if (err) *err = why;
            return rc;
        }
        if (end) return ALLOT_OK;
        if (!bad && (bad = make_row(r, &why))) bad = in_line(r, &why);
        if (!bad) break;
        count_bad(r, &why);
    }
    *row = &r->row;
    return ALLOT_OK;
}

long allot_rowreader_lines(const allot_rowreader *r)
{
    return allot_instream_number(r->in);
}

long allot_rowreader_bad(const allot_rowreader *r)
{
    return r->bad;
}

allot_code allot_rowreader_check(const allot_rowreader *r, allot_err *err)
{
    if (r->bad == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EINPUT, "%s (%ld of the %ld lines of the file are bad; %s)",
                      r->first_bad.msg, r->bad, allot_rowreader_lines(r),
                      r->document ? "make lines of it with 'jq -c .', of a list with 'jq -c .[]'"
                                  : "mend them, or leave them out with --skip-bad");
}

/* ---- layouts ---- */

allot_code allot_row_preset(const char *name, allot_row_settings *out, allot_err *err)
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
        {"aime",
         {"Problem|problem|Question|question", "Answer|answer", "Solution|solution", NULL, NULL,
          "ID|id"},
         0},
        {"olympiad", {"question", "final_answer", "solution", "subfield", "difficulty", "id"}, 0},
        {"numina", {"problem", "answer", "solution", "source", NULL, "uuid"}, 0}};
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (strcmp(presets[i].name, name) != 0) continue;
        *out = (allot_row_settings){.gsm8k = presets[i].gsm8k};
        memcpy(out->field, presets[i].field, sizeof out->field);
        return ALLOT_OK;
    }
    return allot_fail(err, ALLOT_EUSAGE,
                      "--preset: '%s' is none of jsonl, gsm8k, math, math500, "
                      "aime, olympiad, numina",
                      name);
}

allot_code allot_row_format(const char *name, allot_rowformat *out, allot_err *err)
{
    static const char *const names[] = {"jsonl", "csv", "tsv"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *out = (allot_rowformat)(ALLOT_ROWS_JSONL + i);
        return ALLOT_OK;
    }
    return allot_fail(err, ALLOT_EUSAGE, "--format: '%s' is none of jsonl, csv, tsv", name);
}
