/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of server-sent events: the first byte says in pieces of which size it comes, which must
 * not matter. */
#include <assert.h>
#include "lib/engine/sse.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static allot_code read_stream(const char *at, size_t n, size_t piece, char **out)
{
    allot_sse s = {0};
    allot_err err = {0};
    cJSON *json = NULL;
    for (size_t from = 0; from < n; from += piece)
        allot_sse_take(&s, at + from, n - from < piece ? n - from : piece, 1);
    int whole = allot_sse_is_whole(&s);
    allot_code rc = allot_sse_answer(&s, &json, &err);
    assert(rc ? err.code && err.msg[0] : whole);
    *out = rc ? NULL : cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    allot_sse_clear(&s);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *in_pieces, *at_once;
    if (n < 2) return 0;
    const char *at = (const char *)data + 1;
    allot_code rc = read_stream(at, n - 1, 1u + *data, &in_pieces);
    assert(read_stream(at, n - 1, n, &at_once) == rc);
    assert(rc || (in_pieces && at_once && strcmp(in_pieces, at_once) == 0));
    cJSON_free(in_pieces);
    cJSON_free(at_once);
    return 0;
}
