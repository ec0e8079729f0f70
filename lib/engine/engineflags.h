/* SPDX-License-Identifier: Apache-2.0 */
/* engineflags.h - the command-line options of every tool that talks to a generation server: one
 * place for names and meanings. The targets lie in an allot_engine_config that starts as
 * ALLOT_ENGINE_FLAGS_NONE; what was not given stays unset, so that a tool can tell. */
#ifndef ALLOT_ENGINEFLAGS_H
#define ALLOT_ENGINEFLAGS_H
#include "lib/core/options.h"
#include "lib/engine/settings.h"

/* Unset: NULL, -1 and 0. */
#define ALLOT_UNSET_STRING NULL
#define ALLOT_UNSET_LITERAL NULL
#define ALLOT_UNSET_INT (-1)
#define ALLOT_UNSET_LONG (-1)
#define ALLOT_UNSET_DOUBLE (-1)
#define ALLOT_UNSET_FLAG 0
#define ALLOT_UNSET_LIST                                                                           \
    {                                                                                              \
        0                                                                                          \
    }
#define ALLOT_UNSET_SETTING(c, kind, field, ...) .field = ALLOT_UNSET_##kind
#define ALLOT_ENGINE_FLAGS_NONE                                                                    \
    {                                                                                              \
        ALLOT_SETTINGS(ALLOT_UNSET_SETTING, )                                                      \
    }

/* A row of an option table; otherwise: where its default is, NULL if a bundle tells. */
#define ALLOT_OPT_LITERAL ALLOT_OPT_STRING
#define ALLOT_SETTING_OPTION(c, kind, field, otherwise, role, name, option, argument, help, min,   \
                             max)                                                                  \
    {                                                                                              \
        option, ALLOT_OPT_ELSE(kind, &(c).field, &allot_engine_default.field), argument, help,     \
            min, max                                                                               \
    }
#define ALLOT_BUNDLE_OPTION(c, kind, field, otherwise, role, name, option, argument, help, min,    \
                            max)                                                                   \
    {                                                                                              \
        option, ALLOT_OPT_ELSE(kind, &(c).field, NULL), argument, help, min, max                   \
    }

/* Rows of an option table: where the servers are and how they are spoken to; what decides the
 * generated texts; texts in a request to the reward model. */
#define ALLOT_ENGINE_SERVER_ROWS(c) ALLOT_SETTINGS_OF_SERVER(ALLOT_SETTING_OPTION, c)
#define ALLOT_ENGINE_GENERATION_ROWS(c)                                                            \
    ALLOT_SETTINGS_OF_SAMPLE(ALLOT_SETTING_OPTION, c),                                             \
        ALLOT_SETTINGS_OF_PROMPT(ALLOT_SETTING_OPTION, c)
/* In allot-run --max-tokens is the cap on a whole strategy, and what is not given is the bundle's.
 */
#define ALLOT_ENGINE_BUNDLE_ROWS(c) ALLOT_SETTINGS_OF_PROMPT(ALLOT_BUNDLE_OPTION, c)

/* Puts what was given into *config. Line breaks written as '\n' (and '\t', '\\') in template and
 * separator are resolved in place: `given` must outlive config and is to be applied once.
 * A missing --base-url is taken from OPENAI_BASE_URL; there must be one. */
ALLOT_MUST_CHECK allot_code allot_engine_flags_apply(const allot_engine_config *given,
                                                     allot_engine_config *config, allot_err *err);
#endif
