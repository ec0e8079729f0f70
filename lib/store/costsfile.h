/* SPDX-License-Identifier: Apache-2.0 */
/* costsfile.h - costs.json: per strategy and load, mean, standard error and quantiles of generated
 * tokens and wall-clock seconds. Small, readable, replaceable: new hardware needs a new one only.
 */
#ifndef ALLOT_COSTSFILE_H
#define ALLOT_COSTSFILE_H
#include <cjson/cJSON.h>
#include "liballot/cost.h"

#define ALLOT_COSTS_SCHEMA "allot-costs"

typedef struct {
    allot_strategies strategies;
    allot_costs *loads; /* owned [n_loads], ascending load */
    int n_loads;
    cJSON *fingerprint; /* owned */
    cJSON *hardware;    /* owned: free description {"hardware": ..., "server": ...} */
} allot_costsfile;

ALLOT_MUST_CHECK allot_code allot_costsfile_load(const char *path, allot_costsfile *out,
                                                 allot_err *err);
ALLOT_MUST_CHECK allot_code allot_costsfile_save(const char *path, const allot_costsfile *c,
                                                 const char *tool, long seed,
                                                 const char *const *inputs, allot_err *err);
void allot_costsfile_clear(allot_costsfile *c);
/* {"load", "has_seconds", "strategies": rows}: one load in costs.json, and the costs of a bundle.
 */
cJSON *allot_costs_to_json(const allot_costs *c, const allot_strategies *set);
/* The table of this load, or an error that lists the loads there are. */
ALLOT_MUST_CHECK allot_code allot_costsfile_at_load(const allot_costsfile *c, const char *path,
                                                    int load, const allot_costs **out,
                                                    allot_err *err);
#endif
