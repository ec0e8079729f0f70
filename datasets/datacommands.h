/* SPDX-License-Identifier: Apache-2.0 */
/* datacommands.h - the subcommands of allot-datasets, one file each. */
#ifndef ALLOT_DATACOMMANDS_H
#define ALLOT_DATACOMMANDS_H
#include "lib/core/options.h"

extern const allot_command allot_cmd_import, allot_cmd_split, allot_cmd_inspect, allot_cmd_embed,
    allot_cmd_tinymath, allot_cmd_import_outcomes, allot_cmd_import_samples,
    allot_cmd_import_embeddings, allot_cmd_show, allot_cmd_overlap, allot_cmd_fetch,
    allot_cmd_check_answers, allot_cmd_compare;

#endif
