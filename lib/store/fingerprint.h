/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint.h - the generation fingerprint: everything that decides what a strategy does on a
 * query, as a flat JSON object of strings and numbers in alphabetical order. Labels, costs and
 * bundle must agree on it (the hardware is kept outside).
 * Fields: generator, server_kind, temperature, top_p, max_tokens, step_max_tokens, system_prompt,
 * prompt_template, step_separator, prm (model, "" if none), prm_kind, prm_template,
 * prm_system_prompt, prm_separator, prm_labels, prm_activation, extra_body (a JSON text), grader
 * (version of extraction and equality). Outcomes measured elsewhere have {"imported": "<name>"}. */
#ifndef ALLOT_FINGERPRINT_H
#define ALLOT_FINGERPRINT_H
#include <cjson/cJSON.h>
#include "lib/store/h5.h"
#include "liballot/err.h"

/* Sorts the fields of a flat object, refuses anything nested. */
ALLOT_MUST_CHECK allot_code allot_fingerprint_check(cJSON *fields, const char *where,
                                                    allot_err *err);
/* The attribute "fingerprint" of an HDF5 file, checked; the caller deletes *out. */
ALLOT_MUST_CHECK allot_code allot_fingerprint_from_h5(allot_h5 *h, cJSON **out, allot_err *err);
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
#endif
