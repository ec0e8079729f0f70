/* SPDX-License-Identifier: Apache-2.0 */
/* runsettings.h - a bundle's accuracies and costs hold for one way of generating: its fingerprint.
 * These settings are the default of a run, and a server that differs is refused. */
#ifndef ALLOT_RUNSETTINGS_H
#define ALLOT_RUNSETTINGS_H
#include <cjson/cJSON.h>
#include "lib/engine/engine.h"
#include "liballot/bundle.h"

typedef struct {
    cJSON *manifest; /* owned: the bundle's, the rest borrows from it */
    const cJSON *fingerprint;
} allot_run_settings;

/* Reads the bundle's manifest; name is for messages. */
ALLOT_MUST_CHECK allot_code allot_run_settings_read(const allot_bundle *b, const char *name,
                                                    allot_run_settings *s, allot_err *err);
void allot_run_settings_clear(allot_run_settings *s);

/* The engine's defaults, then the fingerprint, then what was given on the command line. Borrows
 * from s and given. */
ALLOT_MUST_CHECK allot_code allot_run_settings_engine(const allot_run_settings *s,
                                                      const allot_engine_config *given,
                                                      allot_engine_config *out, allot_err *err);
#endif
