/* SPDX-License-Identifier: Apache-2.0 */
/* A server's embeddings, as floats or base64: the first byte says how many texts were asked for. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include "lib/net/embedrequest.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) return 0;
    long count = *data % 4 + 1, dim = 0;
    float *out = NULL;
    allot_err err = {0};
    if (allot_embed_read((const char *)data + 1, n - 1, count, &out, &dim, &err)) {
        assert(err.code && err.msg[0]);
        assert(!out);
        return 0;
    }
    for (long d = 0; d < count * dim; d++)
        assert(isfinite(out[d]));
    free(out);
    return 0;
}
