/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses fields that the engine sets itself, and merges the others into a body. */
#include "lib/engine/extrabody.h"
#include <string.h>
#include "lib/core/json.h"

/* Set by allot for one kind of server or another, or deciding what an answer looks like. */
static const char *const TAKEN[] = {"model",
                                    "prompt",
                                    "messages",
                                    "temperature",
                                    "top_p",
                                    "max_tokens",
                                    "max_completion_tokens",
                                    "max_new_tokens",
                                    "n_predict",
                                    "seed",
                                    "stop",
                                    "n",
                                    "best_of",
                                    "echo",
                                    "stream",
                                    "stream_options",
                                    "add_special_tokens",
                                    "add_generation_prompt",
                                    "continue_final_message",
                                    "include_stop_str_in_output",
                                    "no_stop_trim",
                                    "cache_salt",
                                    "cache_prompt"};

allot_code allot_extrabody_parse(const char *text, cJSON **out, allot_err *err)
{
    static const char where[] = "--extra-body";
    *out = NULL;
    if (allot_json_parse(text, strlen(text), where, out, err)) return err->code = ALLOT_EUSAGE;
    if (!cJSON_IsObject(*out)) {
        cJSON_Delete(*out);
        *out = NULL;
        return allot_fail(err, ALLOT_EUSAGE, "%s is not a JSON object", where);
    }
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++)
        if (cJSON_GetObjectItemCaseSensitive(*out, TAKEN[i])) {
            cJSON_Delete(*out);
            *out = NULL;
            return allot_fail(err, ALLOT_EUSAGE,
                              "%s holds '%s', which allot sets itself (see the options)", where,
                              TAKEN[i]);
        }
    return ALLOT_OK;
}

void allot_extrabody_add(const cJSON *extra, cJSON *body)
{
    const cJSON *f;
    cJSON_ArrayForEach(f, extra) cJSON_AddItemToObject(body, f->string, cJSON_Duplicate(f, 1));
}
