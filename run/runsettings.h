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
    const char *embed_prefix;  /* "" unless the manifest's embedding has one */
    const char *embed_pooling; /* "last" likewise */
    int embed_normalized;      /* vectors are scaled to length 1 */
} allot_run_settings;

/* Reads the bundle's manifest; name is for messages. */
ALLOT_MUST_CHECK allot_code allot_run_settings_read(const allot_bundle *b, const char *name,
                                                    allot_run_settings *s, allot_err *err);
void allot_run_settings_clear(allot_run_settings *s);

/* How queries are to be embedded on a server. prefix, pooling: as told on the command line
 * (borrowed), or NULL. Refuses what does not give the embedding id of the bundle. */
ALLOT_MUST_CHECK allot_code allot_run_settings_embedding(allot_run_settings *s,
                                                         const allot_bundle *b, const char *prefix,
                                                         const char *pooling, allot_err *err);

/* The engine's defaults, then the fingerprint, then what was given on the command line. Borrows
 * from s and given. */
ALLOT_MUST_CHECK allot_code allot_run_settings_engine(const allot_run_settings *s,
                                                      const allot_engine_config *given,
                                                      allot_engine_config *out, allot_err *err);
#endif
