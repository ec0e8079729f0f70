/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes of others: the first byte says whether the table is CSV, whether repeated rows are
 * trials and whether strategies are names. */
#include <assert.h>
#include <math.h>
#include "lib/core/log.h"
#include "datasets/outcomesimport.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzzfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    allot_outcomes o = {0};
    allot_err err = {0};
    long missing = 0;
    const char *path = n ? fuzz_file(data + 1, n - 1) : NULL;
    if (!path) return 0;
    allot_log_level(-1);
    const allot_outcomesimport s = {.name = "fuzz", .trials = *data & 2, .named = *data & 4};
    path = fuzz_link(*data & 1 ? "table.csv" : "table.jsonl");
    allot_code rc = allot_outcomes_import(path, &s, &o, &missing, &err);
    if (rc) assert(err.code && err.msg[0]);
    for (long i = 0; !rc && i < o.n * o.strategies.count; i++)
        assert(o.accuracy[i] >= 0 && o.accuracy[i] <= 1 && o.n_trials[i] >= 0 &&
               isfinite(o.tokens[i]) && isfinite(o.seconds[i]) && isfinite(o.n_eff[i]));
    assert(rc || (o.n > 0 && missing >= 0));
    allot_outcomes_clear(&o);
    return 0;
}
