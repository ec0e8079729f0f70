/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/labels/labelchange.h"
#include <math.h>
#include <stdio.h>
#include "lib/core/json.h"

typedef struct {
    long cells, changed;
    double before, after, largest;
} change;

static change change_of(const allot_outcomes *a, const allot_outcomes *b,
                        const allot_keyindex *in_a, int s_a, int s_b)
{
    change c = {0};
    for (long q = 0; q < b->n; q++) {
        long row = allot_keyindex_find(in_a, &b->keys[q]);
        long x = row * a->strategies.count + s_a, y = q * b->strategies.count + s_b;
        if (row < 0 || a->n_trials[x] == 0 || b->n_trials[y] == 0) continue;
        double by = fabs((double)b->accuracy[y] - a->accuracy[x]);
        c.cells++;
        c.changed += by > 0;
        c.largest = fmax(c.largest, by);
        c.before += a->accuracy[x];
        c.after += b->accuracy[y];
    }
    return c;
}

static cJSON *row_json(const allot_strategy *s, const change *c)
{
    char text[ALLOT_STRATEGY_TEXT];
    cJSON *row = cJSON_CreateObject();
    allot_strategy_print(s, text);
    cJSON_AddStringToObject(row, "strategy", text);
    cJSON_AddNumberToObject(row, "cells", (double)c->cells);
    cJSON_AddNumberToObject(row, "changed", (double)c->changed);
    allot_json_add_number(row, "largest", c->largest);
    allot_json_add_number(row, "before", c->before / (double)c->cells);
    allot_json_add_number(row, "after", c->after / (double)c->cells);
    return row;
}

cJSON *allot_label_change(const allot_outcomes *before, const allot_outcomes *after, allot_err *err)
{
    allot_keyindex index = {0};
    if (allot_keyindex_build(&index, before->keys, (size_t)before->n, "the old outcomes", err))
        return NULL;
    long common = 0;
    for (long q = 0; q < after->n; q++)
        common += allot_keyindex_find(&index, &after->keys[q]) >= 0;
    cJSON *o = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(o, "strategies");
    cJSON_AddNumberToObject(o, "queries_gone", (double)(before->n - common));
    cJSON_AddNumberToObject(o, "queries_new", (double)(after->n - common));
    for (int s = 0; s < after->strategies.count; s++) {
        int old = allot_strategies_find(&before->strategies, &after->strategies.at[s]);
        if (old < 0) continue;
        change c = change_of(before, after, &index, old, s);
        if (c.cells) cJSON_AddItemToArray(rows, row_json(&after->strategies.at[s], &c));
    }
    allot_keyindex_clear(&index);
    return o;
}

void allot_label_change_print(const cJSON *o)
{
    const cJSON *row, *rows = cJSON_GetObjectItem(o, "strategies");
    long n_changed = 0;
    cJSON_ArrayForEach(row, rows)
    {
        long n = (long)cJSON_GetObjectItem(row, "changed")->valuedouble;
        n_changed += n;
        if (n == 0) continue;
        printf("changed: %-32s %ld of %ld labels, by at most %.4f, mean %.4f -> %.4f\n",
               cJSON_GetObjectItem(row, "strategy")->valuestring, n,
               (long)cJSON_GetObjectItem(row, "cells")->valuedouble,
               cJSON_GetObjectItem(row, "largest")->valuedouble,
               cJSON_GetObjectItem(row, "before")->valuedouble,
               cJSON_GetObjectItem(row, "after")->valuedouble);
    }
    printf("against the old outcomes: %ld labels changed, %ld queries new, %ld gone\n", n_changed,
           (long)cJSON_GetObjectItem(o, "queries_new")->valuedouble,
           (long)cJSON_GetObjectItem(o, "queries_gone")->valuedouble);
}
