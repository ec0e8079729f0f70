/* SPDX-License-Identifier: Apache-2.0 */
/* A whole number of at least 0, or an error that shows what was there. */
#include "lib/engine/tokencount.h"
#include <math.h>

#define MAX_TOLD 9007199254740992.0

allot_code allot_tokencount_read(const cJSON *o, const char *field, long *out, allot_err *err)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, field);
    *out = -1;
    if (!v || cJSON_IsNull(v)) return ALLOT_OK;
    if (!cJSON_IsNumber(v))
        return allot_fail(err, ALLOT_ESERVER, "the server's '%s' is not a number", field);
    if (!(v->valuedouble >= 0 && v->valuedouble <= MAX_TOLD) ||
        floor(v->valuedouble) != v->valuedouble)
        return allot_fail(err, ALLOT_ESERVER, "the server tells %.17g as '%s', which no text has",
                          v->valuedouble, field);
    *out = (long)v->valuedouble;
    return ALLOT_OK;
}
