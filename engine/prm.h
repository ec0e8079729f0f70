/* SPDX-License-Identifier: Apache-2.0 */
/* prm.h - process reward models: one score in [0, 1] for each step of a text. A new way of asking
 * is one backend. A failure is an error, never a score of 0. */
#ifndef ALLOT_PRM_H
#define ALLOT_PRM_H
#include "engine.h"

/* One text and its scores. */
typedef struct {
    const char *text; /* [n] borrowed until the reply */
    size_t n;
    int first;      /* steps left out at the front, because the model's context is short */
    int n_marks;    /* steps sent */
    double *scores; /* owned [n_marks] once scored; take it by setting it to NULL */
} allot_prm_text;

typedef struct allot_prm_call allot_prm_call;

typedef struct {
    allot_err failure;     /* code 0: fine */
    allot_prm_text *texts; /* [n] in the order of the request */
    int n;
    long prm_tokens; /* read by the model */
    int retries;
    double sent_s, done_s; /* first byte sent, last byte received */
} allot_prm_reply;

typedef void (*allot_prm_fn)(allot_prm_reply *reply, void *user);

typedef struct {
    const char *kind; /* "vllm-pooling" */
    /* Sends what is needed to score call's texts. */
    allot_code (*start)(allot_prm_call *call, allot_err *err);
} allot_prm_backend;

/* The row of a kind, or NULL; and their names for messages. */
const allot_prm_backend *allot_prm_find(const char *kind);
void allot_prm_kinds(char *out, size_t n);

/* Scores texts [n], n >= 1, of one query: in one request where the backend can. f is called once,
 * from allot_engine_poll. */
ALLOT_MUST_CHECK allot_code allot_prm_score(allot_engine *e, const allot_query *q,
                                            const allot_prm_text *texts, int n, allot_prm_fn f,
                                            void *user, allot_err *err);

/* For backends. A call lives until all its requests are back. */
struct allot_prm_call {
    allot_engine *engine;
    const allot_query *query;
    allot_prm_reply reply;
    int outstanding;
    allot_prm_fn done;
    void *user;
};

/* One request of a call came back; the last one delivers the call's reply and frees it. */
void allot_prm_returned(allot_prm_call *call, const allot_err *failure, long prm_tokens,
                        int retries, double sent_s, double done_s);
/* A request was thrown away with the engine; the last one frees the call. */
void allot_prm_dropped(allot_prm_call *call);

/* vllm-pooling (prm_pooling.c): the scores of the rows of one text, n_marks of them: [[bad,
 * good]...] or [good...], or the same as base64 of little-endian floats. */
ALLOT_MUST_CHECK allot_code allot_prm_pooling_rows(const cJSON *data, int n_marks, double *scores,
                                                   allot_err *err);
extern const allot_prm_backend allot_prm_pooling;
#endif
