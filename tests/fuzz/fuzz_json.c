/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader: what it accepts is one value within its bounds, and prints and parses again. */
#include <assert.h>
#include "liballot/jsontext.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    cJSON *value = NULL, *again = NULL;
    allot_err err = {0};
    if (allot_jsontext_parse((const char *)data, n, "fuzz", &value, &err)) {
        assert(err.code && err.msg[0]);
        return 0;
    }
    char *text = cJSON_PrintUnformatted(value);
    assert(text && !allot_jsontext_parse(text, strlen(text), "fuzz", &again, &err));
    cJSON_free(text);
    cJSON_Delete(again);
    cJSON_Delete(value);
    return 0;
}
