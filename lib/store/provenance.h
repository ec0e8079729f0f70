/* SPDX-License-Identifier: Apache-2.0 */
/* provenance.h - where a file came from: tool, version, seed, command, hashes of the inputs.
 * Recorded so that a change can be explained; never a reason to refuse. Stored as JSON text in the
 * attribute or field "provenance". A time is recorded only when SOURCE_DATE_EPOCH is set, so that
 * the same inputs and seed give the same bytes. */
#ifndef ALLOT_PROVENANCE_H
#define ALLOT_PROVENANCE_H
#include <cjson/cJSON.h>
#include "lib/store/h5.h"
#include "liballot/err.h"

/* inputs: paths of files (directories are skipped), NULL-terminated. The caller deletes *out. */
ALLOT_MUST_CHECK allot_code allot_provenance_make(const char *tool, long seed,
                                                  const char *const *inputs, cJSON **out,
                                                  allot_err *err);
ALLOT_MUST_CHECK allot_code allot_provenance_to_h5(allot_h5 *h, const char *tool, long seed,
                                                   const char *const *inputs, allot_err *err);

/* A JSON object in a text attribute of an HDF5 file, and back; the caller deletes *out. */
ALLOT_MUST_CHECK allot_code allot_json_to_h5(allot_h5 *h, const char *name, const cJSON *value,
                                             allot_err *err);
ALLOT_MUST_CHECK allot_code allot_json_from_h5(allot_h5 *h, const char *name, cJSON **out,
                                               allot_err *err);
#endif
