/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - done/total, rate and time left: one rewritten line on a terminal, else a plain line
 * each 10 %. Silent with --quiet. */
#ifndef ALLOT_PROGRESS_H
#define ALLOT_PROGRESS_H

typedef struct {
    const char *what; /* borrowed, e.g. "samples" */
    long total;       /* 0: unknown */
    long first;       /* already done when started: not counted in the rate */
    double started_s; /* monotonic */
    double shown_s;
    int shown_tenth;
    int on_terminal;
} allot_progress;

void allot_progress_start(allot_progress *p, const char *what, long done, long total);
/* extra: more for the line (may be NULL), e.g. "12 errors, 5400 tokens/s". */
void allot_progress_update(allot_progress *p, long done, const char *extra);
void allot_progress_end(allot_progress *p, long done, const char *extra);

/* Seconds on the monotonic clock. */
double allot_clock_s(void);

#endif
