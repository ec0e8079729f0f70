/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line says of the engine: preset, environment, options, in this order. */
#include "lib/engine/engineflags.h"
#include <stdlib.h>
#include <string.h>

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
    const char *url = getenv("OPENAI_BASE_URL");
    if (url) config->base_url = url;
    allot_settings_take(given, config);
    if (!config->base_url)
        return allot_fail(err, ALLOT_EUSAGE,
                          "no server to talk to (give --base-url, or set OPENAI_BASE_URL)");
    return ALLOT_OK;
}
