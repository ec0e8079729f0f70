/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/engine/engineflags.h"
#include <stdlib.h>
#include <string.h>

/* A shell or a makefile passes a line break most easily as the two characters '\n'. The result is
 * never longer, and option strings belong to the option parser, which made them writable. */
static void unescape(const char *text)
{
    char *to = (char *)(uintptr_t)text;
    for (const char *from = text; *from; from++) {
        if (from[0] == '\\' && (from[1] == 'n' || from[1] == 't' || from[1] == '\\')) {
            from++;
            *to++ = *from == 'n' ? '\n' : *from == 't' ? '\t' : '\\';
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

static void take_text(const char *given, const char **to)
{
    if (given) *to = given;
}

static void take_numbers(const allot_engine_config *given, allot_engine_config *c)
{
    if (given->temperature >= 0) c->temperature = given->temperature;
    if (given->top_p >= 0) c->top_p = given->top_p;
    if (given->max_tokens >= 0) c->max_tokens = given->max_tokens;
    if (given->step_max_tokens >= 0) c->step_max_tokens = given->step_max_tokens;
    if (given->prm_batch >= 0) c->prm_batch = given->prm_batch;
    if (given->max_concurrency >= 0) c->max_concurrency = given->max_concurrency;
    if (given->max_retries >= 0) c->max_retries = given->max_retries;
    if (given->max_outage_s >= 0) c->max_outage_s = given->max_outage_s;
    if (given->timeout_s >= 0) c->timeout_s = given->timeout_s;
    if (given->first_byte_timeout_s >= 0) c->first_byte_timeout_s = given->first_byte_timeout_s;
    if (given->idle_timeout_s >= 0) c->idle_timeout_s = given->idle_timeout_s;
    if (given->connect_timeout_s >= 0) c->connect_timeout_s = given->connect_timeout_s;
    if (given->insecure) c->insecure = 1;
}

/* The paper says nothing of its prompts: this one is what its reward model was trained with. */
static allot_code take_preset(const char *name, allot_engine_config *c, allot_err *err)
{
    if (!name) return ALLOT_OK;
    if (strcmp(name, "paper") != 0)
        return allot_fail(err, ALLOT_EUSAGE, "unknown preset '%s' (known: paper)", name);
    c->model = "Qwen/Qwen2.5-1.5B-Instruct";
    c->prm_model = "Qwen/Qwen2.5-Math-PRM-7B";
    c->prm_kind = "vllm-pooling";
    c->prm_separator = "<extra_0>";
    c->prm_template = "chatml";
    c->prm_system_prompt = c->system_prompt =
        "Please reason step by step, and put your final answer within \\boxed{}.";
    c->prompt_template = "chatml";
    c->step_separator = "\n\n";
    c->temperature = 0.8;
    c->top_p = 1;
    c->max_tokens = c->step_max_tokens = 2048;
    return ALLOT_OK;
}

allot_code allot_engine_flags_apply(const allot_engine_config *given, allot_engine_config *config,
                                    allot_err *err)
{
    allot_code rc = take_preset(given->preset, config, err);
    if (rc) return rc;
    take_numbers(given, config);
    if (given->headers.n) config->headers = given->headers;
    take_text(given->extra_body, &config->extra_body);
    take_text(getenv("OPENAI_BASE_URL"), &config->base_url);
    take_text(given->base_url, &config->base_url);
    take_text(given->model, &config->model);
    take_text(given->server_kind, &config->server_kind);
    take_text(given->prm_base_url, &config->prm_base_url);
    take_text(given->prm_model, &config->prm_model);
    take_text(given->prm_kind, &config->prm_kind);
    take_text(given->prm_template, &config->prm_template);
    take_text(given->prm_labels, &config->prm_labels);
    take_text(given->prm_activation, &config->prm_activation);
    take_text(given->prm_scores, &config->prm_scores);
    take_text(given->prm_api_key_env, &config->prm_api_key_env);
    take_text(given->prm_api_key_file, &config->prm_api_key_file);
    take_text(given->prm_separator, &config->prm_separator);
    take_text(given->prm_system_prompt, &config->prm_system_prompt);
    take_text(given->system_prompt, &config->system_prompt);
    take_text(given->prompt_template, &config->prompt_template);
    take_text(given->step_separator, &config->step_separator);
    take_text(given->api_key_env, &config->api_key_env);
    take_text(given->api_key_file, &config->api_key_file);
    take_text(given->cacert, &config->cacert);
    if (given->prm_separator) unescape(given->prm_separator);
    if (given->prm_template) unescape(given->prm_template);
    if (given->prompt_template) unescape(given->prompt_template);
    if (given->step_separator) unescape(given->step_separator);
    if (!config->base_url)
        return allot_fail(err, ALLOT_EUSAGE,
                          "no server to talk to (give --base-url, or set OPENAI_BASE_URL)");
    return ALLOT_OK;
}
