/* SPDX-License-Identifier: Apache-2.0 */
/* engineflags.h - the command-line options of every tool that talks to a generation server: one
 * place for names and meanings. The targets lie in an allot_engine_config that starts as
 * ALLOT_ENGINE_FLAGS_NONE; what was not given stays unset, so that a tool can tell. */
#ifndef ALLOT_ENGINEFLAGS_H
#define ALLOT_ENGINEFLAGS_H
#include "lib/core/options.h"
#include "lib/engine/engine.h"

/* clang-format off: one row, one option */
/* Unset: NULL, -1 and 0. */
#define ALLOT_ENGINE_FLAGS_NONE                                                                    \
    {                                                                                              \
        .temperature = -1, .top_p = -1, .max_tokens = -1, .step_max_tokens = -1,                   \
        .max_concurrency = -1, .max_retries = -1, .timeout_s = -1, .connect_timeout_s = -1,        \
        .max_outage_s = -1, .first_byte_timeout_s = -1, .idle_timeout_s = -1, .prm_batch = -1      \
    }

/* Rows of an option table: where the servers are and how they are spoken to. */
#define ALLOT_ENGINE_SERVER_ROWS(c)                                                                 \
    {"base-url",                                                                                    \
     ALLOT_OPT_STRING,                                                                              \
     &(c).base_url,                                                                                 \
     "URL",                                                                                         \
     "the generator's server, with or without /v1; several of the same model behind commas "        \
     "(default: $OPENAI_BASE_URL)",                                                                 \
     0,                                                                                             \
     0},                                                                                            \
        {"model",                                                                                   \
         ALLOT_OPT_STRING,                                                                          \
         &(c).model,                                                                                \
         "NAME",                                                                                    \
         "the generator's name there (default: the only model served)",                             \
         0,                                                                                         \
         0},                                                                                        \
        {"server-kind",                                                                             \
         ALLOT_OPT_STRING,                                                                          \
         &(c).server_kind,                                                                          \
         "KIND",                                                                                    \
         "what the server speaks (default: auto, detected)",                                        \
         0,                                                                                         \
         0},                                                                                        \
        {"prm-base-url",                                                                            \
         ALLOT_OPT_STRING,                                                                          \
         &(c).prm_base_url,                                                                         \
         "URL",                                                                                     \
         "the reward model's server, or several (default: those of --base-url)",                    \
         0,                                                                                         \
         0},                                                                                        \
        {"prm-model",                                                                               \
         ALLOT_OPT_STRING,                                                                          \
         &(c).prm_model,                                                                            \
         "NAME",                                                                                    \
         "the process reward model's name (default: none)",                                         \
         0,                                                                                         \
         0},                                                                                        \
        {"max-concurrency",                                                                         \
         ALLOT_OPT_INT,                                                                             \
         &(c).max_concurrency,                                                                      \
         "N",                                                                                       \
         "requests in flight (default: 64)",                                                        \
         1,                                                                                         \
         65536},                                                                                    \
        {"max-retries",                                                                             \
         ALLOT_OPT_INT,                                                                             \
         &(c).max_retries,                                                                          \
         "N",                                                                                       \
         "new tries of a failed request (default: 4)",                                              \
         0,                                                                                         \
         100},                                                                                      \
        {"max-outage",                                                                              \
         ALLOT_OPT_DOUBLE,                                                                          \
         &(c).max_outage_s,                                                                         \
         "SECONDS",                                                                                 \
         "how long servers that all went away, or are loading, are waited for (default: 600)",      \
         0,                                                                                         \
         1e6},                                                                                      \
        {"timeout",                                                                                 \
         ALLOT_OPT_DOUBLE,                                                                          \
         &(c).timeout_s,                                                                            \
         "SECONDS",                                                                                 \
         "for one request, all its tries together (default: 600)",                                  \
         0.001,                                                                                     \
         1e6},                                                                                      \
        {"connect-timeout",                                                                         \
         ALLOT_OPT_DOUBLE,                                                                          \
         &(c).connect_timeout_s,                                                                    \
         "SECONDS",                                                                                 \
         "for the connection (default: 5)",                                                         \
         0.001,                                                                                     \
         1e6},                                                                                      \
        {"first-byte-timeout",                                                                      \
         ALLOT_OPT_DOUBLE,                                                                          \
         &(c).first_byte_timeout_s,                                                                 \
         "SECONDS",                                                                                 \
         "until an answer begins, which may be when its text is whole (default: that of "           \
         "--timeout)",                                                                              \
         0.001,                                                                                     \
         1e6},                                                                                      \
        {"idle-timeout",                                                                            \
         ALLOT_OPT_DOUBLE,                                                                          \
         &(c).idle_timeout_s,                                                                       \
         "SECONDS",                                                                                 \
         "longest silence within an answer (default: 120, or that of --timeout)",                   \
         0.001,                                                                                     \
         1e6},                                                                                      \
        {"api-key-env",                                                                             \
         ALLOT_OPT_STRING,                                                                          \
         &(c).api_key_env,                                                                          \
         "NAME",                                                                                    \
         "environment variable with the API key (default: OPENAI_API_KEY, if set)",                 \
         0,                                                                                         \
         0},                                                                                        \
        {"api-key-file",                                                                            \
         ALLOT_OPT_STRING,                                                                          \
         &(c).api_key_file,                                                                         \
         "FILE",                                                                                    \
         "file with the API key",                                                                   \
         0,                                                                                         \
         0},                                                                                        \
        {"prm-api-key-env",                                                                         \
         ALLOT_OPT_STRING,                                                                          \
         &(c).prm_api_key_env,                                                                      \
         "NAME",                                                                                    \
         "the same for the reward model's server (default: the generator's on the same server, "    \
         "host and port; else none)",                                                               \
         0,                                                                                         \
         0},                                                                                        \
        {"prm-api-key-file", ALLOT_OPT_STRING, &(c).prm_api_key_file, "FILE", "the same", 0, 0},    \
        {"cacert", ALLOT_OPT_STRING, &(c).cacert, "FILE", "certificate authority of the server", 0, \
         0},                                                                                        \
        {"insecure", ALLOT_OPT_FLAG, &(c).insecure, NULL, "accept any certificate", 0, 0},          \
    {                                                                                               \
        "header", ALLOT_OPT_LIST, &(c).headers, "'NAME: VALUE'",                                    \
            "sent with every request to every server; may be given several times", 0, 0             \
    }

/* Rows of an option table: what decides the generated texts (the generation fingerprint). In
 * allot-run --max-tokens is the cap on a whole strategy, so it has the others only. */
#define ALLOT_ENGINE_GENERATION_ROWS(c)                                                            \
    {"max-tokens", ALLOT_OPT_LONG, &(c).max_tokens, "N", "of one sample (default: 2048)", 1,       \
     10000000},                                                                                    \
        ALLOT_ENGINE_PROMPT_ROWS(c)
#define ALLOT_ENGINE_PROMPT_ROWS(c)                                                                \
    {"preset",                                                                                     \
     ALLOT_OPT_STRING,                                                                             \
     &(c).preset,                                                                                  \
     "NAME",                                                                                       \
     "paper: models, prompts and limits of arXiv:2509.09864, unless others are given",             \
     0,                                                                                            \
     0},                                                                                           \
        {"extra-body",                                                                             \
         ALLOT_OPT_STRING,                                                                         \
         &(c).extra_body,                                                                          \
         "JSON",                                                                                   \
         "object with fields to be added to each generation request, e.g. '{\"top_k\": 20}'",      \
         0,                                                                                        \
         0},                                                                                       \
        {"temperature", ALLOT_OPT_DOUBLE, &(c).temperature, "T", "default: 0.8", 0, 100},          \
        {"top-p", ALLOT_OPT_DOUBLE, &(c).top_p, "P", "default: 1", 1e-9, 1},                       \
        {"step-max-tokens",                                                                        \
         ALLOT_OPT_LONG,                                                                           \
         &(c).step_max_tokens,                                                                     \
         "N",                                                                                      \
         "of one beam-search step (default: 2048)",                                                \
         1,                                                                                        \
         10000000},                                                                                \
        {"system-prompt", ALLOT_OPT_STRING, &(c).system_prompt, "TEXT", "taken as it is", 0, 0},   \
        {"prompt-template",                                                                        \
         ALLOT_OPT_STRING,                                                                         \
         &(c).prompt_template,                                                                     \
         "TEXT",                                                                                   \
         "prompt with {problem} and {system}, '\\n' is a line break; or chatml, llama3, mistral, " \
         "gemma; or server: its own, rendered once per query; or chat: messages (default: "        \
         "server, "                                                                                \
         "where it can, else chat)",                                                               \
         0,                                                                                        \
         0},                                                                                       \
        {"step-separator",                                                                         \
         ALLOT_OPT_STRING,                                                                         \
         &(c).step_separator,                                                                      \
         "TEXT",                                                                                   \
         "what ends a step (default: '\\n\\n')",                                                   \
         0,                                                                                        \
         0},                                                                                       \
        {"prm-kind",                                                                               \
         ALLOT_OPT_STRING,                                                                         \
         &(c).prm_kind,                                                                            \
         "KIND",                                                                                   \
         "how the reward model is asked: vllm-pooling, logprob, classify, rerank or replay "       \
         "(default: "                                                                              \
         "vllm-pooling)",                                                                          \
         0,                                                                                        \
         0},                                                                                       \
        {"prm-labels",                                                                             \
         ALLOT_OPT_STRING,                                                                         \
         &(c).prm_labels,                                                                          \
         "GOOD,BAD",                                                                               \
         "logprob: the tokens that tell a good step from a bad one (default: +,-)",                \
         0,                                                                                        \
         0},                                                                                       \
        {"prm-activation",                                                                         \
         ALLOT_OPT_STRING,                                                                         \
         &(c).prm_activation,                                                                      \
         "NAME",                                                                                   \
         "classify, rerank: none, or sigmoid for raw scores (default: none)",                      \
         0,                                                                                        \
         0},                                                                                       \
        {"prm-scores",                                                                             \
         ALLOT_OPT_STRING,                                                                         \
         &(c).prm_scores,                                                                          \
         "FILE",                                                                                   \
         "replay: scores that were made elsewhere, JSON lines",                                    \
         0,                                                                                        \
         0},                                                                                       \
        {"prm-batch",                                                                              \
         ALLOT_OPT_INT,                                                                            \
         &(c).prm_batch,                                                                           \
         "N",                                                                                      \
         "texts of several queries in one request to the reward model, at most; 1: every text in " \
         "one "                                                                                    \
         "of its own (default: 16)",                                                               \
         1,                                                                                        \
         4096},                                                                                    \
        {"prm-separator",                                                                          \
         ALLOT_OPT_STRING,                                                                         \
         &(c).prm_separator,                                                                       \
         "TEXT",                                                                                   \
         "step mark of the reward model (default: <extra_0>)",                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"prm-template",                                                                           \
         ALLOT_OPT_STRING,                                                                         \
         &(c).prm_template,                                                                        \
         "TEXT",                                                                                   \
         "what the reward model reads, with {problem}, {system} and {steps}; or chatml, llama3, "  \
         "mistral, gemma; or chat: messages (default: chat)",                                      \
         0,                                                                                        \
         0},                                                                                       \
    {                                                                                              \
        "prm-system-prompt", ALLOT_OPT_STRING, &(c).prm_system_prompt, "TEXT",                     \
            "what the reward model's dialogue starts with (default: that of the kind)", 0, 0       \
    }

/* clang-format on */

/* Puts what was given into *config. Line breaks written as '\n' (and '\t', '\\') in template and
 * separator are resolved in place: `given` must outlive config and is to be applied once.
 * A missing --base-url is taken from OPENAI_BASE_URL; there must be one. */
ALLOT_MUST_CHECK allot_code allot_engine_flags_apply(const allot_engine_config *given,
                                                     allot_engine_config *config, allot_err *err);
#endif
