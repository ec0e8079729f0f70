/* SPDX-License-Identifier: Apache-2.0 */
/* cmds.h - the rows of allot-calibrate's command table, one file each. */
#ifndef ALLOT_CALIBRATE_CMDS_H
#define ALLOT_CALIBRATE_CMDS_H
#include "lib/core/options.h"

extern const allot_command allot_cmd_platt; /* cmd_platt.c */
extern const allot_command allot_cmd_costs; /* cmd_costs.c */

#endif
