/* SPDX-License-Identifier: Apache-2.0 */
/* allot-collect: the table of its commands. */
#include "collect/commands.h"

int main(int argc, char **argv)
{
    const allot_command commands[] = {allot_cmd_sample, allot_cmd_time, allot_cmd_status,
                                      allot_cmd_label, allot_cmd_merge};
    return allot_main(
        "allot-collect",
        "Runs decoding strategies over a data set on a server and keeps what came out.\n"
        "'sample' fills a run directory with raw texts, 'status' says how far it is, 'label' "
        "grades it into outcomes.h5; 'merge' joins runs that were sampled in parts; 'time' "
        "measures whole strategies in seconds. Every step can "
        "be stopped and goes on where it was.",
        commands, sizeof commands / sizeof *commands, argc, argv);
}
