/* SPDX-License-Identifier: Apache-2.0 */
/* prm.h - reward models: scores in [0, 1] of a text, one for each step (process reward models) or
 * one for all of it (outcome reward models). A new way of asking is one backend. A failure is an
 * error, never a score of 0. */
#ifndef ALLOT_PRM_H
#define ALLOT_PRM_H
#include "lib/engine/engine.h"

/* One text and its scores. */
typedef struct {
    const allot_query *query; /* borrowed until the reply, as the text */
    const char *text;         /* [n] */
    size_t n;
    double weight; /* > 0 of backends that join: its share of a request's tokens. Bytes sent, or the
                      tokens where the answer tells */
    int first;     /* steps left out at the front, because the model's context is short */
    int n_marks;   /* steps scored */
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

/* Can a request hold several texts: no, where the template of the reward model is given, always. */
typedef enum { ALLOT_PRM_NO_LISTS, ALLOT_PRM_LISTS_TEMPLATE, ALLOT_PRM_LISTS } allot_prm_list_rule;

typedef struct {
    const char *kind;          /* "vllm-pooling" */
    const char *system_prompt; /* unless another is given; "" = none */
    allot_prm_list_rule lists;
    int joins;     /* its lists may hold texts of several queries */
    int each_step; /* a request for each step */
    int outcome;   /* one score for a whole answer: no use in beam search */
    int no_server; /* nothing is asked of a server */
    /* Before the first call; NULL = nothing to prepare. It may set e->prm_state. */
    allot_code (*open)(allot_engine *e, allot_err *err);
    void (*close)(void *state); /* of e->prm_state, which may be NULL */
    /* Sends what is needed to score call's texts. */
    allot_code (*start)(allot_prm_call *call, allot_err *err);
} allot_prm_backend;

/* The row of a kind, or NULL; and their names for messages. */
const allot_prm_backend *allot_prm_find(const char *kind);
void allot_prm_kinds(char *out, size_t n);

/* Scores texts [n], n >= 1: in one request where the backend can. alone: no other call's texts may
 * be in it (scorebatch.h). f is called once, from allot_engine_poll. */
ALLOT_MUST_CHECK allot_code allot_prm_score(allot_engine *e, const allot_prm_text *texts, int n,
                                            int alone, allot_prm_fn f, void *user, allot_err *err);

/* Whether requests hold several texts: the backend can, and config.prm_batch is above 1. */
int allot_prm_lists(const allot_engine *e);

/* Makes config's reward model the engine's; drops it with what waits. */
ALLOT_MUST_CHECK allot_code allot_prm_open(allot_engine *e, allot_err *err);
void allot_prm_close(allot_engine *e);

/* Calls that were answered without a server wait for the next allot_engine_poll. */
int allot_prm_waiting(const allot_engine *e);
void allot_prm_deliver(allot_engine *e);

/* For backends. A call lives until all its requests are back. */
struct allot_prm_call {
    allot_engine *engine;
    allot_prm_reply reply;
    int outstanding;
    allot_prm_fn done;
    void *user;
    allot_prm_call *next;  /* of those that wait */
    allot_prm_call *parts; /* owned: calls of which this one has the texts */
    int counted;           /* by scorebatch.c, as being on its way */
};

/* A call with copies of texts [n]; free drops it without a reply. */
ALLOT_MUST_CHECK allot_code allot_prm_call_new(allot_engine *e, const allot_prm_text *texts, int n,
                                               allot_prm_call **out, allot_err *err);
void allot_prm_call_free(allot_prm_call *call);
/* Hands its reply over and frees it. */
void allot_prm_reply_now(allot_prm_call *call);

/* One request of a call; copied when it is posted. */
typedef struct allot_prm_request {
    allot_prm_call *call;
    int from, count; /* the texts of the call that it is about */
    int step, skip;  /* of backends that ask for each step: which, and steps left out before it */
    /* Reads the answer into the texts' scores. */
    allot_code (*read)(const struct allot_prm_request *r, const cJSON *answer, allot_err *err);
    /* The texts are longer than the model's context: sends something shorter, 1 = done. May be
     * NULL. */
    int (*shorten)(const struct allot_prm_request *r);
} allot_prm_request;

/* POSTs body, which it takes, to path below the reward model's root; the answer is read, or its
 * failure kept in the call. */
ALLOT_MUST_CHECK allot_code allot_prm_post(const allot_prm_request *r, const char *path,
                                           cJSON *body, allot_err *err);
/* Posts one request for each text. Fails only when nothing could be sent. */
ALLOT_MUST_CHECK allot_code allot_prm_each(allot_prm_call *call,
                                           allot_code (*send)(allot_prm_call *call, int text,
                                                              allot_err *err),
                                           allot_err *err);
/* The scores are there: they are delivered by the next allot_engine_poll. */
void allot_prm_ready(allot_prm_call *call);
/* Room for the scores of a text: n_marks of them. */
ALLOT_MUST_CHECK allot_code allot_prm_room(allot_prm_text *t, int n_marks, allot_err *err);
/* The item's text by its "index"; NULL if that is wrong or was seen before. */
allot_prm_text *allot_prm_indexed(const allot_prm_request *r, const cJSON *item, allot_err *err);

/* The template of what the model reads, NULL = messages. */
const char *allot_prm_template(const allot_engine *e);
/* The template filled, answer at {steps} or at its end; whole: a built-in template's turn is ended.
 * Appends to out. */
void allot_prm_dialogue(const allot_engine *e, const allot_query *q, const allot_buf *answer,
                        int whole, allot_buf *out);
/* The same as "messages" of body. */
void allot_prm_messages(const allot_engine *e, const allot_query *q, const allot_buf *answer,
                        cJSON *body);

/* vllm-pooling (prm_pooling.c): the scores of the rows of one text, n_marks of them: [[bad,
 * good]...] or [good...], or the same as base64 of little-endian floats. */
ALLOT_MUST_CHECK allot_code allot_prm_pooling_rows(const cJSON *data, int n_marks, double *scores,
                                                   allot_err *err);
extern const allot_prm_backend allot_prm_pooling, allot_prm_logprob, allot_prm_classify,
    allot_prm_rerank, allot_prm_replay;
#endif
