/* SPDX-License-Identifier: Apache-2.0 */
/* strategyfile.h - strategies.json: {"schema": "allot-strategies", "version": 1, "strategies":
 * ["single", "majority@8", ...]}. */
#ifndef ALLOT_STRATEGYFILE_H
#define ALLOT_STRATEGYFILE_H
#include "lib/store/h5.h"
#include "lib/core/json.h"
#include "liballot/strategy.h"

ALLOT_MUST_CHECK allot_code allot_strategyfile_load(const char *path, allot_strategies *out,
                                                    allot_err *err);
/* The array of texts, for other JSON files, and back. */
cJSON *allot_strategyfile_to_json(const allot_strategies *set);
ALLOT_MUST_CHECK allot_code allot_strategyfile_from_json(const cJSON *array, const char *where,
                                                         allot_strategies *out, allot_err *err);
/* The string column "strategies" of an HDF5 file. */
ALLOT_MUST_CHECK allot_code allot_strategyfile_to_h5(allot_h5 *h, const allot_strategies *set,
                                                     allot_err *err);
ALLOT_MUST_CHECK allot_code allot_strategyfile_from_h5(allot_h5 *h, allot_strategies *out,
                                                       allot_err *err);
/* Refuses sets that differ, naming how many differ and the first. */
ALLOT_MUST_CHECK allot_code allot_strategyfile_agree(const allot_strategies *a, const char *a_file,
                                                     const allot_strategies *b, const char *b_file,
                                                     const char *remedy, allot_err *err);
#endif
