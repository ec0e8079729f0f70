/* SPDX-License-Identifier: Apache-2.0 */
/* allot-datasets tinymath: as many different problems for the model in a box as are wanted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/store/problems.h"
#include "datasets/datacommands.h"
#include "datasets/tinymathgen.h"
#include "liballot/mem.h"

static long count = 1000;

static int by_key(const void *a, const void *b)
{
    return allot_key_compare(a, b);
}

/* A problem that came before is drawn again under the next index: keys are unique. `seen` is kept
 * sorted in blocks: sorting after every doubling keeps the whole thing n log n. */
typedef struct {
    allot_key *keys;
    size_t n, sorted;
} seen_keys;

static int add_if_new(seen_keys *s, const allot_key *key)
{
    if (bsearch(key, s->keys, s->sorted, sizeof *key, by_key)) return 0;
    for (size_t i = s->sorted; i < s->n; i++)
        if (allot_key_compare(&s->keys[i], key) == 0) return 0;
    s->keys[s->n++] = *key;
    if (s->n - s->sorted > 256 + s->sorted / 16) {
        qsort(s->keys, s->n, sizeof *s->keys, by_key);
        s->sorted = s->n;
    }
    return 1;
}

static allot_code add_problem(allot_problems_writer *w, const allot_key *key,
                              const allot_tinymath *t, uint64_t index, allot_err *err)
{
    char answer[32], id[48];
    snprintf(answer, sizeof answer, "%ld", t->answer);
    snprintf(id, sizeof id, "tinymath-%llu", (unsigned long long)index);
    const char *texts[ALLOT_N_COLS] = {[ALLOT_COL_PROBLEM] = t->problem,
                                       [ALLOT_COL_ANSWER] = answer,
                                       [ALLOT_COL_SOURCE] = t->family,
                                       [ALLOT_COL_ID] = id};
    size_t n[ALLOT_N_COLS] = {0};
    for (int c = 0; c < ALLOT_N_COLS; c++)
        n[c] = texts[c] ? strlen(texts[c]) : 0;
    return allot_problems_add(w, key, texts, n, err);
}

static allot_code generate(allot_problems_writer *w, uint64_t seed, long *redrawn, allot_err *err)
{
    seen_keys seen = {.keys = allot_mem_array((size_t)count, sizeof(allot_key), err)};
    allot_code rc = seen.keys ? ALLOT_OK : ALLOT_ERUNTIME;
    *redrawn = 0;
    for (uint64_t index = 0; !rc && seen.n < (size_t)count; index++) {
        allot_tinymath t;
        allot_key key;
        allot_tinymath_make(seed, index, &t);
        rc = allot_key_of_text(t.problem, strlen(t.problem), &key, err);
        if (rc) break;
        if (add_if_new(&seen, &key)) rc = add_problem(w, &key, &t, index, err);
        else if (++*redrawn > 10 * count + 1000)
            rc = allot_fail(err, ALLOT_EINPUT,
                            "only %zu different problems were found, %ld were "
                            "asked for (ask for fewer)",
                            seen.n, count);
    }
    free(seen.keys);
    return rc;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_problems_writer *w = NULL;
    long redrawn = 0;
    const char *none[] = {NULL};
    allot_code rc = allot_problems_create(common->args[0], &w, err);
    if (!rc) rc = generate(w, (uint64_t)common->seed, &redrawn, err);
    if (!rc) rc = allot_problems_commit(&w, "allot-datasets", common->seed, none, err);
    allot_problems_abort(&w);
    if (rc) return rc;
    if (!common->json) {
        printf("%ld problems in '%s' (%ld repeated ones drawn again)\n", count, common->args[0],
               redrawn);
        return ALLOT_OK;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "problems", (double)count);
    cJSON_AddNumberToObject(o, "redrawn", (double)redrawn);
    rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static const allot_option options[] = {
    {"count", ALLOT_OPT_LONG, &count, "N", "how many", 1, 10000000}, ALLOT_FORCE_ROW, {0}};

const allot_command allot_cmd_tinymath = {
    "tinymath",
    "[OPTION...] OUTPUT.h5",
    "make problems for the model in a box (chains of arithmetic)",
    options,
    1,
    1,
    run,
    "  allot-datasets tinymath --count 400 --seed 1 problems.h5"};
