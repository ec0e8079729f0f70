/* SPDX-License-Identifier: Apache-2.0 */
/* allot-calibrate: the table of its commands. */
#include "calibrate/cmds.h"
#include <gsl/gsl_errno.h>

int main(int argc, char **argv)
{
    const allot_command commands[] = {allot_cmd_platt, allot_cmd_costs};
    gsl_set_error_handler_off(); /* GSL's default handler aborts; its return codes are checked */
    return allot_main("allot-calibrate",
                      "Fits what must be measured after training: 'platt' makes the probe's "
                      "probabilities honest on the calibration split, 'costs' makes the cost table "
                      "of this hardware from timed strategies.",
                      commands, sizeof commands / sizeof *commands, argc, argv);
}
