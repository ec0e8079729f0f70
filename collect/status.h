/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - how far a run directory is, read from its journal; safe while it is being written. */
#ifndef ALLOT_STATUS_H
#define ALLOT_STATUS_H
#include <cjson/cJSON.h>
#include "lib/labels/cuts.h"
#include "collect/duplicates.h"
#include "collect/records.h"
#include "collect/sample_plan.h"

/* Error records of one kind of unit and one code. */
typedef struct {
    allot_unit_kind unit;
    allot_code code;
    long count;
    char example[200]; /* the last message */
} allot_status_error;

#define ALLOT_STATUS_MAX_ERRORS 32

typedef struct {
    allot_runfiles files;
    allot_sample_plan plan;
    allot_sample_counts units;
    long n_tokens, prm_tokens;
    long n_samples, n_redrawn; /* of the pool; those that are not of their first seed */
    allot_cuts cuts;
    allot_duplicates duplicates;
    double temperature;
    double active_s;     /* time in which records came, pauses left out */
    double last_start_s; /* epoch */
    double left_s;       /* until all is done, at that rate; NaN if unknown */
    allot_status_error errors[ALLOT_STATUS_MAX_ERRORS];
    int n_errors;
    char **failures; /* owned [queries]: last error of a query that is not whole, else NULL */
    long n_failed;   /* queries with such an error */
} allot_status;

ALLOT_MUST_CHECK allot_code allot_status_read(const char *dir, allot_status *s, allot_err *err);
void allot_status_clear(allot_status *s);
/* The caller deletes it. */
cJSON *allot_status_json(const allot_status *s, const char *dir);
void allot_status_print(const allot_status *s, const char *dir);

#endif
