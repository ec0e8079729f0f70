/* SPDX-License-Identifier: Apache-2.0 */
/* A server's embeddings, as floats or base64: the first byte says how many texts were asked for.
 * The client shows its reader to nobody else, hence the include. */
#include "lib/net/embedclient.c"
#include <assert.h>
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) return 0;
    allot_embedclient c = {0};
    client k = {.c = &c, .n = *data % 4 + 1};
    batch b = {&k, 0, k.n};
    allot_http_reply reply = {.body = (const char *)data + 1, .n = n - 1};
    allot_err err = {0};
    /* the second answer must be as wide as the first */
    for (int i = 0; i < 2; i++)
        if (take_answer(&b, &reply, &err)) {
            assert(err.code && err.msg[0]);
            break;
        } else {
            for (long d = 0; d < k.n * k.dim; d++)
                assert(isfinite(k.out[d]));
        }
    free(k.out);
    return 0;
}
