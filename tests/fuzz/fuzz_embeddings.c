/* SPDX-License-Identifier: Apache-2.0 */
/* A server's embeddings, as floats or base64: the first byte says how many texts were asked for.
 * The client shows its reader to nobody else, hence the include. */
#include "lib/net/embedclient.c"
#include <assert.h>
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) return 0;
    request r = {.n = *data % 4 + 1};
    allot_http_reply reply = {.body = (const char *)data + 1, .n = n - 1};
    allot_err err = {0};
    if (take_answer(&r, &reply, &err)) assert(err.code && err.msg[0]);
    else
        for (long d = 0; d < r.n * r.dim; d++)
            assert(isfinite(r.out[d]));
    free(r.out);
    return 0;
}
