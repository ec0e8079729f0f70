/* SPDX-License-Identifier: Apache-2.0 */
/* records.h - the records of a run's journal in file order, one streaming pass. */
#ifndef ALLOT_RECORDS_H
#define ALLOT_RECORDS_H
#include "lib/store/problems.h"
#include "lib/store/record.h"
#include "lib/store/rundir.h"

/* The record is cleared by the reader after the call; what is taken out of it must be zeroed. */
typedef allot_code (*allot_record_fn)(allot_record *rec, void *user, allot_err *err);

/* Refuses a record of other settings than cfg. */
ALLOT_MUST_CHECK allot_code allot_records_read(const char *path, const char *cfg, allot_record_fn f,
                                               void *user, allot_err *err);
/* The same without the texts. */
ALLOT_MUST_CHECK allot_code allot_records_skim(const char *path, const char *cfg, allot_record_fn f,
                                               void *user, allot_err *err);

/* What belongs to a run directory besides its journal. Starts zeroed. */
typedef struct {
    allot_rundir manifest;
    allot_problems problems; /* without solutions */
    allot_keyindex index;    /* of problems.keys */
} allot_runfiles;
ALLOT_MUST_CHECK allot_code allot_runfiles_load(const char *dir, const char *schema,
                                                allot_runfiles *out, allot_err *err);
/* allot_records_skim of its journal. */
ALLOT_MUST_CHECK allot_code allot_runfiles_skim(const char *dir, const allot_runfiles *r,
                                                allot_record_fn f, void *user, allot_err *err);
void allot_runfiles_clear(allot_runfiles *r);
#endif
