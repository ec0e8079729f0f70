/* SPDX-License-Identifier: Apache-2.0 */
/* usage: outcomes_equal A.h5 B.h5   exit 0 when both say the same of every query and strategy, bit
 * by bit, seconds and provenance aside; else 1 and the first difference. */
#include <stdio.h>
#include <string.h>
#include "lib/store/fingerprint.h"
#include "lib/store/outcomes.h"

static int n_differences;

static void compare(const char *what, const void *a, const void *b, size_t n, size_t size)
{
    const char *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (memcmp(x + i * size, y + i * size, size) != 0) {
            printf("%s differs first at entry %zu of %zu\n", what, i, n);
            n_differences++;
            return;
        }
}

static void compare_arrays(const allot_outcomes *a, const allot_outcomes *b)
{
    size_t q = (size_t)a->n, cells = q * (size_t)a->strategies.count;
    compare("key", a->keys, b->keys, q, sizeof *a->keys);
    compare("codepoints", a->codepoints, b->codepoints, q, sizeof *a->codepoints);
    compare("accuracy", a->accuracy, b->accuracy, cells, sizeof *a->accuracy);
    compare("variance", a->variance, b->variance, cells, sizeof *a->variance);
    compare("n_eff", a->n_eff, b->n_eff, cells, sizeof *a->n_eff);
    compare("half", a->half, b->half, 2 * cells, sizeof *a->half);
    compare("tokens", a->tokens, b->tokens, cells, sizeof *a->tokens);
    compare("n_trials", a->n_trials, b->n_trials, cells, sizeof *a->n_trials);
}

int main(int argc, char **argv)
{
    allot_outcomes a = {0}, b = {0};
    allot_err err = {0};
    if (argc != 3 || allot_outcomes_load(argv[1], &a, &err) ||
        allot_outcomes_load(argv[2], &b, &err)) {
        fprintf(stderr, "outcomes_equal: %s\n", argc == 3 ? err.msg : "two files are needed");
        return 2;
    }
    char fingerprint_a[17], fingerprint_b[17];
    allot_fingerprint_id(a.fingerprint, fingerprint_a);
    allot_fingerprint_id(b.fingerprint, fingerprint_b);
    if (a.n != b.n || allot_strategies_id(&a.strategies) != allot_strategies_id(&b.strategies) ||
        strcmp(fingerprint_a, fingerprint_b) != 0 ||
        ((a.grading || b.grading) && !cJSON_Compare(a.grading, b.grading, 1))) {
        printf("%ld and %ld queries, or other strategies or settings\n", a.n, b.n);
        n_differences++;
    } else {
        compare_arrays(&a, &b);
    }
    if (!n_differences) printf("equal: %ld queries, %d strategies\n", a.n, a.strategies.count);
    allot_outcomes_clear(&a);
    allot_outcomes_clear(&b);
    return n_differences > 0;
}
