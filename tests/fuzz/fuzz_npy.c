/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of numpy's matrices, which takes a file. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "datasets/npyfile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int fd = -1;
    char path[64];
    allot_err err = {0};
    float *at;
    long rows = 0, columns = 0;
    if (fd < 0) fd = memfd_create("npy", 0);
    if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, n, 0) != (ssize_t)n) return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (allot_npy_load(path, 65536, &at, &rows, &columns, &err)) {
        assert(err.code && err.msg[0]);
        return 0;
    }
    assert(rows >= 0 && columns > 0 && columns <= 65536);
    assert((size_t)rows * (size_t)columns * sizeof(float) <= n);
    free(at);
    return 0;
}
