/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/embeddings: the last token's hidden state. /pooling: the reward model's scores, one pair for
 * each "<extra_0>", as vLLM answers for Qwen2.5-Math-PRM. */
#include <stdlib.h>

#include "demo/api.h"
#include "liballot/mem.h"

/* One sequence for each prompt, with room for its values. */
static int submit(allot_call *c, allot_prompts *prompts, allot_seq_kind kind, uint64_t salt,
                  void (*finish)(allot_call *c))
{
    const allot_served *m = c->server->models[c->model];
    if (!allot_call_seqs(c, prompts->n)) return allot_api_refuse(c, 500, NULL, "out of memory");
    for (int i = 0; i < prompts->n; i++) {
        allot_seq *s = &c->seqs[i];
        size_t rows = 1;
        s->tokens = prompts->tokens[i];
        prompts->tokens[i] = NULL;
        s->n_prompt = s->n_tokens = prompts->n_tokens[i];
        s->kind = kind;
        s->salt = salt;
        s->stop = -1;
        s->n_values = kind == ALLOT_SEQ_EMBED ? m->transformer.n_embd : m->transformer.n_scores;
        for (int t = 0; t < s->n_prompt && kind == ALLOT_SEQ_SCORE; t++)
            rows += s->tokens[t] == m->tokenizer.step;
        s->values = allot_mem_array(rows * (size_t)s->n_values, sizeof *s->values, NULL);
        if (s->values == NULL) return allot_api_refuse(c, 500, NULL, "out of memory");
    }
    allot_call_submit(c, finish);
    return 0;
}

/* The frame that both replies share; 0 when the engine gave up. */
static int open_reply(allot_call *c)
{
    for (int i = 0; i < c->n_seqs; i++) {
        if (c->seqs[i].end == ALLOT_END_ABORT) {
            allot_api_refuse(c, 503, NULL, "the server is shutting down");
            return 0;
        }
    }
    allot_buf_printf(&c->reply,
                     "{\"id\":\"%s\",\"object\":\"list\",\"created\":%ld,\"model\":\"%s\","
                     "\"data\":[",
                     c->id, c->created, c->server->models[c->model]->name);
    c->status = 200;
    return 1;
}

static void finish_embeddings(allot_call *c)
{
    if (!open_reply(c)) return;
    for (int i = 0; i < c->n_seqs; i++) {
        allot_buf_printf(&c->reply, "%s{\"index\":%d,\"object\":\"embedding\",\"embedding\":",
                         i > 0 ? "," : "", i);
        allot_api_floats(&c->reply, c->seqs[i].values, c->seqs[i].n_values, c->base64);
        allot_buf_str(&c->reply, "}");
    }
    allot_buf_str(&c->reply, "],");
    allot_api_usage(&c->reply, c);
    allot_buf_str(&c->reply, "}");
}

static void finish_scores(allot_call *c)
{
    if (!open_reply(c)) return;
    for (int i = 0; i < c->n_seqs; i++) {
        const allot_seq *s = &c->seqs[i];
        allot_buf_printf(&c->reply,
                         "%s{\"index\":%d,\"object\":\"pooling\",\"data\":", i > 0 ? "," : "", i);
        if (c->base64) {
            allot_api_floats(&c->reply, s->values, s->n_rows * s->n_values, 1);
        } else {
            allot_buf_str(&c->reply, "[");
            for (int r = 0; r < s->n_rows; r++) {
                if (r > 0) allot_buf_str(&c->reply, ",");
                allot_api_floats(&c->reply, s->values + r * s->n_values, s->n_values, 0);
            }
            allot_buf_str(&c->reply, "]");
        }
        allot_buf_str(&c->reply, "}");
    }
    allot_buf_str(&c->reply, "],");
    allot_api_usage(&c->reply, c);
    allot_buf_str(&c->reply, "}");
}

int allot_api_embeddings(allot_call *c)
{
    allot_prompts prompts = {0};
    uint64_t salt;
    long dimensions, own;
    int bos;
    int refused = allot_api_parse(c);
    if (!refused) refused = allot_api_model(c, 0);
    if (!refused) refused = allot_api_base64(c);
    if (!refused) refused = allot_api_salt(c, &salt);
    if (!refused) refused = allot_api_flag(c, "add_special_tokens", 1, &bos);
    own = refused ? 0 : c->server->models[c->model]->transformer.n_embd;
    if (!refused) refused = allot_api_integer(c, "dimensions", 1, 1e9, own, &dimensions);
    if (!refused && dimensions != own)
        refused = allot_api_refuse(c, 400, "dimensions",
                                   "this model does not support changing its %ld dimensions", own);
    if (!refused)
        refused = allot_api_prompts(c, cJSON_GetObjectItemCaseSensitive(c->request, "input"),
                                    "input", bos, 0, &prompts);
    if (!refused) refused = submit(c, &prompts, ALLOT_SEQ_EMBED, salt, finish_embeddings);
    allot_prompts_clear(&prompts);
    return refused;
}

/* The prompts of request form A ("messages") or B ("input"). */
int allot_api_pooling(allot_call *c)
{
    allot_prompts prompts = {0};
    int bos, refused = allot_api_parse(c);
    if (!refused) refused = allot_api_model(c, 1);
    if (!refused && c->server->models[c->model]->transformer.n_scores == 0)
        refused = allot_api_refuse(c, 400, "model", "the model has no scoring head");
    if (!refused) refused = allot_api_base64(c);
    if (!refused) refused = allot_api_flag(c, "add_special_tokens", 1, &bos);
    if (refused) return refused;
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(c->request, "input");
    if (cJSON_GetObjectItemCaseSensitive(c->request, "messages") != NULL)
        refused = input != NULL ? allot_api_refuse(c, 400, "input",
                                                   "'input' and 'messages' exclude each other")
                                : allot_api_chat_prompt(c, 0, &prompts);
    else refused = allot_api_prompts(c, input, "input", bos, 0, &prompts);
    if (!refused) refused = submit(c, &prompts, ALLOT_SEQ_SCORE, 0, finish_scores);
    allot_prompts_clear(&prompts);
    return refused;
}
