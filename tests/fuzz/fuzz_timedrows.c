/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a timing directory, whose manifest is a good one. */
#include <assert.h>
#include <math.h>
#include "lib/store/timedrows.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzzfile.h"

static const char manifest[] =
    "{\"schema\":\"allot-timing\",\"version\":1,\"seed\":1,\"pool\":0,\"runs\":1,\"scored\":1,"
    "\"loads\":[1],"
    "\"strategies\":[\"single\",\"majority@2\",\"bon@4\",\"weighted@2\",\"beam@2x2x4\"],"
    "\"fingerprint\":{\"generator\":\"invented\",\"grader\":\"0\",\"temperature\":0.8},"
    "\"hardware\":{\"hardware\":\"none\"}}";

static char manifest_path[128];

static void remove_manifest(void)
{
    unlink(manifest_path);
}

static void prepare(void)
{
    if (*manifest_path) return;
    snprintf(manifest_path, sizeof manifest_path, "%s/manifest.json", fuzz_folder());
    atexit(remove_manifest); /* before the folder goes */
    FILE *f = fopen(manifest_path, "w");
    if (!f || fputs(manifest, f) < 0 || fclose(f)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    allot_timedrows t = {0};
    allot_err err = {0};
    if (!fuzz_file(data, n)) return 0;
    prepare();
    fuzz_link("journal.jsonl");
    if (allot_timedrows_load(fuzz_folder(), &t, &err)) {
        assert(err.code && err.msg[0]);
        return 0;
    }
    assert(t.n > 0);
    for (size_t i = 0; i < t.n; i++) {
        assert(t.at[i].strategy >= 0 && t.at[i].strategy < t.manifest.strategies.count);
        assert(t.at[i].load >= 1 && isfinite(t.at[i].seconds) && isfinite(t.at[i].gen_s) &&
               isfinite(t.at[i].prm_s));
    }
    allot_timedrows_clear(&t);
    return 0;
}
