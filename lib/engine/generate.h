/* SPDX-License-Identifier: Apache-2.0 */
/* generate.h - one text from the generator: a completion of a prompt that is held here, else
 * /v1/chat/completions; one choice per request, so that its tokens are known. */
#ifndef ALLOT_GENERATE_H
#define ALLOT_GENERATE_H
#include "lib/engine/engine.h"

/* A text that fails for its own sake (a status 500 that outlasts the retries: llama.cpp's server
 * answers so when the bytes drawn are no UTF-8) is drawn again with the seed of the next attempt. A
 * seed that failed so is passed over when the engine is asked for the same text again. */
#define ALLOT_MAX_DRAWS 4

typedef struct {
    const char *so_far; /* [n] what the answer begins with ("" = nothing); for beam search */
    size_t n;
    uint64_t seeds[ALLOT_MAX_DRAWS]; /* of each attempt */
    long max_tokens;
    int stop_at_step; /* stop behind the next step separator, which stays in the text */
    const char *salt; /* NULL = none */
    const char
        *prompt; /* set by allot_generate: rendered by the server; NULL = from the template */
} allot_generate_request;

/* Borrowed, valid during the callback. */
typedef struct {
    allot_err failure; /* code 0: fine */
    const char *text;  /* [n] valid UTF-8 without NUL, without so_far */
    size_t n;
    allot_finish finish;
    int cut;   /* length, but fewer tokens than asked for: the server's context was full */
    int ended; /* the text is over: end of sequence as far as the server tells, or length */
    long n_tokens, prompt_tokens, cached_tokens;
    int attempt;           /* which of the seeds it has */
    int failed_draws;      /* attempts, if the server failed on each of them; else 0 */
    int retries;           /* of all attempts, each of which is one more */
    double sent_s, done_s; /* as in allot_http_reply */
    double first_s;        /* when the first piece came, of a stream; else NaN */
} allot_generate_reply;

typedef void (*allot_generate_fn)(const allot_generate_reply *reply, void *user);

ALLOT_MUST_CHECK allot_code allot_generate(allot_engine *e, const allot_query *q,
                                           const allot_generate_request *r, allot_generate_fn f,
                                           void *user, allot_err *err);

/* Whether texts are asked for with messages; else with a prompt. */
int allot_generate_in_chat_form(const allot_engine *e);

/* The body of the request, for tests. The caller deletes it; NULL when out of memory. */
cJSON *allot_generate_body(const allot_engine *e, const allot_query *q,
                           const allot_generate_request *r);

/* Reads an answer's JSON into reply (all but the times). The texts belong to *json, which the
 * caller deletes. */
ALLOT_MUST_CHECK allot_code allot_generate_parse(const allot_engine *e,
                                                 const allot_generate_request *r, const char *body,
                                                 size_t n, cJSON **json,
                                                 allot_generate_reply *reply, allot_err *err);
#endif
