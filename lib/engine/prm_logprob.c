/* SPDX-License-Identifier: Apache-2.0 */
/* Reward models that say "+" or "-" behind each step (RLHFlow's, math-shepherd): one request for
 * each step asks any server for the probabilities of the next token; score = p(+) / (p(+) + p(-)).
 * As messages, each step is a user's turn answered by "+"; with a template the prompt holds the
 * steps so far, each with its mark behind it, and goes to /v1/completions. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/engine/job.h"
#include "lib/engine/prompt.h"

#define N_TOP 5 /* as many as every server gives */

static void label(const allot_engine *e, int good, char *out, size_t n)
{
    const char *comma = strchr(e->config.prm_labels, ',');
    if (good) snprintf(out, n, "%.*s", (int)(comma - e->config.prm_labels), e->config.prm_labels);
    else snprintf(out, n, "%s", comma + 1);
}

/* A token's text may have a blank in front. */
static int is_token(const char *token, const char *wanted)
{
    static const char *const blanks[] = {" ", "\xe2\x96\x81", "\xc4\xa0"};
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        if (strncmp(token, blanks[i], strlen(blanks[i])) == 0) token += strlen(blanks[i]);
    return strcmp(token, wanted) == 0;
}

typedef struct {
    char good[64], bad[64];
    double p_good, p_bad;
} chances;

static void add_token(chances *c, const char *token, const cJSON *logprob)
{
    if (!token || !cJSON_IsNumber(logprob) || !(logprob->valuedouble <= 1e-6)) return;
    if (is_token(token, c->good)) c->p_good += exp(logprob->valuedouble);
    if (is_token(token, c->bad)) c->p_bad += exp(logprob->valuedouble);
}

/* Both shapes: {"content": [{"top_logprobs": [{"token", "logprob"}]}]} and
 * {"top_logprobs": [{"+": -0.1}]}. */
static void read_tokens(const cJSON *logprobs, chances *c)
{
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(logprobs, "content");
    const cJSON *first = cJSON_GetArrayItem(content, 0), *t;
    const cJSON *top = cJSON_GetObjectItemCaseSensitive(first ? first : logprobs, "top_logprobs");
    if (!first) top = cJSON_GetArrayItem(top, 0);
    cJSON_ArrayForEach(t, top)
    {
        if (cJSON_IsNumber(t)) add_token(c, t->string, t);
        else
            add_token(c, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(t, "token")),
                      cJSON_GetObjectItemCaseSensitive(t, "logprob"));
    }
}

static allot_code take_answer(const allot_prm_request *r, const cJSON *answer, allot_err *err)
{
    const cJSON *choices = cJSON_GetObjectItemCaseSensitive(answer, "choices");
    chances c = {.p_good = 0};
    label(r->call->engine, 1, c.good, sizeof c.good);
    label(r->call->engine, 0, c.bad, sizeof c.bad);
    read_tokens(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(choices, 0), "logprobs"), &c);
    if (!(c.p_good + c.p_bad > 0))
        return allot_fail(err, ALLOT_ESERVER,
                          "the reward model's next token is neither '%s' nor '%s' (see "
                          "--prm-labels; the server must give logprobs)",
                          c.good, c.bad);
    allot_prm_text *t = &r->call->reply.texts[r->from];
    t->scores[r->step] = c.p_good / (c.p_good + c.p_bad);
    return ALLOT_OK;
}

/* One turn for each step from skip to step; the problem is in front of the first. */
static void add_turns(const allot_engine *e, cJSON *list, char *steps, const allot_buf *problem,
                      const allot_prm_request *r)
{
    const char *mark = e->config.prm_separator, *system_prompt = e->config.prm_system_prompt;
    char good[64];
    label(e, 1, good, sizeof good);
    allot_buf turn = {0};
    if (*system_prompt) allot_prompt_message(list, "system", system_prompt, strlen(system_prompt));
    allot_buf_add(&turn, problem->at, problem->n);
    allot_buf_str(&turn, " ");
    for (int i = 0; i <= r->step; i++) {
        char *end = strstr(steps, mark);
        if (i >= r->skip) {
            allot_buf_add(&turn, steps, (size_t)(end - steps));
            allot_prompt_message(list, "user", turn.at ? turn.at : "", turn.n);
            if (i < r->step) allot_prompt_message(list, "assistant", good, strlen(good));
            allot_buf_reset(&turn);
        }
        steps = end + strlen(mark);
    }
    allot_buf_clear(&turn);
}

/* The steps from skip to step, each with its mark. */
static void cut_steps(const char *steps, const char *mark, const allot_prm_request *r,
                      allot_buf *out)
{
    for (int i = 0; i <= r->step; i++) {
        const char *end = strstr(steps, mark) + strlen(mark);
        if (i >= r->skip) allot_buf_add(out, steps, (size_t)(end - steps));
        steps = end;
    }
}

static void add_prompt(const allot_prm_call *call, cJSON *o, const char *steps,
                       const allot_prm_request *r)
{
    const allot_engine *e = call->engine;
    allot_buf some = {0}, prompt = {0};
    cut_steps(steps, e->config.prm_separator, r, &some);
    allot_prm_dialogue(e, call->reply.texts[r->from].query, &some, 0, &prompt);
    size_t bos = allot_prompt_bos(prompt.at ? prompt.at : "");
    cJSON_AddStringToObject(o, "prompt", prompt.at ? prompt.at + bos : "");
    allot_buf_clear(&some);
    allot_buf_clear(&prompt);
}

static int send_shorter(const allot_prm_request *r);

static allot_code send_step(const allot_prm_request *r, char *steps, allot_err *err)
{
    const allot_engine *e = r->call->engine;
    int chat = !allot_prm_template(e);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", e->prm_model);
    cJSON_AddNumberToObject(o, "max_tokens", 1);
    cJSON_AddNumberToObject(o, "temperature", 1); /* 0 and others may change the logprobs */
    if (chat) {
        allot_buf problem = {0};
        const allot_query *q = r->call->reply.texts[r->from].query;
        allot_prompt_without(q->problem, q->n, e->config.prm_separator, &problem);
        cJSON_AddTrueToObject(o, "logprobs");
        cJSON_AddNumberToObject(o, "top_logprobs", N_TOP);
        add_turns(e, cJSON_AddArrayToObject(o, "messages"), steps, &problem, r);
        allot_buf_clear(&problem);
    } else {
        cJSON_AddNumberToObject(o, "logprobs", N_TOP);
        add_prompt(r->call, o, steps, r);
    }
    return allot_prm_post(r, chat ? "/v1/chat/completions" : "/v1/completions", o, err);
}

static int mark_steps(const allot_engine *e, const allot_prm_text *t, allot_buf *out)
{
    return allot_prompt_steps(t->text, t->n, e->config.step_separator, e->config.prm_separator, 0,
                              out);
}

/* Without the older half of the steps that are there. */
static int send_shorter(const allot_prm_request *r)
{
    allot_prm_text *t = &r->call->reply.texts[r->from];
    allot_prm_request shorter = *r;
    if (r->step == r->skip) return 0;
    shorter.skip += (r->step - r->skip + 1) / 2;
    if (shorter.skip > t->first) t->first = shorter.skip;
    allot_buf steps = {0};
    (void)mark_steps(r->call->engine, t, &steps);
    int sent = !allot_buf_check(&steps, NULL) && !send_step(&shorter, steps.at, NULL);
    allot_buf_clear(&steps);
    return sent;
}

static allot_code send_text(allot_prm_call *call, int text, allot_err *err)
{
    allot_prm_text *t = &call->reply.texts[text];
    allot_buf steps = {0};
    int n = mark_steps(call->engine, t, &steps);
    allot_code rc = allot_buf_check(&steps, err);
    if (!rc) rc = allot_prm_room(t, n, err);
    for (int i = 0; i < n && !rc; i++) {
        const allot_prm_request r = {.call = call,
                                     .from = text,
                                     .count = 1,
                                     .step = i,
                                     .read = take_answer,
                                     .shorten = send_shorter};
        rc = send_step(&r, steps.at, err);
    }
    allot_buf_clear(&steps);
    return rc;
}

static allot_code start(allot_prm_call *call, allot_err *err)
{
    return allot_prm_each(call, send_text, err);
}

static allot_code open_labels(allot_engine *e, allot_err *err)
{
    const char *labels = e->config.prm_labels, *comma = strchr(labels, ',');
    if (comma && comma > labels && comma[1] && !strchr(comma + 1, ',') && strlen(labels) < 64)
        return ALLOT_OK;
    return allot_fail(err, ALLOT_EUSAGE,
                      "'%s' is not two labels (the tokens for good and bad, like '+,-')", labels);
}

const allot_prm_backend allot_prm_logprob = {
    .kind = "logprob", .system_prompt = "", .each_step = 1, .open = open_labels, .start = start};
