/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - the rows of allot-collect's command table, one file each. */
#ifndef ALLOT_COLLECT_COMMANDS_H
#define ALLOT_COLLECT_COMMANDS_H
#include "lib/core/options.h"

extern const allot_command allot_cmd_sample; /* cmd_sample.c */
extern const allot_command allot_cmd_time;   /* cmd_time.c */
extern const allot_command allot_cmd_status; /* cmd_status.c */
extern const allot_command allot_cmd_label;  /* cmd_label.c */
extern const allot_command allot_cmd_merge;  /* cmd_merge.c */

#endif
