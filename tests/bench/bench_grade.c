/* SPDX-License-Identifier: Apache-2.0 */
/* Comparisons of short answers per second of one core. */
#include <stdio.h>
#include <string.h>
#include "lib/extract/extract.h"
#include "tests/graderubbish.h"

int main(void)
{
    static const char *const pairs[][2] = {{"52", "53"},        {"\\frac{1}{2}", "0.5"},
                                           {"1,234", "$1234$"}, {"3\\sqrt{2}", "\\sqrt{18}"},
                                           {"(1,2)", "(1, 2)"}, {"x^2+1", "1+x^2"},
                                           {"10", "10 meters"}, {"-7", "7"}};
    enum { PAIRS = sizeof pairs / sizeof *pairs, ROUNDS = 20000 };
    long equal = 0;
    double started = thread_ms();
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < PAIRS; i++)
            equal += allot_answers_equal(pairs[i][0], strlen(pairs[i][0]), pairs[i][1],
                                         strlen(pairs[i][1]), NULL);
    double taken = (thread_ms() - started) / 1e3;
    printf("%.0f pairs/s (%ld of %d equal)\n", PAIRS * ROUNDS / taken, equal, PAIRS * ROUNDS);
    return 0;
}
