/* SPDX-License-Identifier: Apache-2.0 */
#include "run/runsettings.h"
#include <stdio.h>
#include <string.h>
#include "lib/store/fingerprint.h"
#include "lib/core/json.h"
#include "lib/engine/engineflags.h"

/* Fields that are absent or empty leave the default. */
static void take_text(const cJSON *object, const char *field, const char **to)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field);
    if (cJSON_IsString(item) && item->valuestring[0]) *to = item->valuestring;
}

allot_code allot_run_settings_read(const allot_bundle *b, const char *name, allot_run_settings *s,
                                   allot_err *err)
{
    char where[512];
    snprintf(where, sizeof where, "manifest of '%s'", name);
    *s = (allot_run_settings){0};
    cJSON *fingerprint;
    allot_code rc = allot_json_parse(b->manifest, strlen(b->manifest), where, &s->manifest, err);
    if (!rc) rc = allot_fingerprint_settle(s->manifest, where, err);
    if (!rc) rc = allot_json_object(s->manifest, "fingerprint", where, &fingerprint, err);
    if (rc) {
        allot_run_settings_clear(s);
        return rc;
    }
    s->fingerprint = fingerprint;
    return ALLOT_OK;
}

void allot_run_settings_clear(allot_run_settings *s)
{
    cJSON_Delete(s->manifest);
    memset(s, 0, sizeof *s);
}

static double number_of(const cJSON *fingerprint, const char *field, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(fingerprint, field);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

allot_code allot_run_settings_engine(const allot_run_settings *s, const allot_engine_config *given,
                                     allot_engine_config *out, allot_err *err)
{
    const cJSON *f = s->fingerprint;
    allot_engine_defaults(out);
    take_text(f, "generator", &out->model);
    take_text(f, "system_prompt", &out->system_prompt);
    take_text(f, "prompt_template", &out->prompt_template);
    take_text(f, "extra_body", &out->extra_body);
    take_text(f, "step_separator", &out->step_separator);
    take_text(f, "prm", &out->prm_model);
    take_text(f, "prm_kind", &out->prm_kind);
    take_text(f, "prm_activation", &out->prm_activation);
    take_text(f, "prm_labels", &out->prm_labels);
    take_text(f, "prm_separator", &out->prm_separator);
    take_text(f, "prm_template", &out->prm_template);
    take_text(f, "prm_system_prompt", &out->prm_system_prompt);
    out->temperature = number_of(f, "temperature", out->temperature);
    out->top_p = number_of(f, "top_p", out->top_p);
    out->max_tokens = (long)number_of(f, "max_tokens", (double)out->max_tokens);
    out->step_max_tokens = (long)number_of(f, "step_max_tokens", (double)out->step_max_tokens);
    return allot_engine_flags_apply(given, out, err);
}
