/* SPDX-License-Identifier: Apache-2.0 */
/* records.h - the records of a run's journal in file order, one streaming pass. */
#ifndef ALLOT_RECORDS_H
#define ALLOT_RECORDS_H
#include "core/record.h"

/* The record is cleared by the reader after the call; what is taken out of it must be zeroed. */
typedef allot_code (*allot_record_fn)(allot_record *rec, void *user, allot_err *err);

/* Refuses a record of other settings than cfg. */
ALLOT_MUST_CHECK allot_code allot_records_read(const char *path, const char *cfg, allot_record_fn f,
                                               void *user, allot_err *err);
/* The same without the texts. */
ALLOT_MUST_CHECK allot_code allot_records_skim(const char *path, const char *cfg, allot_record_fn f,
                                               void *user, allot_err *err);
#endif
