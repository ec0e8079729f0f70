/* SPDX-License-Identifier: Apache-2.0 */
/* allot-export - probe + calibration + costs -> one bundle. */
#include <stddef.h>
#include "export/exporttool.h"

static allot_exporttool tool;

static const allot_option options[] = {
    {"probe", ALLOT_OPT_NEEDED, &tool.probe, "FILE", "probe of 'allot-calibrate platt'", 0, 0},
    {"costs", ALLOT_OPT_NEEDED, &tool.costs, "FILE", "cost table of 'allot-calibrate costs'", 0, 0},
    {"load", ALLOT_OPT_INT, &tool.load, "N",
     "which load of the table: queries in flight (else its only one, or 1)", 1, 1000000},
    {"uncalibrated", ALLOT_OPT_FLAG, &tool.uncalibrated, NULL,
     "allow a probe that was not calibrated", 0, 0},
    {"output", ALLOT_OPT_NEEDED, &tool.output, "FILE", "the bundle to write (model.safetensors)", 0,
     0},
    ALLOT_FORCE_ROW,
    {0},
};

static allot_code run(const allot_common *common, allot_err *err)
{
    return allot_exporttool_run(&tool, common, err);
}

static const char about[] =
    "Joins a calibrated probe and a cost table into one file, the bundle, which allot-select, "
    "allot-run, allot-eval and liballot read. Strategies and generation fingerprint of both must "
    "agree; the hardware of the costs may be another.";

static const allot_command command = {
    .usage = "[OPTION...] --probe FILE --costs FILE --output FILE",
    .about = about,
    .options = options,
    .run = run,
    .examples = "allot-export --probe probe.cal.h5 --costs costs.json --output model.safetensors\n"
                "allot-export --probe probe.cal.h5 --costs h200.json --load 16 --output "
                "h200.safetensors",
};

int main(int argc, char **argv)
{
    return allot_main("allot-export", about, &command, 1, argc, argv);
}
