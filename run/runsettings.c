/* SPDX-License-Identifier: Apache-2.0 */
#include "run/runsettings.h"
#include <stdio.h>
#include <string.h>
#include "lib/store/fingerprint.h"
#include "lib/core/json.h"
#include "lib/engine/engineflags.h"

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

allot_code allot_run_settings_engine(const allot_run_settings *s, const allot_engine_config *given,
                                     allot_engine_config *out, allot_err *err)
{
    allot_engine_defaults(out);
    allot_code rc =
        allot_settings_from_fingerprint(s->fingerprint, "manifest of the bundle", out, err);
    if (rc) return rc;
    return allot_engine_flags_apply(given, out, err);
}
