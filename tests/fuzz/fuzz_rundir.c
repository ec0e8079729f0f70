/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of a run directory. */
#include <assert.h>
#include "lib/store/rundir.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzzfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    allot_rundir r = {0};
    allot_err err = {0};
    if (!fuzz_file(data, n)) return 0;
    fuzz_link("manifest.json");
    if (allot_rundir_load(fuzz_folder(), NULL, &r, &err)) {
        assert(err.code && err.msg[0]);
        return 0;
    }
    assert(r.schema && r.fingerprint && r.strategies.count >= 0);
    assert(r.pool >= 0 && r.runs >= 0 && r.n_loads >= 0 && r.n_loads <= 16);
    assert(r.shard >= 0 && r.shard <= r.n_shards && r.n_shards <= ALLOT_MAX_SHARDS);
    allot_key key = {{0}};
    (void)allot_rundir_has(&r, &key);
    allot_rundir_clear(&r);
    return 0;
}
