/* SPDX-License-Identifier: Apache-2.0 */
/* render.h - the prompt of a query in the server's own chat template, asked for once per query, so
 * that every text of the query continues the same prompt. Not part of any strategy's seconds. */
#ifndef ALLOT_RENDER_H
#define ALLOT_RENDER_H
#include "lib/engine/engine.h"

typedef struct allot_renderer allot_renderer;

/* prompt: borrowed, valid during the callback; NULL: failure says why, or is NULL when the engine
 * is being freed (then free, and report nothing). */
typedef void (*allot_render_fn)(const char *prompt, const allot_err *failure, void *user);

/* Settles e->config.prompt_template. "server": e->renderer asks for prompts; NULL: the same where
 * the server can do it, else "chat". One blocking request. */
ALLOT_MUST_CHECK allot_code allot_render_choose(allot_engine *e, allot_err *err);
/* After the engine's http, which tells all who wait. NULL is fine. */
void allot_renderer_free(allot_renderer *r);

/* The prompt of q if it is known, else NULL. Borrowed until the next call of a function here. */
const char *allot_render_known(allot_renderer *r, const allot_query *q);
/* Asks for a prompt that is not known; f is called once, from allot_engine_poll. */
ALLOT_MUST_CHECK allot_code allot_render_ask(allot_renderer *r, const allot_query *q,
                                             allot_render_fn f, void *user, allot_err *err);
#endif
