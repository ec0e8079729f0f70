/* SPDX-License-Identifier: Apache-2.0 */
/* plots.h - pictures from the CSV files of a report, drawn by gnuplot. The script is kept beside
 * them, so that a reader can change it; without gnuplot only the script is written. */
#ifndef ALLOT_PLOTS_H
#define ALLOT_PLOTS_H
#include "lib/core/buf.h"
#include "liballot/err.h"

/* Writes dir/plots.gp from the text and runs gnuplot on it inside dir. *drawn = 0 when gnuplot is
 * not there or failed (a warning says so); never an error of the report. */
ALLOT_MUST_CHECK allot_code allot_plots_draw(const char *dir, const char *script, int *drawn,
                                             allot_err *err);

/* The script of a report: has_seconds adds the pictures in seconds, has_oracle its curve. */
void allot_plots_report(int has_seconds, int has_oracle, allot_buf *out);
#endif
