/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - the routes, and what they share. A handler returns the HTTP status with the reply filled
 * in, or 0 when the engine is at work. */
#ifndef ALLOT_API_H
#define ALLOT_API_H
#include "demo/httpd.h"

typedef struct {
    const char *method, *path;
    int (*handler)(allot_call *c);
} allot_route;

/* Ends with a row of NULLs. */
extern const allot_route allot_routes[];

int allot_api_completions(allot_call *c);
int allot_api_chat(allot_call *c);
int allot_api_embeddings(allot_call *c);
int allot_api_pooling(allot_call *c);
int allot_api_models(allot_call *c);
int allot_api_tokenize(allot_call *c);
int allot_api_detokenize(allot_call *c);
int allot_api_version(allot_call *c);
int allot_api_health(allot_call *c);
int allot_api_metrics(allot_call *c);
int allot_api_reset(allot_call *c);

/* Writes what is new of a streamed reply to c->reply; called with the call's lock held. */
void allot_api_stream_events(allot_call *c);

/* --- replies --- */

/* The error body of vLLM 0.11 and later; returns status. param: the field, or NULL. */
int allot_api_refuse(allot_call *c, int status, const char *param, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A JSON string; malformed UTF-8 becomes U+FFFD. */
void allot_api_quote(allot_buf *out, const char *text, size_t n);
/* Bytes of text[n] that end with a whole UTF-8 character. */
size_t allot_api_whole_chars(const char *text, size_t n);
/* [x, ...], or a base64 string of the little-endian floats. */
void allot_api_floats(allot_buf *out, const float *x, int n, int base64);
/* "usage":{...} of all sequences; a prompt counts once for its n samples. */
void allot_api_usage(allot_buf *out, const allot_call *c);
const char *allot_api_finish_reason(const allot_seq *s);
/* "logprobs":... of the tokens [from, to) of a sample, as completions or chat write them. */
void allot_api_logprobs(allot_buf *out, const allot_call *c, const allot_seq *s, int from, int to);

/* --- requests; 0 is good, else the status of the refusal --- */

/* Parses the body into c->request: an object. */
int allot_api_parse(allot_call *c);
/* "model" names a served one that can do this (0 generate, 1 score); absent: that one. */
int allot_api_model(allot_call *c, int wanted);
/* Optional fields; null counts as absent. */
int allot_api_number(allot_call *c, const char *field, double min, double max, double absent,
                     double *out);
int allot_api_integer(allot_call *c, const char *field, double min, double max, long absent,
                      long *out);
int allot_api_flag(allot_call *c, const char *field, int absent, int *out);
/* cache_salt as a number; 0 without one. */
int allot_api_salt(allot_call *c, uint64_t *out);
int allot_api_base64(allot_call *c);

/* Token lists; `extra` more tokens have to fit the context. */
typedef struct {
    int32_t **tokens; /* owned [n], owned lists */
    int *n_tokens;    /* owned [n] */
    int n;
} allot_prompts;

/* value: a text, token ids, or a list of either. */
int allot_api_prompts(allot_call *c, const cJSON *value, const char *field, int add_bos, int extra,
                      allot_prompts *out);
/* The chat template: each user message as "Q: ...\n", assistant messages as they are, system
 * messages left out. */
int allot_api_chat_text(allot_call *c, allot_buf *out);
/* The same as one prompt. */
int allot_api_chat_prompt(allot_call *c, int extra, allot_prompts *out);
void allot_prompts_clear(allot_prompts *p);
#endif
