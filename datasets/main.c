/* SPDX-License-Identifier: Apache-2.0 */
/* allot-datasets: the table of its commands. */
#include "datasets/datacommands.h"

int main(int argc, char **argv)
{
    const allot_command commands[] = {
        allot_cmd_fetch,  allot_cmd_import,  allot_cmd_import_outcomes, allot_cmd_import_samples,
        allot_cmd_split,  allot_cmd_inspect, allot_cmd_embed,           allot_cmd_import_embeddings,
        allot_cmd_show,   allot_cmd_overlap, allot_cmd_tinymath,        allot_cmd_check_answers,
        allot_cmd_compare};
    return allot_main("allot-datasets",
                      "Brings problems in, splits them by query, looks into allot's files and\n"
                      "embeds queries.",
                      commands, sizeof commands / sizeof *commands, argc, argv);
}
