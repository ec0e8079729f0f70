/* SPDX-License-Identifier: Apache-2.0 */
/* Outcome reward models: one score for a whole answer. classify: POST {root}/classify of vLLM
 * ({"input"}, probabilities come back) or SGLang ({"text"}, a number in "embedding"). rerank: POST
 * /v1/rerank of vLLM, SGLang, llama.cpp: the problem is the query, the answers are the documents.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/engine/job.h"
#include "lib/engine/prompt.h"
#include "lib/engine/tokencount.h"

/* Puts one number where it belongs. */
static allot_code keep(const allot_prm_request *r, allot_prm_text *t, const cJSON *value,
                       allot_err *err)
{
    int sigmoid = strcmp(r->call->engine->config.prm_activation, "sigmoid") == 0;
    if (!t) return ALLOT_ESERVER;
    if (!cJSON_IsNumber(value))
        return allot_fail(err, ALLOT_ESERVER, "the reward model's answer has no score");
    double x = value->valuedouble;
    if (sigmoid) x = 1 / (1 + exp(-x));
    if (!(x >= 0 && x <= 1))
        return allot_fail(err, ALLOT_ESERVER,
                          "the reward model's score %g is not within 0 and 1 (give "
                          "--prm-activation sigmoid for raw scores)",
                          x);
    allot_code rc = allot_prm_room(t, 1, err);
    if (!rc) t->scores[0] = x;
    return rc;
}

static allot_code check_count(const allot_prm_request *r, const cJSON *list, allot_err *err)
{
    int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (n == r->count) return ALLOT_OK;
    return allot_fail(err, ALLOT_ESERVER, "the reward model scored %d texts instead of %d", n,
                      r->count);
}

/* One class: its number; two: the second, as in [bad, good]. */
static allot_code take_class(const allot_prm_request *r, allot_prm_text *t, const cJSON *list,
                             allot_err *err)
{
    int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (n == 1 || n == 2) return keep(r, t, cJSON_GetArrayItem(list, n - 1), err);
    return allot_fail(err, ALLOT_ESERVER,
                      "the reward model's answer has %d classes, not one or two (is it a reward "
                      "model?)",
                      n);
}

/* vLLM: {"data": [{"index", "probs"}]}; SGLang: [{"embedding", "meta_info"}] in order. */
static allot_code take_classes(const allot_prm_request *r, const cJSON *answer, allot_err *err)
{
    const cJSON *item, *data = cJSON_GetObjectItemCaseSensitive(answer, "data");
    const cJSON *list = cJSON_IsArray(answer) ? answer : data;
    allot_code rc = check_count(r, list, err);
    int i = r->from;
    cJSON_ArrayForEach(item, list)
    {
        if (rc) break;
        const cJSON *classes = cJSON_GetObjectItemCaseSensitive(item, data ? "probs" : "embedding");
        const cJSON *told = cJSON_GetObjectItemCaseSensitive(item, "meta_info");
        long n_tokens;
        allot_prm_text *t = data ? allot_prm_indexed(r, item, err) : &r->call->reply.texts[i++];
        rc = t ? take_class(r, t, classes, err) : ALLOT_ESERVER;
        if (!rc) rc = allot_tokencount_read(told, "prompt_tokens", &n_tokens, err);
        if (rc || n_tokens <= 0) continue;
        t->weight = (double)n_tokens;
        r->call->reply.prm_tokens += n_tokens;
    }
    return rc;
}

/* {"results": [{"index", "relevance_score"}]}; SGLang: [{"index", "score"}]. */
static allot_code take_ranks(const allot_prm_request *r, const cJSON *answer, allot_err *err)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(answer, "results");
    if (cJSON_IsArray(answer)) list = answer;
    allot_code rc = check_count(r, list, err);
    cJSON_ArrayForEach(item, list)
    {
        if (rc) break;
        const cJSON *score = cJSON_GetObjectItemCaseSensitive(item, "relevance_score");
        if (!score) score = cJSON_GetObjectItemCaseSensitive(item, "score");
        rc = keep(r, allot_prm_indexed(r, item, err), score, err);
    }
    return rc;
}

static int speaks_sglang(const allot_engine *e)
{
    return strcmp(((const allot_profile *)e->prm_state)->kind, "sglang") == 0;
}

/* The texts of a request as a list, in the template of the model. */
static allot_code add_texts(const allot_prm_request *r, cJSON *list, int bare, allot_err *err)
{
    const allot_prm_call *call = r->call;
    allot_buf text = {0}, answer = {0};
    allot_code rc = ALLOT_OK;
    for (int i = r->from; i < r->from + r->count && !rc; i++) {
        allot_prm_text *t = &call->reply.texts[i];
        allot_buf_reset(&answer);
        allot_buf_reset(&text);
        allot_buf_add(bare ? &text : &answer, t->text, t->n);
        if (!bare) allot_prm_dialogue(call->engine, t->query, &answer, 1, &text);
        t->weight = (double)text.n + 1;
        rc = allot_buf_check(&answer, err);
        if (!rc) rc = allot_buf_check(&text, err);
        if (!rc) cJSON_AddItemToArray(list, cJSON_CreateString(text.at));
    }
    allot_buf_clear(&answer);
    allot_buf_clear(&text);
    return rc;
}

static allot_code classify_message(allot_prm_call *call, int text, allot_err *err)
{
    const allot_engine *e = call->engine;
    const allot_prm_request r = {.call = call, .from = text, .count = 1, .read = take_classes};
    const allot_prm_text *t = &call->reply.texts[text];
    allot_buf answer = {0};
    allot_buf_add(&answer, t->text, t->n);
    allot_code rc = allot_buf_check(&answer, err);
    if (rc) return rc;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", e->prm_model);
    allot_prm_messages(e, t->query, &answer, o);
    allot_buf_clear(&answer);
    return allot_prm_post(&r, "/classify", o, err);
}

static allot_code classify_texts(allot_prm_call *call, int from, int count, allot_err *err)
{
    const allot_engine *e = call->engine;
    const allot_prm_request r = {.call = call, .from = from, .count = count, .read = take_classes};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", e->prm_model);
    if (!speaks_sglang(e) && allot_prompt_bos(allot_prm_template(e)))
        cJSON_AddFalseToObject(o, "add_special_tokens");
    cJSON *list = cJSON_AddArrayToObject(o, speaks_sglang(e) ? "text" : "input");
    allot_code rc = add_texts(&r, list, 0, err);
    if (rc) cJSON_Delete(o);
    return rc ? rc : allot_prm_post(&r, "/classify", o, err);
}

static allot_code classify_one(allot_prm_call *call, int text, allot_err *err)
{
    if (!allot_prm_template(call->engine)) return classify_message(call, text, err);
    return classify_texts(call, text, 1, err);
}

static allot_code classify(allot_prm_call *call, allot_err *err)
{
    if (!allot_prm_lists(call->engine)) return allot_prm_each(call, classify_one, err);
    return classify_texts(call, 0, call->reply.n, err);
}

static allot_code rerank_texts(allot_prm_call *call, int from, int count, allot_err *err)
{
    const allot_prm_request r = {.call = call, .from = from, .count = count, .read = take_ranks};
    allot_buf problem = {0};
    cJSON *o = cJSON_CreateObject();
    const allot_query *q = call->reply.texts[from].query;
    allot_buf_add(&problem, q->problem, q->n);
    cJSON_AddStringToObject(o, "model", call->engine->prm_model);
    cJSON_AddStringToObject(o, "query", problem.at ? problem.at : "");
    allot_buf_clear(&problem);
    allot_code rc = add_texts(&r, cJSON_AddArrayToObject(o, "documents"), 1, err);
    if (rc) cJSON_Delete(o);
    return rc ? rc : allot_prm_post(&r, "/v1/rerank", o, err);
}

static allot_code rerank_one(allot_prm_call *call, int text, allot_err *err)
{
    return rerank_texts(call, text, 1, err);
}

static allot_code rerank(allot_prm_call *call, allot_err *err)
{
    if (!allot_prm_lists(call->engine)) return allot_prm_each(call, rerank_one, err);
    return rerank_texts(call, 0, call->reply.n, err);
}

static allot_code check_activation(allot_engine *e, allot_err *err)
{
    const char *name = e->config.prm_activation;
    if (strcmp(name, "none") == 0 || strcmp(name, "sigmoid") == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EUSAGE, "unknown activation '%s' (known: none, sigmoid)", name);
}

/* vLLM and SGLang have a route of the same name with other fields: which one is it? */
static allot_code open_classify(allot_engine *e, allot_err *err)
{
    const allot_profile *found = NULL;
    cJSON *about = NULL;
    allot_code rc = check_activation(e, err);
    if (!rc) rc = allot_profile_detect(e->http, &e->prm_server, &found, &about, err);
    cJSON_Delete(about);
    e->prm_state = (void *)(uintptr_t)found;
    if (rc || strcmp(found->kind, "sglang") != 0 || allot_prm_template(e)) return rc;
    return allot_fail(err, ALLOT_EUSAGE,
                      "SGLang's /classify takes whole texts (name or give the reward model's "
                      "template with --prm-template)");
}

const allot_prm_backend allot_prm_classify = {.kind = "classify",
                                              .system_prompt = "",
                                              .lists = ALLOT_PRM_LISTS_TEMPLATE,
                                              .joins = 1,
                                              .outcome = 1,
                                              .open = open_classify,
                                              .start = classify};
const allot_prm_backend allot_prm_rerank = {.kind = "rerank",
                                            .system_prompt = "",
                                            .lists = ALLOT_PRM_LISTS,
                                            .outcome = 1,
                                            .open = check_activation,
                                            .start = rerank};
