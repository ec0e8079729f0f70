/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files without a fuzzer: replay FILE... */
#include <stdio.h>
#include <stdlib.h>
#include "lib/core/atomicfile.h"
#include "tests/fuzz/fuzz.h"

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *bytes;
        size_t n;
        allot_err err;
        if (allot_file_read(argv[i], FUZZ_MAX_BYTES, &bytes, &n, &err)) {
            fprintf(stderr, "%s\n", err.msg);
            return 1;
        }
        /* A copy of the exact size: reading one byte too many is seen by sanitizers. */
        uint8_t *exact = malloc(n ? n : 1);
        if (!exact) return 1;
        for (size_t k = 0; k < n; k++)
            exact[k] = (uint8_t)bytes[k];
        LLVMFuzzerTestOneInput(exact, n);
        free(exact);
        free(bytes);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
