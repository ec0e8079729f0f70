/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - what a kind of server understands and how it says that a text has ended. Only fields
 * that a server is known to take are sent (OpenAI answers 400 to others). A new kind is one row.
 * Source: the servers' own sources, 2026. */
#ifndef ALLOT_PROFILE_H
#define ALLOT_PROFILE_H
#include <cjson/cJSON.h>
#include "core/endpoint.h"
#include "core/http.h"

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
    ALLOT_EOS_FINISH         /* finish_reason "eos_token" */
} allot_eos;

typedef struct {
    const char *kind;        /* "vllm" */
    const char *probe_path;  /* GET below the root answers with an object... */
    const char *probe_field; /* ...that has this field; NULL = cannot be detected */
    const char *keep_stop;   /* request field that keeps the stop string in the text, or NULL */
    int always_keeps_stop;
    const char *salt;   /* request field for a cold prefix cache, or NULL */
    int salt_is_switch; /* the field is a boolean to be set to false */
    int bos_field;      /* takes add_special_tokens */
    allot_continue continues;
    allot_eos eos;
} allot_profile;

/* The row of a kind, or NULL. */
const allot_profile *allot_profile_find(const char *kind);

/* "vllm, sglang, ...": for messages. out[n]. */
void allot_profile_kinds(char *out, size_t n);

/* Asks the server what it is; "openai" when nothing is recognised. *about: what it said of itself
 * (the caller deletes it), NULL if nothing. */
ALLOT_MUST_CHECK allot_code allot_profile_detect(allot_http *h, const allot_endpoint *server,
                                                 const allot_profile **out, cJSON **about,
                                                 allot_err *err);
#endif
