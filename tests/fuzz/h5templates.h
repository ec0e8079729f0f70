/* SPDX-License-Identifier: Apache-2.0 */
/* h5templates.h - one small good file of each schema, for what fuzz_h5.c does to them. */
#ifndef ALLOT_H5TEMPLATES_H
#define ALLOT_H5TEMPLATES_H
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/embeddings.h"
#include "lib/store/outcomes.h"
#include "lib/store/probefile.h"
#include "lib/store/problems.h"
#include "lib/store/splits.h"
#include "liballot/mem.h"

enum { TEMPLATE_ROWS = 3 };

static inline allot_key template_key(int i)
{
    allot_key key;
    char text = (char)('a' + i);
    assert(!allot_key_of_text(&text, 1, &key, NULL));
    return key;
}

static inline void template_strategies(allot_strategies *set)
{
    static const char *const texts[] = {"single", "majority@8", "bon@4"};
    for (int i = 0; i < 3; i++) {
        allot_strategy s;
        assert(!allot_strategy_parse(texts[i], &s, NULL) && !allot_strategies_add(set, &s, NULL));
    }
}

static inline allot_code template_outcomes(const char *path, allot_err *err)
{
    allot_outcomes o;
    allot_strategies set = {0};
    template_strategies(&set);
    assert(!allot_outcomes_init(&o, TEMPLATE_ROWS, &set, err));
    allot_strategies_clear(&set);
    for (int q = 0; q < TEMPLATE_ROWS; q++) {
        o.keys[q] = template_key(q);
        o.codepoints[q] = 1;
    }
    for (int i = 0; i < TEMPLATE_ROWS * 3; i++) {
        o.accuracy[i] = o.half[2 * i] = (float)i / 10;
        o.half[2 * i + 1] = NAN;
        o.tokens[i] = (float)i;
        o.n_trials[i] = 16;
    }
    o.fingerprint = cJSON_Parse("{\"generator\":\"g\"}");
    o.label_rule = allot_mem_text("subsets", 7, NULL);
    allot_code rc = allot_outcomes_save(path, &o, "fuzz", 1, NULL, err);
    allot_outcomes_clear(&o);
    return rc;
}

static inline allot_code template_probe(const char *path, allot_err *err)
{
    allot_probefile p = {.embedding_id = "0011223344556677",
                         .split_id = "8899aabbccddeeff",
                         .metric = "accuracy",
                         .calibrated = 1};
    template_strategies(&p.strategies);
    p.probe = (allot_probe){.layout = ALLOT_FEATURES_DEFAULT, .d = 2, .s = 3, .h1 = 2, .h2 = 2};
    p.probe.p = allot_features_strategy_dim(p.probe.layout, &p.strategies);
    assert(!allot_probe_init(&p.probe, err));
    p.embedding_model = allot_mem_text("tiny", 4, NULL);
    p.fingerprint = cJSON_Parse("{\"generator\":\"g\"}");
    p.training = cJSON_Parse("{\"epochs\":3}");
    p.calibration = cJSON_Parse("{\"rows\":100}");
    allot_calib_identity(&p.calib);
    allot_code rc = allot_probefile_save(path, &p, "fuzz", 1, NULL, err);
    allot_probefile_clear(&p);
    return rc;
}

static inline allot_code template_problems(const char *path, allot_err *err)
{
    allot_problems_writer *w;
    assert(!allot_problems_create(path, &w, err));
    for (int i = 0; i < TEMPLATE_ROWS; i++) {
        const allot_key key = template_key(i);
        const char text[] = {(char)('a' + i), '\0'}, *texts[ALLOT_N_COLS] = {text, "42", "steps"};
        const size_t n[ALLOT_N_COLS] = {1, 2, 5};
        assert(!allot_problems_add(w, &key, texts, n, err));
    }
    return allot_problems_commit(&w, "fuzz", 1, NULL, err);
}

static inline allot_code template_embeddings(const char *path, allot_err *err)
{
    allot_key keys[TEMPLATE_ROWS];
    float at[TEMPLATE_ROWS * 2] = {1, 0, 0, 1, 0.6f, 0.8f};
    char model[] = "tiny", pooling[] = "mean", prefix[] = "";
    allot_embeddings e = {.n = TEMPLATE_ROWS,
                          .dim = 2,
                          .keys = keys,
                          .at = at,
                          .model = model,
                          .pooling = pooling,
                          .normalized = 1,
                          .prefix = prefix};
    for (int i = 0; i < TEMPLATE_ROWS; i++)
        keys[i] = template_key(i);
    return allot_embeddings_save(path, &e, "fuzz", 1, NULL, err);
}

static inline allot_code template_splits(const char *path, allot_err *err)
{
    allot_key keys[TEMPLATE_ROWS];
    uint8_t split[TEMPLATE_ROWS] = {ALLOT_TRAIN, ALLOT_VALIDATION, ALLOT_TEST};
    allot_splits s = {.n = TEMPLATE_ROWS,
                      .keys = keys,
                      .split = split,
                      .id = "0011223344556677",
                      .seed = 1,
                      .fractions = "0.6,0.1,0.1,0.2"};
    for (int i = 0; i < TEMPLATE_ROWS; i++)
        keys[i] = template_key(i);
    return allot_splits_save(path, &s, "fuzz", NULL, err);
}
#endif
