/* SPDX-License-Identifier: Apache-2.0 */
/* From a bundle's fingerprint to the settings of an engine, and whether an engine has them. */
#include "lib/decide/bundlesettings.h"
#include <stdio.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/engine/engineflags.h"
#include "lib/store/fingerprint.h"

allot_code allot_bundlesettings_read(const allot_bundle *b, const char *name,
                                     allot_bundlesettings *s, allot_err *err)
{
    char where[512];
    snprintf(where, sizeof where, "manifest of '%s'", name);
    *s = (allot_bundlesettings){0};
    cJSON *fingerprint;
    allot_code rc = allot_json_parse(b->manifest, strlen(b->manifest), where, &s->manifest, err);
    if (!rc) rc = allot_fingerprint_settle(s->manifest, where, err);
    if (!rc) rc = allot_json_object(s->manifest, "fingerprint", where, &fingerprint, err);
    if (rc) allot_bundlesettings_clear(s);
    else s->fingerprint = fingerprint;
    return rc;
}

void allot_bundlesettings_clear(allot_bundlesettings *s)
{
    cJSON_Delete(s->manifest);
    memset(s, 0, sizeof *s);
}

allot_code allot_bundlesettings_engine(const allot_bundlesettings *s,
                                       const allot_engine_config *given, allot_engine_config *out,
                                       allot_err *err)
{
    allot_engine_defaults(out);
    allot_code rc =
        allot_settings_from_fingerprint(s->fingerprint, "manifest of the bundle", out, err);
    if (rc) return rc;
    return allot_engine_flags_apply(given, out, err);
}

allot_code allot_bundlesettings_agree(const allot_bundlesettings *s, const char *name,
                                      const allot_engine *e, allot_err *err)
{
    cJSON *here = allot_engine_fingerprint(e);
    allot_code rc = allot_fingerprint_agree(
        s->fingerprint, name, here, "this server and command line",
        "leave the option out, use the server that the bundle was made with, or --force", err);
    cJSON_Delete(here);
    return rc;
}
