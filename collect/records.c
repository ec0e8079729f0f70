/* SPDX-License-Identifier: Apache-2.0 */
/* Hands each line of the journal, parsed whole or by its head only, to a function of the caller. */
#include "collect/records.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/fingerprint.h"
#include "lib/store/journal.h"

typedef struct {
    const char *path, *cfg;
    allot_record_fn f;
    void *user;
    int with_texts;
} reader;

static allot_code read_line(const char *line, size_t n, long number, void *user, allot_err *err)
{
    const reader *r = user;
    allot_record rec = {0};
    char where[512];
    snprintf(where, sizeof where, "line %ld of '%s'", number, r->path);
    allot_code rc = r->with_texts ? allot_record_parse(line, n, where, &rec, err)
                                  : allot_record_parse_head(line, n, where, &rec, err);
    if (rc) return rc;
    if (strcmp(rec.cfg, r->cfg) != 0)
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "%s was made with other settings (%s) than the run's manifest (%s) says "
                        "(give another --output)",
                        where, rec.cfg, r->cfg);
    else rc = r->f(&rec, r->user, err);
    allot_record_clear(&rec);
    return rc;
}

allot_code allot_records_read(const char *path, const char *cfg, allot_record_fn f, void *user,
                              allot_err *err)
{
    reader r = {path, cfg, f, user, 1};
    int torn;
    return allot_journal_read(path, read_line, &r, &torn, err);
}

allot_code allot_records_skim(const char *path, const char *cfg, allot_record_fn f, void *user,
                              allot_err *err)
{
    reader r = {path, cfg, f, user, 0};
    int torn;
    return allot_journal_read(path, read_line, &r, &torn, err);
}

allot_code allot_runfiles_load(const char *dir, const char *schema, allot_runfiles *out,
                               allot_err *err)
{
    allot_runfiles r = {0};
    char *path = allot_rundir_path(dir, "problems.h5", err);
    allot_code rc = path ? allot_rundir_load(dir, schema, &r.manifest, err) : ALLOT_ERUNTIME;
    if (!rc) rc = allot_problems_load(path, 0, &r.problems, err);
    if (!rc) rc = allot_keyindex_build(&r.index, r.problems.keys, (size_t)r.problems.n, path, err);
    free(path);
    if (rc) allot_runfiles_clear(&r);
    else *out = r;
    return rc;
}

allot_code allot_runfiles_skim(const char *dir, const allot_runfiles *r, allot_record_fn f,
                               void *user, allot_err *err)
{
    char cfg[17];
    allot_rundir_cfg(&r->manifest, cfg);
    char *path = allot_rundir_path(dir, "journal.jsonl", err);
    allot_code rc = path ? allot_records_skim(path, cfg, f, user, err) : ALLOT_ERUNTIME;
    free(path);
    return rc;
}

void allot_runfiles_clear(allot_runfiles *r)
{
    allot_keyindex_clear(&r->index);
    allot_problems_clear(&r->problems);
    allot_rundir_clear(&r->manifest);
}
