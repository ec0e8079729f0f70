/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of others: a run is made of them that the readers of runs accept, or nothing is left. */
#include <assert.h>
#include "lib/store/journal.h"
#include "lib/core/log.h"
#include "lib/store/record.h"
#include "lib/store/rundir.h"
#include "datasets/samplesimport.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzzfile.h"

static allot_code read_line(const char *line, size_t n, long number, void *user, allot_err *err)
{
    allot_record r = {0};
    (void)number;
    allot_code rc = allot_record_parse(line, n, "fuzz", &r, err);
    *(long *)user += !rc && r.type == ALLOT_REC_SAMPLE;
    allot_record_clear(&r);
    return rc;
}

/* Counts the samples and removes the run. */
static void read_run(const char *run, long samples)
{
    static const char *const names[] = {"journal.jsonl", "problems.h5", "manifest.json"};
    allot_rundir r = {0};
    allot_err err = {0};
    long found = 0;
    int torn;
    char path[256];
    assert(!allot_rundir_load(run, ALLOT_RUN_SCHEMA, &r, &err));
    allot_rundir_clear(&r);
    snprintf(path, sizeof path, "%s/%s", run, names[0]);
    assert(!allot_journal_read(path, read_line, &found, &torn, &err) && !torn);
    assert(found == samples);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", run, names[i]);
        assert(unlink(path) == 0);
    }
    assert(rmdir(run) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    allot_samplesimport s = {.name = "fuzz"};
    allot_samples_counts counts;
    allot_err err = {0};
    char run[128];
    const char *path = fuzz_file(data, n);
    if (!path) return 0;
    allot_log_level(-1);
    snprintf(run, sizeof run, "%s/run", fuzz_folder());
    if (!allot_samples_import(path, run, &s, &counts, &err)) {
        read_run(run, counts.samples);
        return 0;
    }
    assert(err.code && err.msg[0]);
    assert(access(run, F_OK) != 0);
    return 0;
}
