/* SPDX-License-Identifier: Apache-2.0 */
/* Reward models with vLLM's STEP pooler, e.g. Qwen2.5-Math-PRM: POST {root}/pooling gives one row
 * [bad, good] for each step mark. With a prompt template all texts go in one request ("input"),
 * else one request each ("messages", the server renders its own template). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/base64.h"
#include "core/json.h"
#include "job.h"
#include "liballot/mem.h"
#include "prompt.h"

#define SUM_TOLERANCE 1e-3 /* rows further from 1 are logits */

typedef struct {
    allot_prm_call *call;
    int from, count; /* texts of the call */
} pooling;

/* What the model reads of a text, marks included. */
static void render_steps(const allot_engine *e, allot_prm_text *t, allot_buf *out)
{
    t->n_marks = allot_prompt_steps(t->text, t->n, e->config.step_separator,
                                    e->config.prm_separator, t->first, out);
}

static void add_inputs(cJSON *o, const pooling *p)
{
    const allot_engine *e = p->call->engine;
    const allot_query *q = p->call->query;
    cJSON *list = cJSON_AddArrayToObject(o, "input");
    const char *template_text = e->config.prm_template;
    if (allot_prompt_bos(template_text)) cJSON_AddFalseToObject(o, "add_special_tokens");
    allot_buf problem = {0}, text = {0};
    allot_prompt_without(q->problem, q->n, e->config.prm_separator, &problem);
    for (int i = 0; i < p->count; i++) {
        allot_buf_reset(&text);
        (void)allot_prompt_render(template_text, e->config.prm_system_prompt,
                                  problem.at ? problem.at : "", problem.n, &text);
        render_steps(e, &p->call->reply.texts[p->from + i], &text);
        if (!text.failed) cJSON_AddItemToArray(list, cJSON_CreateString(text.at));
    }
    allot_buf_clear(&problem);
    allot_buf_clear(&text);
}

static void add_message(cJSON *list, const char *role, const allot_buf *text)
{
    cJSON *m = cJSON_CreateObject();
    cJSON_AddStringToObject(m, "role", role);
    cJSON_AddStringToObject(m, "content", text->at ? text->at : "");
    cJSON_AddItemToArray(list, m);
}

static void add_messages(cJSON *o, const pooling *p)
{
    const allot_engine *e = p->call->engine;
    const allot_query *q = p->call->query;
    cJSON *list = cJSON_AddArrayToObject(o, "messages");
    allot_buf text = {0};
    allot_buf_str(&text, e->config.prm_system_prompt);
    if (text.n > 0) add_message(list, "system", &text);
    allot_buf_reset(&text);
    allot_prompt_without(q->problem, q->n, e->config.prm_separator, &text);
    add_message(list, "user", &text);
    allot_buf_reset(&text);
    render_steps(e, &p->call->reply.texts[p->from], &text);
    add_message(list, "assistant", &text);
    allot_buf_clear(&text);
}

/* Numbers in a row of their own, or one number: 2 columns or 1. Returns the columns, 0 if
 * malformed. */
static int read_row(const cJSON *row, double *out)
{
    if (cJSON_IsNumber(row)) {
        out[0] = row->valuedouble;
        return 1;
    }
    int n = 0;
    const cJSON *v;
    cJSON_ArrayForEach(v, row)
    {
        if (n == 2 || !cJSON_IsNumber(v)) return 0;
        out[n++] = v->valuedouble;
    }
    return n;
}

static double good_of(const double *row, int columns)
{
    if (columns == 1) return row[0];
    if (fabs(row[0] + row[1] - 1) <= SUM_TOLERANCE && row[0] >= 0 && row[1] >= 0) return row[1];
    return 1 / (1 + exp(row[0] - row[1])); /* softmax of logits */
}

static allot_code wrong_rows(int rows, int n_marks, allot_err *err)
{
    return allot_fail(err, ALLOT_ESERVER,
                      "the reward model returned %d rows for %d steps (it does not know the step "
                      "mark, or cut the text: see --prm-separator, and --no-enable-chunked-prefill "
                      "of older vLLM)",
                      rows, n_marks);
}

/* flat: values of one or two columns without rows. */
static allot_code from_flat(const double *x, int n, int n_marks, double *scores, allot_err *err)
{
    int columns = n == 2 * n_marks ? 2 : 1;
    if (n != columns * n_marks) return wrong_rows(n, n_marks, err);
    for (int i = 0; i < n_marks; i++) {
        scores[i] = good_of(x + columns * i, columns);
        if (!(scores[i] >= 0 && scores[i] <= 1))
            return allot_fail(err, ALLOT_ESERVER,
                              "the reward model's score %g is not within 0 and 1", scores[i]);
    }
    return ALLOT_OK;
}

/* Brings any shape into a flat list; *rows is what the server calls rows. */
static allot_code flatten(const cJSON *data, double **x, int *n, int *rows, allot_err *err)
{
    float *floats;
    size_t n_floats;
    if (cJSON_IsString(data)) {
        if (allot_base64_floats(data->valuestring, strlen(data->valuestring), &floats, &n_floats,
                                err))
            return allot_fail_in(err, "the reward model's answer");
        *x = allot_mem_array(n_floats, sizeof **x, err);
        for (size_t i = 0; *x && i < n_floats; i++)
            (*x)[i] = (double)floats[i];
        free(floats);
        *rows = *n = (int)n_floats;
        return *x ? ALLOT_OK : ALLOT_ERUNTIME;
    }
    int columns = 0;
    const cJSON *row;
    *rows = cJSON_IsArray(data) ? cJSON_GetArraySize(data) : 0;
    *x = allot_mem_array(2 * (size_t)*rows, sizeof **x, err);
    if (!*x) return ALLOT_ERUNTIME;
    *n = 0;
    cJSON_ArrayForEach(row, data)
    {
        int got = read_row(row, *x + *n);
        if (got == 0 || (columns && got != columns))
            return allot_fail(err, ALLOT_ESERVER,
                              "the reward model's rows are not of one or two "
                              "numbers (is it a process reward model?)");
        columns = got;
        *n += got;
    }
    return ALLOT_OK;
}

allot_code allot_prm_pooling_rows(const cJSON *data, int n_marks, double *scores, allot_err *err)
{
    double *x = NULL;
    int n = 0, rows = 0;
    allot_code rc = flatten(data, &x, &n, &rows, err);
    int in_rows = cJSON_IsArray(cJSON_GetArrayItem(data, 0));
    if (!rc && in_rows && rows != n_marks) rc = wrong_rows(rows, n_marks, err);
    if (!rc) rc = from_flat(x, n, n_marks, scores, err);
    free(x);
    return rc;
}

static allot_code take_item(const pooling *p, const cJSON *item, allot_err *err)
{
    const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "index");
    int i = cJSON_IsNumber(index) ? index->valueint : -1;
    if (i < 0 || i >= p->count || p->call->reply.texts[p->from + i].scores)
        return allot_fail(err, ALLOT_ESERVER,
                          "the reward model's answer has a wrong or repeated index");
    allot_prm_text *t = &p->call->reply.texts[p->from + i];
    t->scores = allot_mem_array((size_t)t->n_marks, sizeof *t->scores, err);
    if (!t->scores) return ALLOT_ERUNTIME;
    return allot_prm_pooling_rows(cJSON_GetObjectItemCaseSensitive(item, "data"), t->n_marks,
                                  t->scores, err);
}

static allot_code take_answer(const pooling *p, const allot_http_reply *http, long *tokens,
                              allot_err *err)
{
    cJSON *o = NULL;
    const cJSON *item;
    allot_code rc = allot_json_parse(http->body, http->n, "the answer", &o, err);
    if (rc) return rc;
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(o, "data");
    int n = cJSON_IsArray(data) ? cJSON_GetArraySize(data) : 0;
    if (n != p->count)
        rc = allot_fail(err, ALLOT_ESERVER, "the reward model scored %d texts instead of %d", n,
                        p->count);
    cJSON_ArrayForEach(item, data) if (!rc) rc = take_item(p, item, err);
    const cJSON *usage = cJSON_GetObjectItemCaseSensitive(o, "usage");
    const cJSON *read = cJSON_GetObjectItemCaseSensitive(usage, "prompt_tokens");
    *tokens = cJSON_IsNumber(read) && read->valuedouble > 0 && read->valuedouble < 1e15
                  ? (long)read->valuedouble
                  : 0;
    cJSON_Delete(o);
    return rc;
}

static allot_code send_texts(allot_prm_call *call, int from, int count, allot_err *err);

/* The server's words for a text that its context does not hold. */
static int is_too_long(const allot_http_reply *r)
{
    static const char *const words[] = {"context length", "context size", "max_model_len",
                                        "maximum model length", "too long"};
    for (size_t i = 0; r->status == 400 && i < sizeof words / sizeof *words; i++)
        if (strcasestr(r->body, words[i])) return 1;
    return 0;
}

/* Which text of a batch is too long is not said: each goes alone, and alone it goes without the
 * older half of its steps, until it fits. 1 = sent again. */
static int send_shorter(const pooling *p)
{
    if (p->count == 1) {
        allot_prm_text *t = &p->call->reply.texts[p->from];
        if (t->n_marks < 2) return 0;
        t->first += (t->n_marks + 1) / 2;
        return send_texts(p->call, p->from, 1, NULL) == ALLOT_OK;
    }
    int sent = 0;
    for (int i = 0; i < p->count; i++)
        sent += !send_texts(p->call, p->from + i, 1, NULL);
    return sent == p->count;
}

static void answered(const allot_http_reply *http, void *user)
{
    pooling *p = user;
    allot_err failure = {0};
    long tokens = 0;
    if (allot_http_verdict(http, &failure)) {
        if (is_too_long(http) && send_shorter(p)) failure.code = ALLOT_OK;
    } else if (take_answer(p, http, &tokens, &failure)) {
        (void)allot_fail_in(&failure, "'%s'", http->url);
        failure.code = ALLOT_ESERVER;
    }
    allot_prm_returned(p->call, &failure, tokens, http->retries, http->sent_s, http->done_s);
    free(p);
}

static void dropped(void *user)
{
    pooling *p = user;
    allot_prm_dropped(p->call);
    free(p);
}

static allot_code send_body(pooling *p, const char *body, allot_err *err)
{
    const allot_engine *e = p->call->engine;
    allot_buf url = {0};
    allot_buf_printf(&url, "%s/pooling", e->prm_server.root);
    allot_http_request r = {.url = url.at,
                            .body = body,
                            .n = strlen(body),
                            .api_key = e->prm_server.api_key,
                            .done = answered,
                            .drop = dropped,
                            .user = p};
    allot_code rc = allot_buf_check(&url, err);
    if (!rc) rc = allot_http_send(e->http, &r, err);
    allot_buf_clear(&url);
    return rc;
}

static allot_code send_texts(allot_prm_call *call, int from, int count, allot_err *err)
{
    pooling *p = allot_mem_array(1, sizeof *p, err);
    if (!p) return ALLOT_ERUNTIME;
    *p = (pooling){call, from, count};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", call->engine->prm_model);
    if (call->engine->config.prm_template) add_inputs(o, p);
    else add_messages(o, p);
    char *body = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    allot_code rc =
        body ? send_body(p, body, err) : allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    free(body);
    if (rc) free(p);
    else call->outstanding++;
    return rc;
}

static allot_code start(allot_prm_call *call, allot_err *err)
{
    if (call->engine->config.prm_template) return send_texts(call, 0, call->reply.n, err);
    for (int i = 0; i < call->reply.n; i++) {
        allot_err failure = {0};
        if (!send_texts(call, i, 1, &failure)) continue;
        if (i == 0) return allot_fail(err, failure.code, "%s", failure.msg);
        call->reply.failure = failure; /* reported when those before have come back */
        return ALLOT_OK;
    }
    return ALLOT_OK;
}

const allot_prm_backend allot_prm_pooling = {"vllm-pooling", start};
