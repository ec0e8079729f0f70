/* SPDX-License-Identifier: Apache-2.0 */
/* bundlesettings.h - a bundle's accuracies and costs hold for one way of generating: its
 * fingerprint. These settings are the default of who executes what it chooses, and a server that
 * differs is refused. Threads: read-only once read. */
#ifndef ALLOT_BUNDLESETTINGS_H
#define ALLOT_BUNDLESETTINGS_H
#include <cjson/cJSON.h>
#include "lib/engine/engine.h"
#include "liballot/bundle.h"

typedef struct {
    cJSON *manifest; /* owned: the bundle's, the rest borrows from it */
    const cJSON *fingerprint;
} allot_bundlesettings;

/* Reads the bundle's manifest; name is for messages. */
ALLOT_MUST_CHECK allot_code allot_bundlesettings_read(const allot_bundle *b, const char *name,
                                                      allot_bundlesettings *s, allot_err *err);
void allot_bundlesettings_clear(allot_bundlesettings *s);

/* The engine's defaults, then the fingerprint, then what was given on the command line. Borrows
 * from s and given. */
ALLOT_MUST_CHECK allot_code allot_bundlesettings_engine(const allot_bundlesettings *s,
                                                        const allot_engine_config *given,
                                                        allot_engine_config *out, allot_err *err);

/* What was measured with other settings says nothing about this engine's server: ALLOT_EMISMATCH
 * with the settings that differ. name: the bundle's. */
ALLOT_MUST_CHECK allot_code allot_bundlesettings_agree(const allot_bundlesettings *s,
                                                       const char *name, const allot_engine *e,
                                                       allot_err *err);
#endif
