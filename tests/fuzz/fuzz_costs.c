/* SPDX-License-Identifier: Apache-2.0 */
/* costs.json: the means that it accepts are finite and can be paid. */
#include <assert.h>
#include <math.h>
#include "lib/store/costsfile.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzzfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    allot_costsfile c = {0};
    allot_err err = {0};
    const char *path = fuzz_file(data, n);
    if (!path) return 0;
    if (allot_costsfile_load(path, &c, &err)) {
        assert(err.code && err.msg[0]);
        return 0;
    }
    assert(c.n_loads > 0 && c.strategies.count > 0);
    for (int i = 0; i < c.n_loads; i++)
        for (int s = 0; s < c.strategies.count; s++) {
            const allot_cost *at = &c.loads[i].at[s];
            assert(isfinite(at->tokens.mean) && at->tokens.mean >= 0);
            assert(isfinite(at->seconds.mean) && at->seconds.mean >= 0);
        }
    allot_costsfile_clear(&c);
    return 0;
}
