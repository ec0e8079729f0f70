/* SPDX-License-Identifier: Apache-2.0 */
/* Reward models with vLLM's STEP pooler, e.g. Qwen2.5-Math-PRM: POST {root}/pooling gives one row
 * [bad, good] for each step mark. With a template of the reward model all texts go in one request
 * ("input"), else one request each ("messages", the server renders its own template). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/base64.h"
#include "lib/engine/job.h"
#include "liballot/mem.h"
#include "lib/engine/prompt.h"

#define SUM_TOLERANCE 1e-3 /* rows further from 1 are logits */

/* What the model reads of a text, marks included. */
static void render_steps(const allot_engine *e, allot_prm_text *t, allot_buf *out)
{
    t->n_marks = allot_prompt_steps(t->text, t->n, e->config.step_separator,
                                    e->config.prm_separator, t->first, out);
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
    *n = *rows = cJSON_IsArray(data) ? cJSON_GetArraySize(data) : 0;
    if (*rows == 0) return ALLOT_OK;
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

static allot_code take_item(const allot_prm_request *r, const cJSON *item, allot_err *err)
{
    allot_prm_text *t = allot_prm_indexed(r, item, err);
    if (!t) return ALLOT_ESERVER;
    allot_code rc = allot_prm_room(t, t->n_marks, err);
    if (rc) return rc;
    return allot_prm_pooling_rows(cJSON_GetObjectItemCaseSensitive(item, "data"), t->n_marks,
                                  t->scores, err);
}

static allot_code take_answer(const allot_prm_request *r, const cJSON *answer, allot_err *err)
{
    const cJSON *item, *data = cJSON_GetObjectItemCaseSensitive(answer, "data");
    int n = cJSON_IsArray(data) ? cJSON_GetArraySize(data) : 0;
    if (n != r->count)
        return allot_fail(err, ALLOT_ESERVER, "the reward model scored %d texts instead of %d", n,
                          r->count);
    allot_code rc = ALLOT_OK;
    cJSON_ArrayForEach(item, data) if (!rc) rc = take_item(r, item, err);
    return rc;
}

static int send_shorter(const allot_prm_request *r);

static allot_code send_texts(allot_prm_call *call, int from, int count, allot_err *err)
{
    const allot_engine *e = call->engine;
    const allot_prm_request r = {
        .call = call, .from = from, .count = count, .read = take_answer, .shorten = send_shorter};
    int batch = allot_prm_template(e) != NULL;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", e->prm_model);
    cJSON *list = batch ? cJSON_AddArrayToObject(o, "input") : NULL;
    if (batch && allot_prompt_bos(allot_prm_template(e)))
        cJSON_AddFalseToObject(o, "add_special_tokens");
    allot_buf steps = {0}, text = {0};
    for (int i = from; i < from + count; i++) {
        allot_buf_reset(&steps);
        allot_buf_reset(&text);
        render_steps(e, &call->reply.texts[i], &steps);
        if (!batch) allot_prm_messages(e, call->reply.texts[i].query, &steps, o);
        else allot_prm_dialogue(e, call->reply.texts[i].query, &steps, 1, &text);
        call->reply.texts[i].weight = (double)text.n + 1;
        if (text.n) cJSON_AddItemToArray(list, cJSON_CreateString(text.at));
    }
    allot_code rc = allot_buf_check(&steps, err);
    if (!rc) rc = allot_buf_check(&text, err);
    if (rc) cJSON_Delete(o);
    else rc = allot_prm_post(&r, "/pooling", o, err);
    allot_buf_clear(&steps);
    allot_buf_clear(&text);
    return rc;
}

/* Which text of a batch is too long is not said: each goes alone, and alone it goes without the
 * older half of its steps, until it fits. 1 = sent again. */
static int send_shorter(const allot_prm_request *r)
{
    if (r->count == 1) {
        allot_prm_text *t = &r->call->reply.texts[r->from];
        if (t->n_marks < 2) return 0;
        t->first += (t->n_marks + 1) / 2;
        return send_texts(r->call, r->from, 1, NULL) == ALLOT_OK;
    }
    int sent = 0;
    for (int i = 0; i < r->count; i++)
        sent += !send_texts(r->call, r->from + i, 1, NULL);
    return sent == r->count;
}

static allot_code send_one(allot_prm_call *call, int text, allot_err *err)
{
    return send_texts(call, text, 1, err);
}

static allot_code start(allot_prm_call *call, allot_err *err)
{
    if (allot_prm_lists(call->engine)) return send_texts(call, 0, call->reply.n, err);
    return allot_prm_each(call, send_one, err);
}

const allot_prm_backend allot_prm_pooling = {
    .kind = "vllm-pooling",
    .lists = ALLOT_PRM_LISTS_TEMPLATE,
    .joins = 1,
    .system_prompt = "Please reason step by step, and put your final answer within \\boxed{}.",
    .start = start};
