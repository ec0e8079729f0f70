/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for the rows page by page, keeps the digits of their numbers, and writes them as JSON
 * lines. */
#include "datasets/hubfetch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/core/atomicfile.h"
#include "lib/core/buf.h"
#include "lib/net/endpoint.h"
#include "lib/net/http.h"
#include "lib/store/journal.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/core/progress.h"
#include "liballot/mem.h"

void allot_hub_defaults(allot_hub_settings *s)
{
    *s = (allot_hub_settings){.url = ALLOT_HUB_URL,
                              .config = "default",
                              .split = "train",
                              .max_retries = 8,
                              .timeout_s = 120};
}

typedef struct {
    const allot_hub_settings *s;
    allot_endpoint server;
    const char *token; /* NULL = none */
    allot_http *http;
    allot_journal *part;
    char *part_path;  /* owned */
    cJSON *header;    /* owned: first line of the part */
    long have, total; /* rows in the part; of the split, -1 = not known yet */
    allot_hub_counts *counts;
    long asked;     /* rows, by the request that is under way */
    allot_err *err; /* where it reports */
    allot_code rc;
} fetch;

/* ---- the part ---- */

/* What a part must agree on to be gone on with. */
static cJSON *make_header(const fetch *f)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "dataset", f->s->dataset);
    cJSON_AddStringToObject(o, "config", f->s->config);
    cJSON_AddStringToObject(o, "split", f->s->split);
    cJSON_AddNumberToObject(o, "offset", (double)f->s->offset);
    return o;
}

static allot_code take_header(fetch *f, const char *line, size_t n, allot_err *err)
{
    cJSON *o = NULL;
    double total;
    allot_code rc = allot_json_parse(line, n, f->part_path, &o, err);
    if (!rc) rc = allot_json_number(o, "total", f->part_path, 0, 1e15, &total, err);
    if (!rc) {
        f->total = (long)total;
        cJSON_DeleteItemFromObjectCaseSensitive(o, "total");
        if (!cJSON_Compare(o, f->header, 1))
            rc = allot_fail(err, ALLOT_EMISMATCH,
                            "'%s' holds rows of another data set, split or "
                            "offset (remove it)",
                            f->part_path);
    }
    cJSON_Delete(o);
    return rc;
}

static allot_code count_line(const char *line, size_t n, long number, void *user, allot_err *err)
{
    fetch *f = user;
    if (number == 1) return take_header(f, line, n, err);
    f->have++;
    return ALLOT_OK;
}

static allot_code open_part(fetch *f, const char *output, allot_err *err)
{
    allot_buf path = {0};
    int torn;
    allot_buf_printf(&path, "%s.part", output);
    f->part_path = path.at;
    f->header = make_header(f);
    allot_code rc = allot_buf_check(&path, err);
    if (!rc) rc = allot_journal_open(f->part_path, &f->part, err);
    if (!rc) rc = allot_journal_read(f->part_path, count_line, f, &torn, err);
    f->counts->resumed = f->have;
    return rc;
}

static allot_code write_json(fetch *f, const cJSON *value, allot_err *err)
{
    char *text = cJSON_PrintUnformatted(value);
    allot_code rc = text ? allot_journal_write(f->part, text, strlen(text), err)
                         : allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    free(text);
    return rc;
}

/* ---- one page ---- */

static allot_code take_total(fetch *f, const cJSON *page, allot_err *err)
{
    long total;
    allot_code rc = allot_json_int(page, "num_rows_total", "the answer", 0, 1L << 50, &total, err);
    if (rc || f->total == total) return rc;
    if (f->total >= 0)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "the data set changed: it had %ld rows, now %ld "
                          "(remove '%s' and begin again)",
                          f->total, total, f->part_path);
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(page, "partial")))
        allot_log_warn("the hub serves only the first %ld rows of '%s'", total, f->s->dataset);
    f->total = total;
    cJSON_AddNumberToObject(f->header, "total", (double)total);
    return write_json(f, f->header, err);
}

static allot_code take_row(fetch *f, const cJSON *item, allot_err *err)
{
    long index, want = f->s->offset + f->have;
    cJSON *row, *cut;
    allot_code rc = allot_json_int(item, "row_idx", "the answer", 0, 1L << 50, &index, err);
    if (!rc) rc = allot_json_object(item, "row", "the answer", &row, err);
    if (!rc) rc = allot_json_array(item, "truncated_cells", "the answer", &cut, err);
    if (rc) return rc;
    if (index != want)
        return allot_fail(err, ALLOT_ESERVER, "row %ld came where row %ld was asked for", index,
                          want);
    if (cJSON_GetArraySize(cut) > 0) {
        const char *cell = cJSON_GetStringValue(cJSON_GetArrayItem(cut, 0));
        return allot_fail(err, ALLOT_ESERVER,
                          "row %ld is not whole: the server cut its cell "
                          "'%.80s' (download the data set's files and import those)",
                          index, cell ? cell : "?");
    }
    rc = write_json(f, row, err);
    if (!rc) f->have++;
    return rc;
}

/* The first number of [at, end) outside of strings, and where it ends. */
static const char *next_number(const char *at, const char *end, const char **behind)
{
    int quoted = 0;
    for (; at < end && (quoted || *at == '"' || !strchr("-0123456789", *at)); at++) {
        if (*at == '"') quoted = !quoted;
        else if (quoted && *at == '\\') at++;
    }
    for (*behind = at; *behind < end && strchr("+-.0123456789eE", **behind);)
        ++*behind;
    return at;
}

/* cJSON makes doubles of numbers, so that an id of 17 digits would become another one. The numbers
 * of the text come in the order of the tree: those of a row are printed as they are written there.
 */
static allot_code keep_digits(cJSON *value, int in_row, const char **at, const char *end,
                              allot_err *err)
{
    allot_code rc = ALLOT_OK;
    if (cJSON_IsNumber(value)) {
        const char *first = next_number(*at, end, at);
        if (!in_row) return ALLOT_OK;
        value->valuestring = allot_mem_text(first, (size_t)(*at - first), err);
        value->type = (value->type & ~0xff) | cJSON_Raw;
        return value->valuestring ? ALLOT_OK : ALLOT_ERUNTIME;
    }
    for (cJSON *v = cJSON_IsArray(value) || cJSON_IsObject(value) ? value->child : NULL; v && !rc;
         v = v->next)
        rc = keep_digits(v, in_row || (v->string && strcmp(v->string, "row") == 0), at, end, err);
    return rc;
}

static allot_code take_page(fetch *f, const char *body, size_t n, allot_err *err)
{
    cJSON *page = NULL, *rows = NULL, *features;
    const cJSON *item;
    const char *at = body;
    allot_code rc = allot_json_parse(body, n, "the answer", &page, err);
    if (!rc) rc = keep_digits(page, 0, &at, body + n, err);
    if (!rc) rc = allot_json_array(page, "features", "the answer", &features, err);
    if (!rc) rc = allot_json_array(page, "rows", "the answer", &rows, err);
    if (!rc) rc = take_total(f, page, err);
    long left = f->total - f->s->offset - f->have, want = left < f->asked ? left : f->asked;
    if (want < 0) want = 0;
    if (!rc && cJSON_GetArraySize(rows) != want)
        rc =
            allot_fail(err, ALLOT_ESERVER, "%d rows came, not %ld", cJSON_GetArraySize(rows), want);
    cJSON_ArrayForEach(item, rows) if (!rc) rc = take_row(f, item, err);
    cJSON_Delete(page);
    return rc;
}

static void answered(const allot_http_reply *reply, void *user)
{
    fetch *f = user;
    f->counts->retries += reply->retries;
    if (reply->status == 401 || reply->status == 403)
        f->rc =
            allot_fail(f->err, ALLOT_ESERVER,
                       "'%s' answered with status %d: the data set needs "
                       "%s (export HF_TOKEN=...)",
                       reply->url, reply->status, f->token ? "a key with access to it" : "a key");
    else if (!(f->rc = allot_http_verdict(reply, f->err))) {
        f->rc = take_page(f, reply->body, reply->n, f->err);
        if (f->rc == ALLOT_EINPUT) f->err->code = ALLOT_ESERVER;
        if (f->rc && f->rc != ALLOT_EMISMATCH) f->rc = allot_fail_in(f->err, "'%s'", reply->url);
    }
}

/* Bytes that may stand in a query; the others as %XX. */
static void add_encoded(allot_buf *b, const char *text)
{
    for (; *text; text++) {
        if (strchr("-._~", *text) || (*text >= '0' && *text <= '9') ||
            ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z'))
            allot_buf_add(b, text, 1);
        else allot_buf_printf(b, "%%%02X", (unsigned char)*text);
    }
}

static allot_code get_page(fetch *f, long rows, allot_err *err)
{
    const char *const names[] = {"dataset", "config", "split"};
    const char *const values[] = {f->s->dataset, f->s->config, f->s->split};
    allot_buf url = {0};
    allot_buf_printf(&url, "%s/rows?", f->server.root);
    for (int i = 0; i < 3; i++) {
        allot_buf_printf(&url, "%s=", names[i]);
        add_encoded(&url, values[i]);
        allot_buf_str(&url, "&");
    }
    allot_buf_printf(&url, "offset=%ld&length=%ld", f->s->offset + f->have, rows);
    allot_code rc = allot_buf_check(&url, err);
    f->asked = rows;
    f->err = err;
    allot_http_request r = {.url = url.at, .api_key = f->token, .done = answered, .user = f};
    if (!rc) rc = allot_http_fetch(f->http, &r, err);
    allot_buf_clear(&url);
    return rc ? rc : f->rc;
}

/* ---- all of it ---- */

static allot_code open_server(fetch *f, allot_err *err)
{
    const char *variable = getenv("HF_TOKEN");
    int keyed = variable && *variable;
    allot_http_config c;
    allot_http_defaults(&c);
    c.max_in_flight = 1;
    c.max_retries = f->s->max_retries;
    c.timeout_s = c.first_byte_timeout_s = f->s->timeout_s;
    allot_code rc =
        allot_endpoint_open(f->s->url, keyed ? "HF_TOKEN" : NULL, NULL, &f->server, err);
    if (rc) return rc;
    f->token = keyed ? f->server.api_key : NULL; /* never a key that was meant for others */
    return allot_http_new(&c, &f->http, err);
}

static long wanted(const fetch *f)
{
    long left = f->total - f->s->offset;
    return f->s->limit && f->s->limit < left ? f->s->limit : left;
}

static allot_code get_rows(fetch *f, allot_err *err)
{
    allot_progress progress;
    int started = 0;
    allot_code rc = ALLOT_OK;
    while (!rc && (f->total < 0 || f->have < wanted(f))) {
        long left = f->total >= 0     ? wanted(f) - f->have
                    : f->s->limit > 0 ? f->s->limit
                                      : ALLOT_HUB_PAGE;
        rc = get_page(f, left < ALLOT_HUB_PAGE ? left : ALLOT_HUB_PAGE, err);
        if (rc) break;
        if (!started++) allot_progress_start(&progress, "rows", f->counts->resumed, wanted(f));
        allot_progress_update(&progress, f->have, NULL);
    }
    if (started) allot_progress_end(&progress, f->have, NULL);
    if (rc && f->have > 0 && rc != ALLOT_EMISMATCH)
        allot_log_info("%ld rows are in '%s'; the same command goes on", f->have, f->part_path);
    if (!rc && wanted(f) <= 0)
        rc = allot_fail(err, ALLOT_EUSAGE, "--offset: the split has only %ld rows", f->total);
    return rc;
}

typedef struct {
    FILE *to;
    long rows;
} copying;

static allot_code copy_line(const char *line, size_t n, long number, void *user, allot_err *err)
{
    copying *c = user;
    (void)err; /* a failed write shows when the file is committed */
    if (number == 1 || number > c->rows + 1) return ALLOT_OK;
    fwrite(line, 1, n, c->to);
    putc('\n', c->to);
    return ALLOT_OK;
}

static const allot_kind rows_kind = {"a file of rows of 'fetch'", allot_kind_begins, "{"};

static allot_code finish(fetch *f, const char *output, allot_err *err)
{
    allot_atomic a = {0};
    int torn;
    allot_code rc = allot_journal_sync(f->part, err);
    if (!rc) rc = allot_atomic_begin(&a, output, &rows_kind, err);
    copying c = {a.file, wanted(f)};
    if (!rc) rc = allot_journal_read(f->part_path, copy_line, &c, &torn, err);
    if (!rc) rc = allot_atomic_commit(&a, err);
    allot_atomic_abort(&a);
    if (!rc) (void)unlink(f->part_path);
    f->counts->rows = c.rows;
    f->counts->total = f->total;
    return rc;
}

allot_code allot_hub_fetch(const allot_hub_settings *s, const char *output,
                           allot_hub_counts *counts, allot_err *err)
{
    fetch f = {.s = s, .total = -1, .counts = counts};
    allot_err ignored;
    *counts = (allot_hub_counts){0};
    allot_code rc = open_server(&f, err);
    if (!rc) rc = open_part(&f, output, err);
    int ours = !rc;
    if (!rc) rc = get_rows(&f, err);
    if (!rc) rc = finish(&f, output, err);
    if (rc && ours && f.have == 0) (void)unlink(f.part_path); /* nothing came */
    if (f.part && allot_journal_close(&f.part, rc ? &ignored : err) && !rc) rc = ALLOT_ERUNTIME;
    allot_http_free(f.http);
    allot_endpoint_clear(&f.server);
    cJSON_Delete(f.header);
    free(f.part_path);
    return rc;
}
