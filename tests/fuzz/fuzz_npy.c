/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of numpy's matrices, which takes a file. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "lib/readers/npyfile.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzzfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    allot_err err = {0};
    float *at;
    long rows = 0, columns = 0;
    const char *path = fuzz_file(data, n);
    if (!path) return 0;
    if (allot_npy_load(path, 65536, &at, &rows, &columns, &err)) {
        assert(err.code && err.msg[0]);
        return 0;
    }
    assert(rows >= 0 && columns > 0 && columns <= 65536);
    assert((size_t)rows * (size_t)columns * sizeof(float) <= n);
    free(at);
    return 0;
}
