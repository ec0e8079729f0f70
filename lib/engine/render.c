/* SPDX-License-Identifier: Apache-2.0 */
/* One prompt is tried at the start; later ones are asked for once a query, with those who wait
 * for them in a list. */
#include "lib/engine/render.h"
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/engine/job.h"
#include "liballot/mem.h"
#include "lib/engine/prompt.h"

#define N_PLACES 4096 /* prompts that are kept */

typedef struct waiter {
    struct waiter *next;
    allot_render_fn f;
    void *user;
} waiter;

typedef struct {
    allot_renderer *renderer;
    allot_key key;
    waiter *first, **end; /* owned, in the order of asking */
    char *prompt;         /* owned; NULL while it is asked for */
    int undoing;          /* the tokens are there */
} rendering;

struct allot_renderer {
    allot_engine *engine;
    rendering *at[N_PLACES]; /* by key; a newer query takes the place of an older one */
};

static allot_code renderer_new(allot_engine *e, allot_renderer **out, allot_err *err)
{
    *out = allot_mem_array(1, sizeof **out, err);
    if (!*out) return ALLOT_ERUNTIME;
    (*out)->engine = e;
    return ALLOT_OK;
}

static void rendering_free(rendering *x)
{
    if (x) free(x->prompt);
    free(x);
}

void allot_renderer_free(allot_renderer *r)
{
    for (int i = 0; r && i < N_PLACES; i++)
        rendering_free(r->at[i]);
    free(r);
}

static rendering **place_of(allot_renderer *r, const allot_key *key)
{
    return &r->at[allot_key_u64(key) % N_PLACES];
}

static rendering *find(allot_renderer *r, const allot_key *key)
{
    rendering *x = *place_of(r, key);
    return x && memcmp(&x->key, key, sizeof *key) == 0 ? x : NULL;
}

const char *allot_render_known(allot_renderer *r, const allot_query *q)
{
    const rendering *x = find(r, &q->key);
    return x ? x->prompt : NULL;
}

/* Tells all who wait; the prompt is kept unless another query has taken its place. Callbacks may
 * ask again, so the place is empty meanwhile. */
static void finish(rendering *x, const allot_err *failure)
{
    rendering **place = place_of(x->renderer, &x->key);
    if (*place == x) *place = NULL;
    while (x->first) {
        waiter *w = x->first;
        x->first = w->next;
        w->f(x->prompt, failure, w->user);
        free(w);
    }
    if (x->prompt && !*place) *place = x;
    else rendering_free(x);
}

static void dropped(void *user)
{
    finish(user, NULL);
}

static allot_code post(rendering *x, const char *path, cJSON *body, allot_err *err);

/* Tokens become a text: only a text can be continued by a text. */
static allot_code undo_tokens(rendering *x, cJSON *answer, const cJSON *tokens, allot_err *err)
{
    const allot_engine *e = x->renderer->engine;
    const allot_rendering *how = &e->profile->render;
    if (!cJSON_IsArray(tokens) || !tokens->child)
        return allot_fail(err, ALLOT_ESERVER, "the rendered prompt has no '%s'", how->field);
    x->undoing = 1;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "model", e->model);
    cJSON_AddItemToObject(body, "tokens", cJSON_DetachItemFromObject(answer, how->field));
    if (how->skips_specials) cJSON_AddFalseToObject(body, "skip_special_tokens");
    return post(x, how->undo, body, err);
}

/* *more: another request was sent. */
static allot_code take_answer(rendering *x, const allot_http_reply *http, int *more, allot_err *err)
{
    const allot_rendering *how = &x->renderer->engine->profile->render;
    const char *field = x->undoing ? how->text : how->field;
    cJSON *o = NULL;
    allot_code rc = allot_json_parse(http->body, http->n, "the rendered prompt", &o, err);
    if (rc) return rc;
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(o, field);
    if (how->undo && !x->undoing) {
        rc = undo_tokens(x, o, found, err);
        *more = !rc;
    } else if (!cJSON_IsString(found)) {
        rc = allot_fail(err, ALLOT_ESERVER, "the rendered prompt has no '%s'", field);
    } else {
        x->prompt = allot_mem_text(found->valuestring, strlen(found->valuestring), err);
        rc = x->prompt ? ALLOT_OK : ALLOT_ERUNTIME;
    }
    cJSON_Delete(o);
    return rc;
}

static void answered(const allot_http_reply *http, void *user)
{
    rendering *x = user;
    int more = 0;
    allot_err failure = {0};
    if (!allot_http_verdict(http, &failure) && take_answer(x, http, &more, &failure)) {
        (void)allot_fail_in(&failure, "'%s'", http->url);
        failure.code = ALLOT_ESERVER;
    }
    if (!more) finish(x, failure.code ? &failure : NULL);
}

/* Takes the body. */
static allot_code post(rendering *x, const char *path, cJSON *body, allot_err *err)
{
    allot_engine *e = x->renderer->engine;
    char *text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    allot_code rc = ALLOT_OK;
    if (!text) rc = allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    if (!rc) {
        allot_http_request r = {.hosts = &e->hosts,
                                .path = path,
                                .body = text,
                                .n = strlen(text),
                                .api_key = e->server.api_key,
                                .done = answered,
                                .drop = dropped,
                                .user = x};
        rc = allot_http_send(e->http, &r, err);
    }
    free(text);
    return rc;
}

static allot_code ask_server(rendering *x, const allot_query *q, allot_err *err)
{
    const allot_engine *e = x->renderer->engine;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", e->model);
    cJSON *list = cJSON_AddArrayToObject(o, "messages");
    if (*e->config.system_prompt)
        allot_prompt_message(list, "system", e->config.system_prompt,
                             strlen(e->config.system_prompt));
    allot_prompt_message(list, "user", q->problem, q->n);
    const cJSON *kwargs = cJSON_GetObjectItemCaseSensitive(e->extra, "chat_template_kwargs");
    if (kwargs) cJSON_AddItemToObject(o, kwargs->string, cJSON_Duplicate(kwargs, 1));
    if (e->profile->render.undo) cJSON_AddTrueToObject(o, "add_generation_prompt");
    return post(x, e->profile->render.path, o, err);
}

static allot_code wait_for(rendering *x, allot_render_fn f, void *user, allot_err *err)
{
    waiter *w = allot_mem_array(1, sizeof *w, err);
    if (!w) return ALLOT_ERUNTIME;
    *w = (waiter){NULL, f, user};
    *x->end = w;
    x->end = &w->next;
    return ALLOT_OK;
}

allot_code allot_render_ask(allot_renderer *r, const allot_query *q, allot_render_fn f, void *user,
                            allot_err *err)
{
    rendering **place = place_of(r, &q->key), *x = find(r, &q->key);
    if (x) return wait_for(x, f, user, err);
    x = allot_mem_array(1, sizeof *x, err);
    if (!x) return ALLOT_ERUNTIME;
    *x = (rendering){.renderer = r, .key = q->key};
    x->end = &x->first;
    allot_code rc = wait_for(x, f, user, err);
    if (!rc) rc = ask_server(x, q, err);
    if (rc) {
        free(x->first);
        rendering_free(x);
        return rc;
    }
    if (*place && (*place)->prompt) rendering_free(*place);
    *place = x;
    return ALLOT_OK;
}

typedef struct {
    int done;
    allot_err failure;
} trial;

static void tried(const char *prompt, const allot_err *failure, void *user)
{
    trial *t = user;
    t->done = 1;
    if (!prompt && failure) t->failure = *failure;
}

/* Asks for one prompt and waits for it. A server that has the route may still refuse, e.g. because
 * its model has no template. */
static allot_code try_server(allot_engine *e, allot_err *failure, allot_err *err)
{
    trial t = {0};
    const allot_query q = {.problem = "1+1=?", .n = 5};
    allot_code rc = allot_render_ask(e->renderer, &q, tried, &t, err);
    while (!rc && !t.done)
        rc = allot_http_poll(e->http, 100, err);
    *failure = t.failure;
    return rc;
}

allot_code allot_render_choose(allot_engine *e, allot_err *err)
{
    const char *setting = e->config.prompt_template;
    int wanted = setting && strcmp(setting, "server") == 0;
    if (setting && !wanted) return ALLOT_OK;
    e->config.prompt_template = "chat";
    if (!e->profile->render.path)
        return wanted ? allot_fail(err, ALLOT_EUSAGE,
                                   "a server of kind '%s' does not show its chat template (name or "
                                   "give one with --prompt-template)",
                                   e->profile->kind)
                      : ALLOT_OK;
    allot_err failure = {0};
    allot_code rc = renderer_new(e, &e->renderer, err);
    if (!rc) rc = try_server(e, &failure, err);
    if (rc) return rc;
    if (!failure.code) {
        e->config.prompt_template = "server";
        return ALLOT_OK;
    }
    if (wanted)
        return allot_fail(err, failure.code, "%s (name or give a template with --prompt-template)",
                          failure.msg);
    allot_log_info("the server does not show its chat template (%s): prompts go to it in chat form",
                   failure.msg);
    allot_renderer_free(e->renderer);
    e->renderer = NULL;
    return ALLOT_OK;
}
