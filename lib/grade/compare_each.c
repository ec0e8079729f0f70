/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of two structures against each other, in order or in any. */
#include "lib/grade/comparison.h"

int allot_same_in_order(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    for (int i = 0; i < a->n; i++)
        if (!c->parts(a->part[i], b->part[i], c)) return 0;
    return 1;
}

int allot_parts_cover(const allot_structure *a, const allot_structure *b, int once,
                      allot_comparison *c)
{
    char used[ALLOT_PARTS_MAX] = {0};
    for (int i = 0; i < a->n; i++) {
        int j = 0;
        while (j < b->n && ((once && used[j]) || !c->parts(a->part[i], b->part[j], c)))
            j++;
        if (j == b->n) return 0;
        used[j] = 1;
    }
    return 1;
}

int allot_same_in_any_order(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    return a->n == b->n && allot_parts_cover(a, b, 1, c);
}
