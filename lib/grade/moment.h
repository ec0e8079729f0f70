/* SPDX-License-Identifier: Apache-2.0 */
/* moment.h - dates and times: "March 5th, 2020", "5 March", "2020-03-05", "3:45 PM", "9 a.m.". */
#ifndef ALLOT_MOMENT_H
#define ALLOT_MOMENT_H
#include <stddef.h>

typedef struct {
    int year, month, day; /* -1: not said */
    int hour, minute,
        second; /* hour -1: no time of day; of 24 if `half` is known, else as written */
    int half;   /* 0 before noon, 1 after, -1: not said */
} allot_moment;

/* Reads an answer as written, of n bytes. 1, or 0: not a date and not a time. */
int allot_moment_read(const char *s, size_t n, allot_moment *out);

/* 1 if they agree in what both say, and both say a date, or a time, or both. */
int allot_moments_equal(const allot_moment *a, const allot_moment *b);

#endif
