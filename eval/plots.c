/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the gnuplot script of a report, and runs gnuplot where there is one. */
#include "eval/plots.h"
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/core/atomicfile.h"
#include "lib/core/buf.h"
#include "lib/core/interrupt.h"
#include "lib/core/log.h"

extern char **environ;

static int run_gnuplot(const char *dir)
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions)) return -1;
    char program[] = "gnuplot", script[] = "plots.gp", *argv[] = {program, script, NULL};
    pid_t pid;
    int status = -1;
    if (posix_spawn_file_actions_addchdir_np(&actions, dir) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0) == 0 &&
        posix_spawnp(&pid, "gnuplot", &actions, NULL, argv, environ) == 0) {
        allot_interrupt_child(pid);
        waitpid(pid, &status, 0);
        allot_interrupt_child(0);
    }
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

allot_code allot_plots_draw(const char *dir, const char *script, int *drawn, allot_err *err)
{
    allot_buf path = {0};
    allot_buf_printf(&path, "%s/plots.gp", dir);
    allot_code rc = allot_buf_check(&path, err);
    if (!rc) rc = allot_file_write(path.at, &allot_kind_any, script, strlen(script), err);
    allot_buf_clear(&path);
    if (rc) return rc;
    int status = run_gnuplot(dir);
    *drawn = status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!*drawn)
        allot_log_warn("no pictures: gnuplot is missing or failed (install gnuplot and run "
                       "'gnuplot plots.gp' in the folder of the report)");
    return ALLOT_OK;
}

/* One axis: accuracy against cost, and the band of the difference to the hull. */
static void axis(allot_buf *b, const char *unit, const char *label, int has_oracle)
{
    allot_buf_printf(
        b,
        "set output 'accuracy-%s.png'\nset title 'Accuracy against mean %s'\n"
        "set xlabel 'mean %s per query (log)'\nset ylabel 'accuracy'\nset logscale x\n"
        "set key bottom right\nunset yrange\n"
        "plot 'band-%s.csv' using 1:3 with lines lw 2 lc rgb '#888888' title 'hull of the statics',"
        " '' using 1:2 with lines lw 3 lc rgb '#d55e00' title 'adaptive'",
        unit, label, label, unit);
    if (has_oracle)
        allot_buf_str(b, ", '' using 1:7 with lines lw 2 dt 2 lc rgb '#009e73' title "
                         "'oracle, cross-fitted'");
    allot_buf_printf(
        b,
        ", 'statics.csv' using (column('%s')):(column('accuracy')) with points pt 7 ps 1.2 lc rgb "
        "'#0072b2' title 'static', '' using (column('%s')):(column('accuracy')):1 with labels "
        "left offset 0.7,-0.5 font ',8' tc rgb '#555555' notitle\n",
        unit, unit);
    allot_buf_printf(
        b,
        "set output 'band-%s.png'\nset title 'Adaptive minus hull, simultaneous 95%% band'\n"
        "set ylabel 'accuracy difference'\nset key top right\n"
        "plot 'band-%s.csv' using 1:5:6 with filledcurves fc rgb '#f3c9ab' title '95%% band', "
        "'' using 1:4 with lines lw 3 lc rgb '#d55e00' title 'adaptive - hull', "
        "0 with lines lw 1 lc rgb '#000000' notitle\n",
        unit, unit);
    allot_buf_printf(
        b,
        "set output 'shares-%s.png'\nset title 'Share of queries by strategy'\n"
        "set xlabel 'lambda per %s (log)'\nset ylabel 'share'\nset yrange [0:1]\n"
        "set key outside right font ',8'\n"
        "plot for [i=2:words(strategies_%s)+1] 'shares-%s.csv' using 1:i with lines lw 2 "
        "title word(strategies_%s, i-1)\nunset logscale x\nset key inside\n",
        unit, strcmp(unit, "tokens") == 0 ? "token" : "second", unit, unit, unit);
}

void allot_plots_report(int has_seconds, int has_oracle, allot_buf *out)
{
    allot_buf_str(out, "# drawn by allot-eval; run 'gnuplot plots.gp' in this folder\n"
                       "set datafile separator ','\nset terminal pngcairo size 900,600 noenhanced\n"
                       "set grid lc rgb '#dddddd'\nset key autotitle columnhead\n"
                       "load 'strategies.gp'\n");
    axis(out, "tokens", "generated tokens", has_oracle);
    if (has_seconds) axis(out, "seconds", "wall-clock seconds", has_oracle);
    allot_buf_str(
        out,
        "set output 'reliability.png'\nset title 'Reliability (equal-mass bins, test queries)'\n"
        "set xlabel 'predicted accuracy'\nset ylabel 'observed accuracy'\n"
        "set xrange [0:1]\nset yrange [0:1]\nset key top left\n"
        "plot x with lines lc rgb '#888888' title 'perfect', "
        "'reliability.csv' using (strcol(1) eq 'calibrated' ? column(3) : NaN):4 with linespoints "
        "lw 2 pt 7 lc rgb '#d55e00' title 'calibrated', "
        "'' using (strcol(1) eq 'raw' ? column(3) : NaN):4 with linespoints "
        "lw 2 pt 6 lc rgb '#0072b2' title 'before calibration'\n");
}
