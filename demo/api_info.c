/* SPDX-License-Identifier: Apache-2.0 */
/* The small routes, and the table of all. */
#include <string.h>

#include "demo/api.h"

const allot_route allot_routes[] = {{"GET", "/v1/models", allot_api_models},
                                    {"POST", "/v1/completions", allot_api_completions},
                                    {"POST", "/v1/chat/completions", allot_api_chat},
                                    {"POST", "/v1/embeddings", allot_api_embeddings},
                                    {"POST", "/pooling", allot_api_pooling},
                                    {"POST", "/tokenize", allot_api_tokenize},
                                    {"POST", "/detokenize", allot_api_detokenize},
                                    {"GET", "/version", allot_api_version},
                                    {"GET", "/health", allot_api_health},
                                    {"GET", "/ping", allot_api_health},
                                    {"GET", "/metrics", allot_api_metrics},
                                    {"POST", "/reset_prefix_cache", allot_api_reset},
                                    {NULL, NULL, NULL}};

int allot_api_models(allot_call *c)
{
    allot_buf_str(&c->reply, "{\"object\":\"list\",\"data\":[");
    for (int i = 0; i < c->server->n_models; i++) {
        const allot_served *m = c->server->models[i];
        allot_buf_printf(&c->reply,
                         "%s{\"id\":\"%s\",\"object\":\"model\",\"created\":%ld,\"owned_by\":"
                         "\"allot\",\"root\":\"%s\",\"parent\":null,\"max_model_len\":%d,"
                         "\"permission\":[]}",
                         i > 0 ? "," : "", m->name, c->server->created, m->name,
                         m->transformer.n_ctx);
    }
    allot_buf_str(&c->reply, "]}");
    return c->status = 200;
}

/* Says it speaks vLLM's API, so that clients that detect servers by /version treat it as one. */
int allot_api_version(allot_call *c)
{
    allot_buf_str(&c->reply, "{\"version\":\"0.11.0+allot.demo." ALLOT_VERSION "\"}");
    return c->status = 200;
}

int allot_api_health(allot_call *c)
{
    return c->status = 200;
}

int allot_api_reset(allot_call *c)
{
    allot_scheduler_reset_cache(c->server->scheduler);
    return c->status = 200;
}

int allot_api_metrics(allot_call *c)
{
    allot_metrics *sets[ALLOT_MAX_MODELS];
    for (int i = 0; i < c->server->n_models; i++)
        sets[i] = &c->server->models[i]->metrics;
    allot_metrics_print(sets, c->server->n_models, &c->reply);
    c->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return c->status = 200;
}

/* These two serve any model: they take "model" by name, the generator by default. */
static int any_model(allot_call *c)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(c->request, "model");
    if (cJSON_IsString(v)) {
        for (int i = 1; i < c->server->n_models; i++) {
            if (strcmp(v->valuestring, c->server->models[i]->name) == 0) {
                c->model = i;
                return 0;
            }
        }
    }
    return allot_api_model(c, 0);
}

int allot_api_tokenize(allot_call *c)
{
    allot_prompts p = {0};
    int bos, names, refused = allot_api_parse(c);
    if (!refused) refused = any_model(c);
    if (!refused) refused = allot_api_flag(c, "add_special_tokens", 1, &bos);
    if (!refused) refused = allot_api_flag(c, "return_token_strs", 0, &names);
    if (refused) return refused;
    const cJSON *prompt = cJSON_GetObjectItemCaseSensitive(c->request, "prompt");
    if (cJSON_GetObjectItemCaseSensitive(c->request, "messages") != NULL)
        refused = allot_api_chat_prompt(c, 0, &p);
    else if (!cJSON_IsString(prompt))
        refused = allot_api_refuse(c, 400, "prompt", "'prompt' is not a string");
    else refused = allot_api_prompts(c, prompt, "prompt", bos, 0, &p);
    if (!refused) {
        const allot_served *m = c->server->models[c->model];
        allot_buf_printf(&c->reply, "{\"count\":%d,\"max_model_len\":%d,\"tokens\":[",
                         p.n_tokens[0], m->transformer.n_ctx);
        for (int i = 0; i < p.n_tokens[0]; i++)
            allot_buf_printf(&c->reply, "%s%d", i > 0 ? "," : "", (int)p.tokens[0][i]);
        allot_buf_str(&c->reply, names ? "],\"token_strs\":[" : "],\"token_strs\":null");
        for (int i = 0; names && i < p.n_tokens[0]; i++) {
            const char *name = m->tokenizer.tokens[p.tokens[0][i]].name;
            if (i > 0) allot_buf_str(&c->reply, ",");
            allot_api_quote(&c->reply, name, strlen(name));
        }
        allot_buf_str(&c->reply, names ? "]}" : "}");
        c->status = refused = 200;
    }
    allot_prompts_clear(&p);
    return refused;
}

int allot_api_detokenize(allot_call *c)
{
    allot_prompts p = {0};
    allot_buf text = {0};
    int refused = allot_api_parse(c);
    if (!refused) refused = any_model(c);
    if (refused) return refused;
    const cJSON *tokens = cJSON_GetObjectItemCaseSensitive(c->request, "tokens");
    if (!cJSON_IsArray(tokens) || !cJSON_IsNumber(tokens->child))
        return allot_api_refuse(c, 400, "tokens", "'tokens' is not a list of token ids");
    refused = allot_api_prompts(c, tokens, "tokens", 0, 0, &p);
    if (!refused) {
        const allot_tokenizer *t = &c->server->models[c->model]->tokenizer;
        for (int i = 0; i < p.n_tokens[0]; i++) {
            const allot_token *token = &t->tokens[p.tokens[0][i]];
            if (token->special) allot_buf_str(&text, token->name);
            else allot_buf_add(&text, token->text, token->n);
        }
        allot_buf_str(&c->reply, "{\"prompt\":");
        allot_api_quote(&c->reply, text.at == NULL ? "" : text.at, text.n);
        allot_buf_str(&c->reply, "}");
        c->status = refused = 200;
    }
    allot_buf_clear(&text);
    allot_prompts_clear(&p);
    return refused;
}
