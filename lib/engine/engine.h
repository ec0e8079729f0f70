/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - runs strategies for queries on a server. One thread, one event loop, many queries in
 * flight: start jobs, then poll; callbacks come from poll. Nothing here writes files.
 *
 * Sources of samples: "pool" (shared by the pooled strategies) or the text of a strategy that
 * searches.
 * seed of a request = hash(seed, query key, source, run, slot, step, attempt), folded to 31 bits,
 * so that a result does not depend on order or concurrency. */
#ifndef ALLOT_ENGINE_H
#define ALLOT_ENGINE_H
#include <cjson/cJSON.h>
#include "lib/core/options.h"
#include "lib/store/querykey.h"
#include "lib/store/record.h"
#include "liballot/strategy.h"

typedef struct {
    const char *base_url;          /* ".../v1" or without; several behind commas; required */
    const char *model;             /* generator's name on the server; NULL = the only one served */
    const char *server_kind;       /* "auto", "vllm", "openai", ... */
    const char *prm_base_url;      /* several behind commas; NULL = base_url */
    const char *prm_model;         /* NULL = no reward model */
    const char *prm_kind;          /* "vllm-pooling", "logprob", "classify", "rerank", "replay" */
    const char *prm_separator;     /* "<extra_0>": put behind each step */
    const char *prm_system_prompt; /* NULL = that of the kind; "" = none */
    const char *prm_template;   /* text with {problem}, {system} and {steps} (else steps are put at
                                   its end), or a built-in one's name; NULL = messages (the server
                                   renders its template) */
    const char *prm_labels;     /* logprob: the tokens for good and bad, "+,-" */
    const char *prm_activation; /* classify, rerank: "none", scores are in [0, 1]; "sigmoid" */
    const char *prm_scores;     /* replay: file of scores; NULL = none */
    int prm_batch;              /* texts of several queries in one request to the reward model, at
                                   most; 1 = never several texts, not even of one query */
    const char *prm_api_key_env, *prm_api_key_file; /* NULL = the generator's, if it is the same
                                                       server; else none */
    const char *system_prompt;                      /* "" = none */
    const char *prompt_template; /* text with {problem} and {system}, or a built-in one's name, held
                                    here; "server" = the server's, rendered once per query; "chat" =
                                    messages; NULL = "server" where it can be had, else "chat" */
    const char *step_separator;  /* "\n\n" */
    double temperature, top_p;
    long max_tokens;      /* per sample */
    long step_max_tokens; /* per beam-search step */
    const char *api_key_env, *api_key_file;
    int max_concurrency; /* requests in flight */
    int max_retries;
    double max_outage_s; /* how long servers that are away are waited for; 0 = not */
    double timeout_s, connect_timeout_s;
    double first_byte_timeout_s; /* 0 = timeout_s, which it may not exceed */
    double idle_timeout_s;       /* within an answer; 0 = 120 s, or timeout_s if that is less */
    int stream;                  /* texts come piece by piece, so that ttft_s is known */
    long seed;
    int insecure;
    const char *cacert;
    allot_list headers;     /* "Name: value", of every request to every server */
    const char *extra_body; /* JSON object, merged into generation requests; NULL = none */
    const char *preset;     /* of the command line: "paper"; NULL = none */
} allot_engine_config;

void allot_engine_defaults(allot_engine_config *c);
ALLOT_MUST_CHECK allot_code allot_engine_check(const allot_engine_config *c, allot_err *err);

typedef struct allot_engine allot_engine;

/* Connects, detects the server's kind, checks that the models are served. The strings of config are
 * borrowed for the engine's life. */
ALLOT_MUST_CHECK allot_code allot_engine_new(const allot_engine_config *c, allot_engine **out,
                                             allot_err *err);
void allot_engine_free(allot_engine *e);

/* The generation fingerprint's fields (owned by the caller), and {"server": ...} as detected. */
cJSON *allot_engine_fingerprint(const allot_engine *e);
cJSON *allot_engine_server(const allot_engine *e);
/* What the server's kind understands (profile.h); static. */
const struct allot_profile *allot_engine_profile(const allot_engine *e);
/* "'http://host:8000' is vllm 0.26.0 with 'model', prompts: server": for people. out[n]. */
void allot_engine_describe(const allot_engine *e, char *out, size_t n);

/* Asks each server of the reward model whether it scores a text alone as it does among others
 * (prmprobe.h), if a strategy of the set is to use it. Fails with ALLOT_ESERVER if one does not.
 * *checked: 0 if there is nobody to ask, or, after a warning, if one could not be asked. Before any
 * job is started; when it fails, the engine is to be freed. */
ALLOT_MUST_CHECK allot_code allot_engine_check_prm(allot_engine *e, const allot_strategies *set,
                                                   int *checked, allot_err *err);

/* A query, borrowed until its jobs are done. */
typedef struct {
    allot_key key;
    const char *problem; /* UTF-8 */
    size_t n;
    int first_attempt; /* of each of its texts; those before were drawn in vain, in earlier calls */
} allot_query;

/* What came out. rec has type sample, score, beam or error and is the callback's to clear; for
 * whole strategies: type timed, gen[] = all candidates (samples by slot, or finished beams in
 * finishing order), rounds, tokens, seconds; picked = index into gen of the answer, or -1 for none.
 */
typedef struct {
    allot_record rec;
    int picked;
    const char *answer; /* extracted answer inside gen[picked].text, or NULL */
    size_t answer_n;
} allot_done;

typedef void (*allot_done_fn)(allot_done *done, void *user);

/* Pool sample `slot` of a query: reports one record of type sample (or error). */
ALLOT_MUST_CHECK allot_code allot_engine_sample(allot_engine *e, const allot_query *q, int slot,
                                                allot_done_fn f, void *user, allot_err *err);
/* Reward-model scores of a text: reports a record of type score (or error) with key, slot. */
ALLOT_MUST_CHECK allot_code allot_engine_score(allot_engine *e, const allot_query *q, int slot,
                                               const char *text, size_t n, allot_done_fn f,
                                               void *user, allot_err *err);
/* A search, independent run `run`: reports a record of type beam (or error). */
ALLOT_MUST_CHECK allot_code allot_engine_search(allot_engine *e, const allot_query *q,
                                                const allot_strategy *s, int run, allot_done_fn f,
                                                void *user, allot_err *err);
/* A whole strategy, as a user would run it: reports a record of type timed (or error). salt: makes
 * the server's prefix cache cold for this job (NULL = leave it). */
ALLOT_MUST_CHECK allot_code allot_engine_strategy(allot_engine *e, const allot_query *q,
                                                  const allot_strategy *s, int run,
                                                  const char *salt, allot_done_fn f, void *user,
                                                  allot_err *err);
/* Warns of what should not pass unseen at the end of the work: more than 1 % of the texts had to be
 * drawn again (generate.h). */
void allot_engine_warn(const allot_engine *e);
/* The loop of its requests: what others send on it, allot_engine_poll drives as well, within the
 * engine's limits. */
struct allot_http *allot_engine_http(allot_engine *e);
/* Requests waiting or in flight, those of others on its loop, too. Start new jobs while below
 * max_concurrency. */
int allot_engine_in_flight(const allot_engine *e);
/* Seconds that the generator's servers, or the reward model's, have all been away; 0 = they are
 * there, as far as is known. */
double allot_engine_away_s(const allot_engine *e);
/* Requests that got their answer, or none, so far; each try is one. */
long allot_engine_n_requests(const allot_engine *e);
/* Waits up to timeout_ms for events and handles them. Fails when an answer has shown that all
 * others will fail, too. */
ALLOT_MUST_CHECK allot_code allot_engine_poll(allot_engine *e, int timeout_ms, allot_err *err);

#endif
