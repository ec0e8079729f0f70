/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the record of a command and its inputs, and carries JSON in attributes of HDF5 files. */
#include "lib/store/provenance.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/core/hash.h"
#include "lib/core/json.h"
#include "lib/core/options.h"

/* The name without its folder: the same work in another place gives the same bytes. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static allot_code add_input(cJSON *list, const char *path, allot_err *err)
{
    struct stat st;
    char hex[65];
    if (!stat(path, &st) && S_ISDIR(st.st_mode)) return ALLOT_OK;
    allot_code rc = allot_sha256_file(path, hex, err);
    if (rc) return rc;
    cJSON *item = cJSON_CreateObject();
    if (!cJSON_AddStringToObject(item, "file", base_name(path)) ||
        !cJSON_AddStringToObject(item, "sha256", hex) || !cJSON_AddItemToArray(list, item)) {
        cJSON_Delete(item);
        return allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    }
    return ALLOT_OK;
}

allot_code allot_provenance_make(const char *tool, long seed, const char *const *inputs,
                                 cJSON **out, allot_err *err)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    cJSON *p = cJSON_CreateObject();
    allot_code rc = ALLOT_OK;
    long time_s = 0;
    if (epoch && *epoch)
        rc = allot_parse_long(epoch, "SOURCE_DATE_EPOCH", 0, LONG_MAX, &time_s, err);
    cJSON_AddStringToObject(p, "tool", tool);
    cJSON_AddStringToObject(p, "version", ALLOT_VERSION);
    cJSON_AddNumberToObject(p, "seed", (double)seed);
    if (epoch && *epoch) cJSON_AddNumberToObject(p, "time", (double)time_s);
    cJSON *list = cJSON_AddArrayToObject(p, "inputs");
    if (!rc && !list) rc = allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    for (int i = 0; !rc && inputs && inputs[i]; i++)
        rc = add_input(list, inputs[i], err);
    if (rc) {
        cJSON_Delete(p);
        p = NULL;
    }
    *out = p;
    return rc;
}

allot_code allot_provenance_to_h5(allot_h5 *h, const char *tool, long seed,
                                  const char *const *inputs, allot_err *err)
{
    cJSON *p;
    allot_code rc = allot_provenance_make(tool, seed, inputs, &p, err);
    if (rc) return rc;
    rc = allot_json_to_h5(h, "provenance", p, err);
    cJSON_Delete(p);
    return rc;
}

allot_code allot_json_to_h5(allot_h5 *h, const char *name, const cJSON *value, allot_err *err)
{
    char *text = cJSON_PrintUnformatted(value);
    if (!text) return allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    allot_code rc = allot_h5_set_text(h, name, text, err);
    free(text);
    return rc;
}

allot_code allot_json_from_h5(allot_h5 *h, const char *name, cJSON **out, allot_err *err)
{
    char where[512], *text;
    *out = NULL;
    allot_code rc = allot_h5_get_text(h, name, &text, err);
    if (rc) return rc;
    snprintf(where, sizeof where, "cannot read '%.400s': '%s'", allot_h5_path(h), name);
    rc = allot_json_parse(text, strlen(text), where, out, err);
    free(text);
    if (!rc && !cJSON_IsObject(*out)) {
        cJSON_Delete(*out);
        *out = NULL;
        rc = allot_fail(err, ALLOT_EINPUT, "%s is not a JSON object", where);
    }
    return rc;
}
