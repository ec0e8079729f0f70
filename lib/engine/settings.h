/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - the one table of the engine's settings. Everything that is said of a setting is said
 * in its row: its option and help, what it is unless told, within which bounds, and whether it
 * belongs to the generation fingerprint (lib/store/fingerprint.h), from where allot-run takes it
 * again. Option rows (engineflags.h), defaults, check, writer and reader are made of it. */
#ifndef ALLOT_SETTINGS_H
#define ALLOT_SETTINGS_H
#include <stddef.h>
#include "lib/engine/engine.h"
#include "lib/net/http.h"

/* Whether a setting belongs to the fingerprint: not; it is sent as it is set; or it is found out at
 * the server, so that it is compared, but is no setting of a later run. */
typedef enum { ALLOT_SETTING_APART, ALLOT_SETTING_SENT, ALLOT_SETTING_FOUND } allot_setting_role;

/* clang-format off: one row, one setting */
/* X(c, kind, field, default, role, name in the fingerprint, option, argument, help, min, max) of
 * the fields of allot_engine_config; c is handed on. Kinds: STRING, LITERAL (a text in which '\n'
 * is a line break), INT, LONG, DOUBLE, FLAG, LIST. Fields of the reward model have names that begin
 * with "prm". A default that is no value (NULL, or below min) is told by the help. */

/* Where the servers are and how they are spoken to. */
#define ALLOT_SETTINGS_OF_SERVER(X, c)                                                             \
    X(c, STRING, base_url, NULL, APART, NULL, "base-url", "URL",                                   \
      "the generator's server, with or without /v1; several of the same model behind commas "      \
      "(else $OPENAI_BASE_URL)",                                                                   \
      0, 0),                                                                                       \
        X(c, STRING, model, NULL, SENT, "generator", "model", "NAME",                              \
          "the generator's name there (else the bundle's, or the only one served)", 0, 0),         \
        X(c, STRING, server_kind, "auto", FOUND, "server_kind", "server-kind", "KIND",             \
          "what the server speaks; auto: is detected", 0, 0),                                      \
        X(c, STRING, prm_base_url, NULL, APART, NULL, "prm-base-url", "URL",                       \
          "the reward model's server, or several (else those of --base-url)", 0, 0),               \
        X(c, STRING, prm_model, NULL, SENT, "prm", "prm-model", "NAME",                            \
          "the process reward model's name (else the bundle's, or there is none)", 0, 0),          \
        X(c, INT, max_concurrency, 64, APART, NULL, "max-concurrency", "N", "requests in flight",  \
          1, 65536),                                                                               \
        X(c, INT, max_retries, 4, APART, NULL, "max-retries", "N",                                 \
          "new tries of a failed request", 0, 100),                                                \
        X(c, DOUBLE, max_outage_s, 600, APART, NULL, "max-outage", "SECONDS",                      \
          "how long servers that all went away, or are loading, are waited for", 0, 1e6),          \
        X(c, DOUBLE, timeout_s, 600, APART, NULL, "timeout", "SECONDS",                            \
          "for one request, all its tries together", 0.001, 1e6),                                  \
        X(c, DOUBLE, connect_timeout_s, 5, APART, NULL, "connect-timeout", "SECONDS",              \
          "for the connection", 0.001, 1e6),                                                       \
        X(c, DOUBLE, first_byte_timeout_s, 0, APART, NULL, "first-byte-timeout", "SECONDS",        \
          "until an answer begins, which may be when its text is whole (else that of --timeout)",  \
          0.001, 1e6),                                                                             \
        X(c, DOUBLE, idle_timeout_s, 0, APART, NULL, "idle-timeout", "SECONDS",                    \
          "longest silence within an answer (else " ALLOT_HTTP_IDLE_TEXT                           \
          ", or that of --timeout)",                                                               \
          0.001, 1e6),                                                                             \
        X(c, STRING, api_key_env, NULL, APART, NULL, "api-key-env", "NAME",                        \
          "environment variable with the API key (else OPENAI_API_KEY, if set)", 0, 0),            \
        X(c, STRING, api_key_file, NULL, APART, NULL, "api-key-file", "FILE",                      \
          "file with the API key", 0, 0),                                                          \
        X(c, STRING, prm_api_key_env, NULL, APART, NULL, "prm-api-key-env", "NAME",                \
          "the same for the reward model's server (else the generator's on the same server, "      \
          "host and port, or none)",                                                               \
          0, 0),                                                                                   \
        X(c, STRING, prm_api_key_file, NULL, APART, NULL, "prm-api-key-file", "FILE", "the same",  \
          0, 0),                                                                                   \
        X(c, STRING, cacert, NULL, APART, NULL, "cacert", "FILE",                                  \
          "certificate authority of the server", 0, 0),                                            \
        X(c, FLAG, insecure, 0, APART, NULL, "insecure", NULL, "accept any certificate", 0, 0),    \
        X(c, LIST, headers, {0}, APART, NULL, "header", "'NAME: VALUE'",                           \
          "sent with every request to every server; may be given several times", 0, 0)

/* The longest sample; in allot-run the option of this name is the cap on a whole strategy. */
#define ALLOT_SETTINGS_OF_SAMPLE(X, c)                                                             \
    X(c, LONG, max_tokens, 2048, SENT, "max_tokens", "max-tokens", "N", "of one sample", 1,        \
      10000000)

/* What else decides the generated texts and their scores. */
#define ALLOT_SETTINGS_OF_PROMPT(X, c)                                                             \
    X(c, STRING, preset, NULL, APART, NULL, "preset", "NAME",                                      \
      "paper: models, prompts and limits of arXiv:2509.09864, unless others are given", 0, 0),     \
        X(c, STRING, extra_body, NULL, SENT, "extra_body", "extra-body", "JSON",                   \
          "object with fields to be added to each generation request, e.g. '{\"top_k\": 20}'", 0,  \
          0),                                                                                      \
        X(c, DOUBLE, temperature, 0.8, SENT, "temperature", "temperature", "T",                    \
          "0: always the likeliest token", 0, 100),                                                \
        X(c, DOUBLE, top_p, 1, SENT, "top_p", "top-p", "P",                                        \
          "of the tokens, only the likeliest that make up P; 1: all", 1e-9, 1),                    \
        X(c, LONG, step_max_tokens, 2048, SENT, "step_max_tokens", "step-max-tokens", "N",         \
          "of one beam-search step", 1, 10000000),                                                 \
        X(c, STRING, system_prompt, "", SENT, "system_prompt", "system-prompt", "TEXT",            \
          "taken as it is", 0, 0),                                                                 \
        X(c, LITERAL, prompt_template, NULL, SENT, "prompt_template", "prompt-template", "TEXT",   \
          "prompt with {problem} and {system}, '\\n' is a line break; or chatml, llama3, "         \
          "mistral, "                                                                              \
          "gemma; or server: its own, rendered once per query; or chat: messages (else the "       \
          "bundle's, or server, where it can, or chat)",                                           \
          0, 0),                                                                                   \
        X(c, LITERAL, step_separator, "\n\n", SENT, "step_separator", "step-separator", "TEXT",    \
          "what ends a step", 0, 0),                                                               \
        X(c, STRING, prm_kind, "vllm-pooling", SENT, "prm_kind", "prm-kind", "KIND",               \
          "how the reward model is asked: vllm-pooling, logprob, classify, rerank or replay", 0,   \
          0),                                                                                      \
        X(c, STRING, prm_labels, "+,-", SENT, "prm_labels", "prm-labels", "GOOD,BAD",              \
          "logprob: the tokens that tell a good step from a bad one", 0, 0),                       \
        X(c, STRING, prm_activation, "none", SENT, "prm_activation", "prm-activation", "NAME",     \
          "classify, rerank: none, or sigmoid for raw scores", 0, 0),                              \
        X(c, STRING, prm_scores, NULL, APART, NULL, "prm-scores", "FILE",                          \
          "replay: scores that were made elsewhere, JSON lines", 0, 0),                            \
        X(c, INT, prm_batch, 16, APART, NULL, "prm-batch", "N",                                    \
          "texts of several queries in one request to the reward model, at most; 1: every text "   \
          "in one of its own",                                                                     \
          1, 4096),                                                                                \
        X(c, LITERAL, prm_separator, "<extra_0>", SENT, "prm_separator", "prm-separator", "TEXT",  \
          "step mark of the reward model", 0, 0),                                                  \
        X(c, LITERAL, prm_template, NULL, SENT, "prm_template", "prm-template", "TEXT",            \
          "what the reward model reads, with {problem}, {system} and {steps}; or chatml, llama3, " \
          "mistral, gemma; or chat: messages (else the bundle's, or chat)",                        \
          0, 0),                                                                                   \
        X(c, STRING, prm_system_prompt, NULL, SENT, "prm_system_prompt", "prm-system-prompt",      \
          "TEXT",                                                                                  \
          "what the reward model's dialogue starts with (else the bundle's, or the kind's)", 0, 0)

#define ALLOT_SETTINGS(X, c)                                                                       \
    ALLOT_SETTINGS_OF_SERVER(X, c), ALLOT_SETTINGS_OF_SAMPLE(X, c), ALLOT_SETTINGS_OF_PROMPT(X, c)
/* clang-format on */

/* What each setting is unless told; the seed is 1. */
extern const allot_engine_config allot_engine_default;

/* Puts what was given (is not unset, see ALLOT_ENGINE_FLAGS_NONE) into *config. Escapes are
 * resolved in place: given's texts must be writable, outlive config, and be taken once. */
void allot_settings_take(const allot_engine_config *given, allot_engine_config *config);
/* Refuses numbers of the fingerprint that are out of their bounds. */
ALLOT_MUST_CHECK allot_code allot_settings_check(const allot_engine_config *config, allot_err *err);
/* Adds what belongs to the fingerprint, sorted. Without a reward model its fields are "". */
void allot_settings_to_fingerprint(const allot_engine_config *config, int has_prm, cJSON *out);
/* Takes what was sent from a fingerprint; config borrows its texts. What is absent or empty there
 * stays as it is in *config. */
ALLOT_MUST_CHECK allot_code allot_settings_from_fingerprint(const cJSON *fingerprint,
                                                            const char *where,
                                                            allot_engine_config *config,
                                                            allot_err *err);
#endif
