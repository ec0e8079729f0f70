/* SPDX-License-Identifier: Apache-2.0 */
/* allot-run: opens bundle, engine and decider, feeds them queries and prints what came out. */
#include "run/runtool.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/core/textlines.h"
#include "lib/decide/bundlesettings.h"
#include "lib/engine/engineflags.h"
#include "lib/store/bundlefile.h"
#include "run/runquery.h"

typedef struct {
    const allot_runtool *tool;
    const allot_common *common;
    allot_bundle bundle;
    allot_bundlesettings settings;
    allot_strategy forced;
    allot_decider decider;
    allot_runner runner;
} session;

void allot_runtool_defaults(allot_runtool *t)
{
    *t = (allot_runtool){.engine = ALLOT_ENGINE_FLAGS_NONE};
    allot_ruleflags_defaults(&t->rule);
    allot_embedclient_defaults(&t->embed);
}

/* A difference between bundle and surroundings: refused, or with --force only told. */
static allot_code refuse(const session *s, const allot_err *difference, allot_err *err)
{
    if (s->tool->force) {
        allot_log_warn("%s", difference->msg);
        return ALLOT_OK;
    }
    *err = *difference;
    return difference->code;
}

static allot_code check_server(const session *s, allot_err *err)
{
    allot_err difference = {0};
    allot_code rc =
        allot_bundlesettings_agree(&s->settings, s->tool->bundle, s->runner.engine, &difference);
    return rc ? refuse(s, &difference, err) : ALLOT_OK;
}

/* The server of the embeddings: what is not given is the generator's. */
static allot_code set_up_embedding(const session *s, const allot_engine_config *engine,
                                   allot_vectorsource_config *c, allot_err *err)
{
    const allot_runtool *t = s->tool;
    allot_err difference = {0};
    if (allot_vectorsource_agree(&s->bundle, t->embed_prefix, t->embed_pooling, &difference) &&
        refuse(s, &difference, err))
        return err->code;
    c->server = t->embed;
    c->prefix = t->embed_prefix;
    c->http = allot_engine_http(s->runner.engine);
    if (!c->server.base_url) c->server.base_url = engine->base_url;
    if (!c->server.api_key_env && !c->server.api_key_file) {
        c->server.api_key_env = engine->api_key_env;
        c->server.api_key_file = engine->api_key_file;
        c->server.key_of = engine->base_url;
    }
    return ALLOT_OK;
}

static allot_code open_decider(session *s, const allot_engine_config *engine, allot_err *err)
{
    allot_vectorsource_config c = {0};
    allot_code rc = ALLOT_OK;
    if (!allot_vectorsource_builtin(&s->bundle)) rc = set_up_embedding(s, engine, &c, err);
    return rc ? rc : allot_decider_open(&s->bundle, &c, &s->decider, err);
}

static allot_code check_prm(session *s, allot_err *err)
{
    int checked;
    allot_err difference = {0};
    const allot_strategies forced = {.at = &s->forced, .count = 1};
    allot_code rc = allot_engine_check_prm(s->runner.engine,
                                           s->tool->strategy ? &forced : &s->bundle.strategies,
                                           &checked, &difference);
    if (rc == ALLOT_ESERVER && allot_engine_in_flight(s->runner.engine) == 0)
        return refuse(s, &difference, err);
    if (rc) *err = difference;
    return rc;
}

static allot_code open_engine(session *s, const allot_engine_config *config, allot_err *err)
{
    char text[512];
    allot_engine **e = &s->runner.engine;
    allot_code rc = allot_engine_check(config, err);
    if (!rc) rc = allot_engine_new(config, e, err);
    if (rc) return rc;
    allot_engine_describe(*e, text, sizeof text);
    allot_log_debug("%s", text);
    rc = check_server(s, err);
    return rc ? rc : check_prm(s, err);
}

static allot_code open_session(session *s, allot_err *err)
{
    const allot_runtool *t = s->tool;
    allot_runner *r = &s->runner;
    allot_engine_config engine;
    allot_code rc = allot_bundlefile_load(t->bundle, &s->bundle, err);
    *r = (allot_runner){.bundle = &s->bundle, .decider = &s->decider};
    if (!rc) rc = allot_ruleflags_read(&t->rule, &s->bundle.costs, &r->rule, err);
    if (!rc && t->strategy) {
        rc = allot_strategy_parse(t->strategy, &s->forced, err);
        r->forced = &s->forced;
    }
    if (!rc) rc = allot_bundlesettings_read(&s->bundle, t->bundle, &s->settings, err);
    if (!rc) rc = allot_bundlesettings_engine(&s->settings, &t->engine, &engine, err);
    engine.seed = s->common->seed;
    if (!rc) rc = open_engine(s, &engine, err);
    return rc ? rc : open_decider(s, &engine, err);
}

static void close_session(session *s)
{
    allot_engine_free(s->runner.engine); /* its loop may have requests of the decider */
    allot_decider_close(&s->decider);
    allot_bundlesettings_clear(&s->settings);
    allot_bundle_clear(&s->bundle);
}

static const char *text_of(const allot_run_result *r)
{
    return r->picked >= 0 ? r->rec.gen[r->picked].text : "";
}

static void add_costs(cJSON *o, const char *field, double tokens, double seconds)
{
    cJSON *costs = cJSON_AddObjectToObject(o, field);
    allot_json_add_number(costs, "tokens", tokens);
    allot_json_add_number(costs, "seconds", seconds);
}

static cJSON *describe(const session *s, const allot_run_result *r)
{
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(&r->strategy, text);
    cJSON *o = cJSON_CreateObject();
    if (r->answer) cJSON_AddStringToObject(o, "answer", r->answer);
    else cJSON_AddNullToObject(o, "answer");
    cJSON_AddStringToObject(o, "text", text_of(r));
    cJSON_AddStringToObject(o, "strategy", text);
    add_costs(o, "predicted", r->tokens, r->seconds);
    allot_json_add_number(cJSON_GetObjectItem(o, "predicted"), "accuracy", r->accuracy);
    add_costs(o, "measured", (double)r->rec.n_tokens, r->rec.seconds);
    cJSON_AddNumberToObject(o, "redraws", r->rec.attempt);
    allot_json_add_number(o, "select_seconds", r->select_s);
    allot_decide_add_rate(o, &s->runner.rule);
    return o;
}

static void talk(const allot_run_result *r)
{
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(&r->strategy, text);
    if (isnan(r->accuracy)) allot_log_info("%s (not in the bundle)", text);
    else if (isnan(r->seconds))
        allot_log_info("%s: predicted accuracy %.3f, %.0f tokens", text, r->accuracy, r->tokens);
    else
        allot_log_info("%s: predicted accuracy %.3f, %.0f tokens, %.3f s", text, r->accuracy,
                       r->tokens, r->seconds);
    allot_log_info("took %ld tokens, %.3f s, and %.4f s to select", r->rec.n_tokens, r->rec.seconds,
                   r->select_s);
    allot_log_debug("text: %s", text_of(r));
}

static allot_code answer_one(session *s, const char *problem, allot_err *err)
{
    allot_run_result r;
    allot_code rc = allot_runner_ask(&s->runner, problem, strlen(problem), &r, err);
    if (rc) return rc;
    if (s->common->json) {
        cJSON *o = describe(s, &r);
        rc = allot_json_print(o, err);
        cJSON_Delete(o);
    } else {
        talk(&r);
        if (r.answer) printf("%s\n", r.answer);
    }
    if (!rc && !r.answer)
        rc = allot_fail(err, ALLOT_EPARTIAL, "no candidate has an answer that can be read");
    allot_run_result_clear(&r);
    return rc;
}

/* One line in, one out; a query that fails has "error" instead of an answer, but not when those
 * behind it would fail as well. */
static allot_code answer_line(session *s, const char *line, size_t n, const char *where,
                              int *failed, allot_err *err)
{
    cJSON *in;
    const char *problem;
    allot_run_result r = {0};
    allot_err why = {0};
    allot_code rc = allot_json_parse(line, n, where, &in, err);
    if (rc) return rc;
    const char *field = cJSON_HasObjectItem(in, "query") ? "query" : "problem";
    rc = allot_json_string(in, field, where, &problem, err);
    if (!rc) {
        allot_code asked = allot_runner_ask(&s->runner, problem, strlen(problem), &r, &why);
        int ends = asked && (asked == ALLOT_EINTR || allot_runner_is_lost(&s->runner));
        cJSON *o = asked ? cJSON_CreateObject() : describe(s, &r);
        cJSON_AddStringToObject(o, field, problem);
        if (asked) cJSON_AddStringToObject(o, "error", why.msg);
        *failed = asked || !r.answer;
        if (ends)
            rc = allot_fail(err, asked, "%s: %s (the lines before it are done)", where, why.msg);
        else rc = allot_json_print(o, err);
        if (!rc) fflush(stdout);
        cJSON_Delete(o);
        if (!asked) allot_run_result_clear(&r);
    }
    cJSON_Delete(in);
    return rc;
}

static allot_code answer_lines(session *s, allot_err *err)
{
    allot_textlines in;
    const char *line;
    size_t bytes;
    long n_failed = 0, n = 0;
    allot_code rc = allot_textlines_open(s->tool->jsonl, &in, err);
    if (rc) return rc;
    while (!(rc = allot_textlines_next(&in, &line, &bytes, err)) && line) {
        int failed = 0;
        rc = answer_line(s, line, bytes, in.where, &failed, err);
        if (rc) break;
        n++;
        n_failed += failed;
    }
    allot_textlines_close(&in);
    if (!rc && n_failed)
        rc = allot_fail(err, ALLOT_EPARTIAL, "%ld of %ld queries have no answer", n_failed, n);
    return rc;
}

allot_code allot_runtool_run(const allot_runtool *t, const allot_common *common, allot_err *err)
{
    session s = {.tool = t, .common = common};
    if (common->n_args + (t->jsonl != NULL) != 1)
        return allot_fail(err, ALLOT_EUSAGE, "give one query in quotes, or --jsonl FILE");
    allot_code rc = open_session(&s, err);
    if (!rc) rc = t->jsonl ? answer_lines(&s, err) : answer_one(&s, common->args[0], err);
    if (s.runner.engine) allot_engine_warn(s.runner.engine);
    close_session(&s);
    return rc;
}
