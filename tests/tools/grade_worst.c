/* SPDX-License-Identifier: Apache-2.0 */
/* grade_worst N [SEED]: compares N pairs of hostile answers; prints the slowest pair's milliseconds
 * of the thread's processor time, and the pair; fails above 10 ms. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "lib/extract/extract.h"
#include "tests/graderubbish.h"

static double timed(const allot_buf *a, const allot_buf *b, int *equal)
{
    double started = thread_ms();
    *equal = allot_answers_equal(a->at, a->n, b->at, b->n, NULL);
    return thread_ms() - started;
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 0, equal = 0;
    allot_rng r = allot_rng_start(argc > 2 ? (uint64_t)atol(argv[2]) : 1, 5, 0, 0);
    allot_buf a = {0}, b = {0}, worst = {0};
    double slowest = 0, all = 0;
    for (long i = 0; i < n; i++) {
        rubbish(&r, &a);
        rubbish(&r, &b);
        int same;
        double taken = timed(&a, &b, &same);
        for (int k = 0; k < 3 && taken > slowest; k++) /* a busy machine's clock jumps */
            taken = fmin(taken, timed(&a, &b, &same));
        equal += same;
        all += taken;
        if (taken <= slowest) continue;
        slowest = taken;
        allot_buf_reset(&worst);
        allot_buf_printf(&worst, "%s\n%s", a.at, b.at);
    }
    printf("%ld pairs, %ld equal, %.4f ms each, the slowest %.3f ms:\n%.1500s\n", n, equal,
           all / (double)n, slowest, worst.at ? worst.at : "");
    allot_buf_clear(&a);
    allot_buf_clear(&b);
    allot_buf_clear(&worst);
    return n < 1 || slowest >= 10;
}
