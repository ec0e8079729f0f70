/* SPDX-License-Identifier: Apache-2.0 */
/* Checks settings, finds out what the servers are, and starts and drives jobs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/log.h"
#include "lib/core/progress.h"
#include "lib/engine/extrabody.h"
#include "lib/engine/job.h"
#include "liballot/mem.h"
#include "lib/engine/hostlist.h"
#include "lib/engine/prompt.h"
#include "lib/engine/settings.h"

static allot_code check_kinds(const allot_engine_config *c, allot_err *err)
{
    char kinds[256];
    if (strcmp(c->server_kind, "auto") != 0 && !allot_profile_find(c->server_kind)) {
        allot_profile_kinds(kinds, sizeof kinds);
        return allot_fail(err, ALLOT_EUSAGE, "unknown server kind '%s' (known: auto, %s)",
                          c->server_kind, kinds);
    }
    if (!allot_prm_find(c->prm_kind)) {
        allot_prm_kinds(kinds, sizeof kinds);
        return allot_fail(err, ALLOT_EUSAGE, "unknown reward model kind '%s' (known: %s)",
                          c->prm_kind, kinds);
    }
    return ALLOT_OK;
}

static allot_code check_template(const allot_engine_config *c, allot_err *err)
{
    allot_buf unused = {0};
    const char *text = allot_prompt_template(c->prompt_template, 1);
    if (!text) return ALLOT_OK;
    int places = allot_prompt_render(text, "", "", 0, &unused);
    allot_buf_clear(&unused);
    if (places == 1) return ALLOT_OK;
    char names[128];
    allot_prompt_names(names, sizeof names);
    return allot_fail(err, ALLOT_EUSAGE,
                      "the prompt template has %d places for {problem}, not 1 (known by name: "
                      "chat, server, %s)",
                      places, names);
}

/* A limit that is never reached is a mistake: the request ends before. */
static allot_code check_timeouts(const allot_engine_config *c, allot_err *err)
{
    double first = c->first_byte_timeout_s, idle = c->idle_timeout_s;
    if (!(first >= 0) || !(idle >= 0))
        return allot_fail(err, ALLOT_EUSAGE, "a timeout is not within 0 and 1000000 seconds");
    if (first <= c->timeout_s && idle <= c->timeout_s) return ALLOT_OK;
    return allot_fail(err, ALLOT_EUSAGE,
                      "the %s timeout of %g s is above the %g s of a whole request (give a longer "
                      "--timeout)",
                      first > c->timeout_s ? "first byte" : "idle", fmax(first, idle),
                      c->timeout_s);
}

static allot_http_config http_config(const allot_engine_config *c)
{
    allot_http_config h;
    allot_http_defaults(&h);
    h.max_in_flight = c->max_concurrency;
    h.max_retries = c->max_retries;
    h.connect_timeout_s = c->connect_timeout_s;
    h.timeout_s = h.first_byte_timeout_s = h.total_timeout_s = c->timeout_s;
    h.max_outage_s = c->max_outage_s;
    if (c->first_byte_timeout_s > 0) h.first_byte_timeout_s = c->first_byte_timeout_s;
    h.idle_timeout_s =
        c->idle_timeout_s > 0 ? c->idle_timeout_s : fmin(h.idle_timeout_s, c->timeout_s);
    h.insecure = c->insecure;
    h.cacert = c->cacert;
    h.headers = c->headers.at;
    h.n_headers = c->headers.n;
    h.seed = (uint64_t)c->seed;
    return h;
}

allot_code allot_engine_check(const allot_engine_config *c, allot_err *err)
{
    if (!c->base_url) return allot_fail(err, ALLOT_EUSAGE, "no server is given (give --base-url)");
    if (!*c->step_separator || !*c->prm_separator)
        return allot_fail(err, ALLOT_EUSAGE, "a step separator is empty");
    allot_http_config h = http_config(c);
    if (c->seed < 0) return allot_fail(err, ALLOT_EUSAGE, "seed %ld is negative", c->seed);
    allot_code rc = allot_settings_check(c, err);
    if (!rc) rc = check_kinds(c, err);
    if (!rc) rc = check_template(c, err);
    if (!rc) rc = check_timeouts(c, err);
    if (!rc) rc = allot_http_check(&h, err);
    return rc;
}

static allot_code find_models(allot_engine *e, allot_err *err)
{
    const allot_engine_config *c = &e->config;
    allot_code rc = allot_hostlist_pick(e->http, &e->hosts, &e->server, c->model,
                                        c->prm_base_url ? NULL : c->prm_model, &e->model, err);
    return rc || !c->prm_model ? rc : allot_prm_open(e, err);
}

/* What was detected on the first host holds for the others. */
static allot_code check_kind(allot_engine *e, int host, allot_err *err)
{
    const allot_profile *found = NULL;
    cJSON *about = NULL;
    allot_endpoint other = {.root = e->hosts.at[host].root, .api_key = e->server.api_key};
    allot_code rc = allot_profile_detect(e->http, &other, &found, &about, err);
    cJSON_Delete(about);
    if (rc || found == e->profile) return rc;
    return allot_fail(err, ALLOT_EUSAGE,
                      "'%s' is of kind '%s', but '%s' is of kind '%s' (servers that share the work "
                      "must be alike)",
                      e->server.root, e->profile->kind, other.root, found->kind);
}

static allot_code detect_kind(allot_engine *e, allot_err *err)
{
    e->profile = allot_profile_find(e->config.server_kind);
    if (e->profile) return ALLOT_OK;
    allot_code rc = allot_profile_detect(e->http, &e->server, &e->profile, &e->about, err);
    if (!rc && !e->about)
        return allot_fail(err, ALLOT_ESERVER,
                          "'%s' answers, but not as a server that is known: there is no "
                          "'/v1/models' below it (is that the address? if so, say what it speaks "
                          "with --server-kind)",
                          e->server.root);
    for (int i = 0; i < e->hosts.n && !rc; i++)
        if (e->hosts.at[i].failures == 0 && strcmp(e->hosts.at[i].root, e->server.root) != 0)
            rc = check_kind(e, i, err);
    return rc;
}

/* The generator's key goes to no server that it was not given for. */
static allot_code open_prm_server(allot_engine *e, const char *url, allot_err *err)
{
    const allot_engine_config *c = &e->config;
    allot_endpoint *prm = &e->prm_server;
    if (c->prm_api_key_env || c->prm_api_key_file)
        return allot_endpoint_open(url, c->prm_api_key_env, c->prm_api_key_file, prm, err);
    allot_code rc = allot_endpoint_open(url, c->api_key_env, c->api_key_file, prm, err);
    if (rc || !prm->api_key || allot_endpoint_within(url, c->base_url)) return rc;
    allot_endpoint_forget_key(prm);
    if (c->prm_model)
        allot_log_info("'%s' is another server than the generator's: it is not sent its key (give "
                       "one with --prm-api-key-env or --prm-api-key-file)",
                       prm->root);
    return ALLOT_OK;
}

static allot_code connect_server(allot_engine *e, allot_err *err)
{
    const allot_engine_config *c = &e->config;
    const char *prm_url = c->prm_base_url ? c->prm_base_url : c->base_url;
    allot_http_config h = http_config(c);
    allot_code rc = allot_http_new(&h, &e->http, err);
    if (!rc)
        rc = allot_endpoint_open(c->base_url, c->api_key_env, c->api_key_file, &e->server, err);
    if (!rc) rc = open_prm_server(e, prm_url, err);
    if (!rc) rc = allot_hosts_open(c->base_url, &e->hosts, err);
    if (!rc) rc = allot_hosts_open(prm_url, &e->prm_hosts, err);
    if (!rc) rc = find_models(e, err);
    if (!rc) rc = detect_kind(e, err);
    return rc ? rc : allot_render_choose(e, err);
}

allot_code allot_engine_new(const allot_engine_config *c, allot_engine **out, allot_err *err)
{
    allot_code rc = allot_engine_check(c, err);
    if (rc) return rc;
    allot_engine *e = allot_mem_array(1, sizeof *e, err);
    if (!e) return ALLOT_ERUNTIME;
    e->config = *c;
    if (c->extra_body) rc = allot_extrabody_parse(c->extra_body, &e->extra, err);
    if (!rc) rc = connect_server(e, err);
    if (rc) allot_engine_free(e);
    else *out = e;
    return rc;
}

void allot_engine_free(allot_engine *e)
{
    if (!e) return;
    allot_http_free(e->http);
    allot_prm_close(e);
    allot_renderer_free(e->renderer);
    while (e->jobs)
        allot_job_free(e->jobs);
    allot_endpoint_clear(&e->server);
    allot_endpoint_clear(&e->prm_server);
    allot_hosts_clear(&e->hosts);
    allot_hosts_clear(&e->prm_hosts);
    cJSON_Delete(e->about);
    cJSON_Delete(e->extra);
    free(e->model);
    free(e->prm_model);
    free(e);
}

cJSON *allot_engine_fingerprint(const allot_engine *e)
{
    allot_engine_config c = e->config; /* and what was found at the servers */
    cJSON *o = cJSON_CreateObject();
    char *extra = e->extra ? cJSON_PrintUnformatted(e->extra) : NULL;
    c.extra_body = extra;
    c.model = e->model;
    c.prm_model = e->prm_model;
    c.server_kind = e->profile->kind;
    allot_settings_to_fingerprint(&c, e->prm != NULL, o);
    free(extra);
    return o;
}

void allot_engine_describe(const allot_engine *e, char *out, size_t n)
{
    const char *version = allot_profile_version(e->profile, e->about);
    const char *prompts = e->config.prompt_template;
    snprintf(out, n, "'%s'%s is %s%s%s with '%s', prompts: %s", e->server.root,
             e->hosts.n > 1 ? " (and others)" : "", e->profile->kind, *version ? " " : "", version,
             e->model, strchr(prompts, '{') ? "from the template given" : prompts);
}

const struct allot_profile *allot_engine_profile(const allot_engine *e)
{
    return e->profile;
}

cJSON *allot_engine_server(const allot_engine *e)
{
    cJSON *o = cJSON_CreateObject();
    cJSON *server = cJSON_AddObjectToObject(o, "server");
    cJSON_AddStringToObject(server, "kind", e->profile->kind);
    cJSON_AddStringToObject(server, "version", allot_profile_version(e->profile, e->about));
    return o;
}

/* A job that could not begin is forgotten. */
static allot_code begun(allot_job *job, allot_code rc)
{
    if (rc) allot_job_free(job);
    return rc;
}

allot_code allot_engine_sample(allot_engine *e, const allot_query *q, int slot, allot_done_fn f,
                               void *user, allot_err *err)
{
    allot_job *job;
    allot_code rc = allot_job_new(e, q, "pool", 0, f, user, &job, err);
    if (rc) return rc;
    job->rec.slot = slot;
    job->rec.seed = allot_job_seed(job, slot, 0, 0);
    return begun(job, allot_parallel_start(job, slot, 1, err));
}

allot_code allot_engine_score(allot_engine *e, const allot_query *q, int slot, const char *text,
                              size_t n, allot_done_fn f, void *user, allot_err *err)
{
    allot_job *job;
    allot_code rc = allot_job_new(e, q, "pool", 0, f, user, &job, err);
    if (rc) return rc;
    job->rec.slot = slot;
    return begun(job, allot_score_start(job, text, n, err));
}

/* Where the texts of a strategy come from: the pool that all such share, or its own runs. */
static void source_of(const allot_strategy *s, char out[ALLOT_STRATEGY_TEXT])
{
    allot_strategy source = allot_strategy_source(s);
    if (allot_strategy_kind(s) == ALLOT_POOLED) strcpy(out, "pool");
    else allot_strategy_print(&source, out);
}

allot_code allot_engine_search(allot_engine *e, const allot_query *q, const allot_strategy *s,
                               int run, allot_done_fn f, void *user, allot_err *err)
{
    allot_job *job;
    char source[ALLOT_STRATEGY_TEXT];
    source_of(s, source);
    allot_code rc = allot_job_new(e, q, source, run, f, user, &job, err);
    if (rc) return rc;
    job->strategy = *s;
    return begun(job, allot_search_start(job, err));
}

static allot_code start_strategy(allot_job *job, const char *salt, allot_err *err)
{
    if (salt && !(job->salt = allot_mem_text(salt, strlen(salt), err))) return ALLOT_ERUNTIME;
    if (allot_strategy_uses_prm(&job->strategy) && !job->engine->prm)
        return allot_fail(err, ALLOT_EUSAGE, "'%s' needs a reward model (give --prm-model)",
                          allot_method_name(job->strategy.method));
    switch (allot_strategy_kind(&job->strategy)) {
    case ALLOT_POOLED:
        return allot_parallel_start(job, 0, job->strategy.n, err);
    case ALLOT_SEARCH:
        return allot_search_start(job, err);
    case ALLOT_ELSEWHERE:
        break;
    }
    return allot_fail(err, ALLOT_EUSAGE,
                      "a named strategy was measured elsewhere, it cannot be run");
}

allot_code allot_engine_strategy(allot_engine *e, const allot_query *q, const allot_strategy *s,
                                 int run, const char *salt, allot_done_fn f, void *user,
                                 allot_err *err)
{
    allot_job *job;
    char source[ALLOT_STRATEGY_TEXT];
    source_of(s, source);
    allot_code rc = allot_job_new(e, q, source, run, f, user, &job, err);
    if (rc) return rc;
    job->strategy = *s;
    job->timed = 1;
    return begun(job, start_strategy(job, salt, err));
}

void allot_engine_warn(const allot_engine *e)
{
    if (e->n_redraws * 100 > e->n_texts)
        allot_log_warn(
            "%ld redraws for %ld texts: the server failed on these for good, and others "
            "were drawn in their place; the answers are those of the model with this rule",
            e->n_redraws, e->n_texts);
}

struct allot_http *allot_engine_http(allot_engine *e)
{
    return e->http;
}

int allot_engine_in_flight(const allot_engine *e)
{
    return allot_http_pending(e->http) + allot_prm_waiting(e);
}

static double away_s(const allot_hosts *h, double now)
{
    return h->away_since_s > 0 ? now - h->away_since_s : 0;
}

double allot_engine_away_s(const allot_engine *e)
{
    double now = allot_clock_s();
    return fmax(away_s(&e->hosts, now), away_s(&e->prm_hosts, now));
}

long allot_engine_n_requests(const allot_engine *e)
{
    return e->hosts.n_ended + e->prm_hosts.n_ended;
}

allot_code allot_engine_poll(allot_engine *e, int timeout_ms, allot_err *err)
{
    allot_scorebatch_send(e);
    int no_wait = e->prm_ready != NULL;
    if (no_wait) allot_prm_deliver(e);
    allot_code rc = allot_http_poll(e->http, no_wait ? 0 : timeout_ms, err);
    if (rc || !e->stop.code) return rc;
    *err = e->stop;
    return e->stop.code;
}
