/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - what a kind of server understands, how it says that a text has ended, and where it
 * tells of its load. Only fields that a server is known to take are sent (OpenAI answers 400 to
 * others). A new kind is one row. Source: the servers' own sources, 2026. */
#ifndef ALLOT_PROFILE_H
#define ALLOT_PROFILE_H
#include <cjson/cJSON.h>
#include "lib/net/endpoint.h"
#include "lib/net/http.h"

/* How a text that continues an assistant's turn is sent in chat form. */
typedef enum {
    ALLOT_CONTINUE_NONE,   /* not possible: a prompt template is needed */
    ALLOT_CONTINUE_FIELDS, /* continue_final_message and add_generation_prompt */
    ALLOT_CONTINUE_FIELD,  /* continue_final_message only */
    ALLOT_CONTINUE_AUTO    /* a last message of the assistant is continued */
} allot_continue;

/* How the end of sequence is told from a stop string. */
typedef enum {
    ALLOT_EOS_UNKNOWN,       /* it is not: the next step is empty */
    ALLOT_EOS_NO_REASON,     /* finish_reason "stop" and stop_reason null or a token id */
    ALLOT_EOS_MATCHED_TOKEN, /* matched_stop is a number */
    ALLOT_EOS_FINISH,        /* finish_reason is not "stop_sequence" (TGI; "stop" in chat form) */
    ALLOT_EOS_TOKEN          /* finish_reason "eos_token" (llama.cpp, not told in chat form) */
} allot_eos;

/* How a server renders its chat template: POST messages to path, read the field of the answer. */
typedef struct {
    const char *path;   /* NULL = it cannot */
    const char *field;  /* a text; with undo: a list of tokens */
    const char *undo;   /* path that turns tokens into a text, or NULL */
    const char *text;   /* its field of the answer */
    int skips_specials; /* undo leaves special tokens out unless told not to */
} allot_rendering;

/* Names in the text of /metrics (Prometheus); NULL = not told. */
typedef struct {
    const char *running, *waiting;          /* requests, gauges */
    const char *cache_queries, *cache_hits; /* prompt tokens looked up and found, counters */
} allot_metric_names;

/* A field with the value that switches its effect off. */
typedef struct {
    const char *name; /* NULL = no more */
    double off;
} allot_plain;
enum { ALLOT_MAX_PLAIN = 4 };

typedef struct allot_profile {
    const char *kind;        /* "vllm" */
    const char *probe_path;  /* GET below the root answers with an object... */
    const char *probe_field; /* ...that has this field; NULL = cannot be detected */
    const char *version;     /* field of that object */
    const char *completions; /* POST below the root: a prompt in, a text out */
    const char *limit;       /* its field for the most tokens */
    const char *keep_stop;   /* request field that keeps the stop string in the text; NULL: it is
                                cut off, or (TGI) always kept */
    const char *salt;        /* request field for a cold prefix cache, or NULL */
    int salt_is_switch;      /* the field is a boolean to be set to false */
    int bos_field;           /* takes add_special_tokens */
    int refuses_top_p_1;
    /* By how many tokens a count may be above the limit asked for, and a text that ended there may
     * have below it. */
    int tokens_over, tokens_under;
    /* Samplers that the server or the model's own configuration switches on unless told not to. */
    allot_plain plain[ALLOT_MAX_PLAIN];
    allot_continue continues;
    allot_eos eos;
    allot_rendering render;
    const char *reset_cache; /* POST below the root empties the prefix cache, or NULL */
    allot_metric_names metrics;
} allot_profile;

/* The row of a kind, or NULL; and all rows in order, NULL behind the last. */
const allot_profile *allot_profile_find(const char *kind);
const allot_profile *allot_profile_at(int i);

/* "vllm, sglang, ...": for messages. out[n]. */
void allot_profile_kinds(char *out, size_t n);

/* Asks the server what it is; "openai" when nothing is recognised. *about: what it said of itself
 * (the caller deletes it), NULL if nothing, not even which models it has. */
ALLOT_MUST_CHECK allot_code allot_profile_detect(allot_http *h, const allot_endpoint *server,
                                                 const allot_profile **out, cJSON **about,
                                                 allot_err *err);

/* The version in what a server said of itself, "" if there is none. Borrowed from about. */
const char *allot_profile_version(const allot_profile *p, const cJSON *about);

/* llama.cpp tells the end of sequence from a stop string only in the answers of its own
 * /completion; these, whole or a piece of a stream, get the fields of OpenAI's (choices, usage),
 * with finish_reason "eos_token", "stop_sequence" or "length". Other answers stay as they are. */
void allot_profile_answer(cJSON *answer);
#endif
