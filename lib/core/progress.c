/* SPDX-License-Identifier: Apache-2.0 */
/* Decides when a line is due, and prints done, rate and time left. */
#include "lib/core/progress.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "lib/core/log.h"

double allot_clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void allot_progress_start(allot_progress *p, const char *what, long done, long total)
{
    *p = (allot_progress){.what = what,
                          .total = total,
                          .first = done,
                          .started_s = allot_clock_s(),
                          .on_terminal = isatty(STDERR_FILENO)};
    p->shown_tenth = total > 0 ? (int)(10 * done / total) : 0;
}

static void show(const allot_progress *p, long done, double now, const char *extra)
{
    double elapsed = now - p->started_s;
    double rate = elapsed > 0 ? (double)(done - p->first) / elapsed : 0;
    char left[32] = "";
    if (p->total > done && rate > 0) {
        double s = (double)(p->total - done) / rate;
        if (s < 120) snprintf(left, sizeof left, ", %.0f s left", s);
        else if (s < 7200) snprintf(left, sizeof left, ", %.0f min left", s / 60);
        else snprintf(left, sizeof left, ", %.1f h left", s / 3600);
    }
    char line[512];
    snprintf(line, sizeof line, "%s %ld/%ld, %.1f/s%s%s%s", p->what, done, p->total, rate, left,
             extra && *extra ? ", " : "", extra ? extra : "");
    if (p->on_terminal) fprintf(stderr, "\r\033[K%s", line);
    else allot_log_info("%s", line);
}

void allot_progress_update(allot_progress *p, long done, const char *extra)
{
    if (allot_log_is_quiet()) return;
    double now = allot_clock_s();
    if (p->on_terminal) {
        if (now - p->shown_s < 0.2) return;
    } else {
        int tenth = p->total > 0 ? (int)(10 * done / p->total) : 0;
        if (tenth <= p->shown_tenth || done >= p->total) return; /* the end has its own line */
        p->shown_tenth = tenth;
    }
    p->shown_s = now;
    show(p, done, now, extra);
}

void allot_progress_end(allot_progress *p, long done, const char *extra)
{
    if (allot_log_is_quiet()) return;
    show(p, done, allot_clock_s(), extra);
    if (p->on_terminal) fputc('\n', stderr);
}
