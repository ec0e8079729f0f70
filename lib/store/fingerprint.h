/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint.h - the generation fingerprint: everything that decides what a strategy does on a
 * query, as a flat JSON object of strings and numbers in alphabetical order. Labels, costs and
 * bundle must agree on it (the hardware is kept outside).
 * Its fields are described in docs/formats.md. Outcomes measured elsewhere have
 * {"imported": "<name>"}.
 * Grading is no part of it: its version and options are a second flat object, "grading", of
 * outcomes, probe and bundle, which says what the labels mean; runs, timings and costs have none.
 * Older files have the grader's version as field "grader" of the fingerprint: readers move it. */
#ifndef ALLOT_FINGERPRINT_H
#define ALLOT_FINGERPRINT_H
#include <cjson/cJSON.h>
#include "lib/store/h5.h"
#include "liballot/err.h"

/* Sorts the fields of a flat object, refuses anything nested. */
ALLOT_MUST_CHECK allot_code allot_fingerprint_check(cJSON *fields, const char *where,
                                                    allot_err *err);
/* Checks the fields "fingerprint" and "grading" (which may be absent) of a file's object, in place;
 * the grader that an older file has in its fingerprint becomes the grading. */
ALLOT_MUST_CHECK allot_code allot_fingerprint_settle(cJSON *object, const char *where,
                                                     allot_err *err);
/* The same of the attributes of an HDF5 file; the caller deletes both. *grading: NULL if absent. */
ALLOT_MUST_CHECK allot_code allot_fingerprint_from_h5(allot_h5 *h, cJSON **fingerprint,
                                                      cJSON **grading, allot_err *err);
/* Writes both attributes; grading may be NULL. */
ALLOT_MUST_CHECK allot_code allot_fingerprint_to_h5(allot_h5 *h, const cJSON *fingerprint,
                                                    const cJSON *grading, allot_err *err);
/* Canonical one-line text; the caller frees. */
char *allot_fingerprint_text(const cJSON *fields);
/* First 16 hex digits of the SHA-256 of the text. */
void allot_fingerprint_id(const cJSON *fields, char out[17]);
/* Refuses settings that differ, naming the first, e.g.: 'costs.json' and 'outcomes.h5' do not
 * belong together: 1 setting differs, e.g. temperature is 0.8 in the one and 1 in the other
 * (remedy). */
ALLOT_MUST_CHECK allot_code allot_fingerprint_agree(const cJSON *a, const char *a_file,
                                                    const cJSON *b, const char *b_file,
                                                    const char *remedy, allot_err *err);
/* Warns if both files say how they were graded and it is not the same; either may be NULL. */
void allot_grading_compare(const cJSON *a, const char *a_file, const cJSON *b, const char *b_file);
#endif
