/* SPDX-License-Identifier: Apache-2.0 */
/* outcomes and embeddings: the two tables that are joined for training. */
#include "tests/unit/formats.h"
#include "lib/store/embeddings.h"
#include "lib/store/outcomes.h"
#include "lib/store/strategyfile.h"

/* 3 queries, 2 strategies, all cells there. */
static void make(allot_outcomes *o)
{
    static const char *const queries[] = {"one", "two", "abc"};
    allot_strategies set = set_of("single,majority@8");
    WORKS(allot_outcomes_init(o, 3, &set, &err));
    allot_strategies_clear(&set);
    for (int q = 0; q < 3; q++) {
        o->keys[q] = key_of(queries[q]);
        o->codepoints[q] = 3;
    }
    for (int i = 0; i < 6; i++) {
        o->accuracy[i] = (float)i / 10;
        o->tokens[i] = (float)(100 * i);
        o->half[2 * i] = NAN;
        o->half[2 * i + 1] = (float)i / 8;
        o->n_trials[i] = 16;
    }
    o->fingerprint = object_of("{\"generator\":\"g\",\"temperature\":0.8}");
    o->label_rule = allot_mem_text("subsets", 7, NULL);
}

static void cells_come_back(void **state)
{
    (void)state;
    allot_outcomes o, back;
    make(&o);
    WORKS(allot_outcomes_save("o.h5", &o, "test", 1, NULL, &err));
    WORKS(allot_outcomes_load("o.h5", &back, &err));
    assert_int_equal(back.n, 3);
    assert_int_equal(back.strategies.count, 2);
    assert_memory_equal(back.accuracy, o.accuracy, 6 * sizeof(float));
    assert_memory_equal(back.half, o.half, 12 * sizeof(float));
    assert_memory_equal(back.n_trials, o.n_trials, 6 * sizeof(int32_t));
    assert_memory_equal(back.keys, o.keys, 3 * sizeof *o.keys);
    assert_string_equal(back.metric, "accuracy");
    assert_string_equal(back.label_rule, "subsets");
    assert_true(cJSON_Compare(back.fingerprint, o.fingerprint, 1));
    WORKS(allot_outcomes_save("p.h5", &back, "test", 1, NULL, &err));
    same_bytes("o.h5", "p.h5");
    allot_outcomes_clear(&back);
    allot_outcomes_clear(&o);
}

static allot_code load(const char *path, allot_err *err)
{
    allot_outcomes o;
    allot_code rc = allot_outcomes_load(path, &o, err);
    assert_null(o.keys);
    return rc;
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    allot_outcomes o;
    make(&o);
    WORKS(allot_outcomes_save("o.h5", &o, "test", 1, NULL, &err));
    refuses_wrong_files(load, "o.h5", "allot-outcomes");
    allot_outcomes_clear(&o);
}

static void wrong_numbers_are_neither_written_nor_read(void **state)
{
    (void)state;
    allot_outcomes o;
    make(&o);
    struct {
        float *at;
        float value;
        const char *message;
    } cases[] = {
        {&o.accuracy[5], 1.5f,
         "'w.h5': accuracy of query ba7816bf8f01cfea, majority@8 is 1.5, not "
         "within 0 to 1 (label again)"},
        {&o.accuracy[4], NAN,
         "'w.h5': accuracy of query ba7816bf8f01cfea, single is nan, not within "
         "0 to 1 (label again)"},
        {&o.half[11], 2,
         "'w.h5': half of query ba7816bf8f01cfea, majority@8 is 2, not within 0 to 1 "
         "(label again)"},
        {&o.tokens[4], -1,
         "'w.h5': tokens of query ba7816bf8f01cfea, single is -1, not a finite "
         "number >= 0 (label again)"},
        {&o.seconds[4], INFINITY,
         "'w.h5': seconds of query ba7816bf8f01cfea, single is inf, not a "
         "finite number >= 0 (label again)"},
        {&o.variance[4], NAN,
         "'w.h5': variance of query ba7816bf8f01cfea, single is nan, not a "
         "finite number >= 0 (label again)"},
        {&o.n_eff[4], -2,
         "'w.h5': n_eff of query ba7816bf8f01cfea, single is -2, not a finite "
         "number >= 0 (label again)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float before = *cases[i].at;
        *cases[i].at = cases[i].value;
        REFUSED(allot_outcomes_save("w.h5", &o, "test", 1, NULL, &err), ALLOT_EINPUT,
                cases[i].message);
        *cases[i].at = before;
    }
    o.seconds_kind[5] = 3;
    REFUSED(allot_outcomes_save("w.h5", &o, "test", 1, NULL, &err), ALLOT_EINPUT,
            "'w.h5': seconds_kind of query ba7816bf8f01cfea, majority@8 is 3, not within 0 to 2 "
            "(label again)");
    o.seconds_kind[5] = 0;
    o.n_trials[0] = -1;
    assert_int_equal(allot_outcomes_save("w.h5", &o, "test", 1, NULL, NULL), ALLOT_EINPUT);
    o.n_trials[0] = 1;
    o.keys[0] = o.keys[2];
    REFUSED(allot_outcomes_save("w.h5", &o, "test", 1, NULL, &err), ALLOT_EINPUT,
            "'w.h5': 1 of 3 rows repeat a query, e.g. key "
            "ba7816bf8f01cfea in rows 0 and 2 (a query may occur once; make the file again)");
    assert_int_not_equal(access("w.h5", F_OK), 0);
    allot_outcomes_clear(&o);
}

/* As a script might write it: the arrays disagree, or a strategy is there twice. */
static void arrays_of_other_shapes_are_refused(void **state)
{
    (void)state;
    static const uint8_t keys[2 * 32] = {1};
    static const int32_t codepoints[2] = {1, 1};
    allot_h5 *h;
    allot_strings twice = {0};
    size_t n = 0, bytes = 0;
    allot_strategies set = set_of("single");
    WORKS(allot_h5_create("x.h5", "allot-outcomes", 1, &h, &err));
    WORKS(allot_strategyfile_to_h5(h, &set, &err));
    WORKS(allot_h5_write(h, "key", ALLOT_H5_U8, 2, (long[]){2, 32}, keys, &err));
    WORKS(allot_h5_write(h, "codepoints", ALLOT_H5_I32, 1, (long[]){2}, codepoints, &err));
    WORKS(allot_h5_write(h, "accuracy", ALLOT_H5_F32, 2, (long[]){2, 1}, (float[2]){0}, &err));
    WORKS(allot_h5_write(h, "variance", ALLOT_H5_F32, 2, (long[]){1, 1}, (float[1]){0}, &err));
    WORKS(allot_h5_commit(&h, &err));
    REFUSED(load("x.h5", &err), ALLOT_EINPUT,
            "cannot read 'x.h5': '/variance' has 1 rows, '/key' "
            "has 2 (labelling was interrupted; run 'allot-collect label' again)");
    WORKS(allot_strings_add(&twice, &n, &bytes, "single", 6, &err));
    WORKS(allot_strings_add(&twice, &n, &bytes, "single", 6, &err));
    WORKS(allot_h5_create("x.h5", "allot-outcomes", 1, &h, &err));
    WORKS(allot_h5_write_strings(h, "strategies", &twice, &err));
    WORKS(allot_h5_commit(&h, &err));
    REFUSED(load("x.h5", &err), ALLOT_EINPUT,
            "cannot read 'x.h5': strategies 0 and 1 are both 'single' (list each once)");
    allot_strings_clear(&twice);
    allot_strategies_clear(&set);
}

static void missing_cells_need_a_word(void **state)
{
    (void)state;
    allot_outcomes o;
    allot_missing how;
    long queries;
    int strategies;
    make(&o);
    o.n_trials[3] = 0; /* query 1, strategy 1 */
    REFUSED(
        allot_outcomes_missing(&o, ALLOT_MISSING_REFUSE, "o.h5", &queries, &strategies, &err),
        ALLOT_EINPUT,
        "'o.h5': 1 of 6 cells are missing, e.g. query 3fc4ccfe745870e2, majority@8 "
        "(run 'allot-collect sample' again, or say --missing drop-query, drop-strategy or mask)");
    WORKS(allot_outcomes_missing(&o, ALLOT_MISSING_MASK, "o.h5", &queries, &strategies, &err));
    assert_int_equal(queries + strategies, 0);
    WORKS(allot_missing_parse("drop-query", &how, &err));
    WORKS(allot_outcomes_missing(&o, how, "o.h5", &queries, &strategies, &err));
    assert_int_equal(queries, 1);
    assert_int_equal(strategies, 0);
    assert_int_equal(o.n, 2);
    assert_true(o.accuracy[2] == 0.4f && o.half[5] == 0.5f);
    allot_key abc = key_of("abc");
    assert_int_equal(allot_key_compare(&o.keys[1], &abc), 0);
    o.n_trials[0] = 0;
    WORKS(allot_missing_parse("drop-strategy", &how, &err));
    WORKS(allot_outcomes_missing(&o, how, "o.h5", &queries, &strategies, &err));
    assert_int_equal(strategies, 1);
    assert_int_equal(o.strategies.at[0].method, ALLOT_MAJORITY);
    assert_true(o.accuracy[0] == 0.1f && o.accuracy[1] == 0.5f);
    WORKS(allot_outcomes_save("o.h5", &o, "test", 1, NULL, &err));
    o.n_trials[0] = o.n_trials[1] = 0;
    REFUSED(
        allot_outcomes_missing(&o, ALLOT_MISSING_DROP_QUERY, "o.h5", &queries, &strategies, &err),
        ALLOT_EINPUT,
        "'o.h5': nothing is left without the missing cells (2 of 2; try --missing mask)");
    REFUSED(allot_missing_parse("ignore", &how, &err), ALLOT_EUSAGE,
            "'ignore' is not a way with "
            "missing cells (refuse, drop-query, drop-strategy, mask)");
    allot_outcomes_clear(&o);
}

/* ---- embeddings ---- */

static allot_code load_embeddings(const char *path, allot_err *err)
{
    allot_embeddings e;
    allot_code rc = allot_embeddings_load(path, &e, err);
    assert_null(e.keys);
    return rc;
}

static void embeddings_come_back_with_their_id(void **state)
{
    (void)state;
    allot_key keys[2] = {key_of("one"), key_of("abc")};
    float at[6] = {1, 2, 3, 4, 5, 6};
    char model[] = "m", pooling[] = "last", prefix[] = "";
    allot_embeddings e = {.n = 2,
                          .dim = 3,
                          .keys = keys,
                          .at = at,
                          .model = model,
                          .pooling = pooling,
                          .normalized = 1,
                          .prefix = prefix},
                     back;
    char id[17];
    WORKS(allot_embeddings_save("e.h5", &e, "test", 1, NULL, &err));
    refuses_wrong_files(load_embeddings, "e.h5", "allot-embeddings");
    WORKS(allot_embeddings_load("e.h5", &back, &err));
    assert_string_equal(back.id, e.id);
    assert_string_equal(back.model, "m");
    assert_int_equal(back.dim, 3);
    assert_int_equal(back.normalized, 1);
    assert_memory_equal(back.at, at, sizeof at);
    allot_embeddings_clear(&back);
    allot_embeddings_id(e.model, e.pooling, e.dim, 0, e.prefix, id);
    assert_string_not_equal(id, e.id);
    at[4] = NAN;
    REFUSED(allot_embeddings_save("f.h5", &e, "test", 1, NULL, &err), ALLOT_EINPUT,
            "'f.h5': entry 1 of the embedding in row 1 is not finite (embed again, or leave this "
            "query out)");
    at[4] = 5;
    keys[0] = keys[1];
    REFUSED(allot_embeddings_save("f.h5", &e, "test", 1, NULL, &err), ALLOT_EINPUT,
            "'f.h5': 1 of 2 rows repeat a query, e.g. key "
            "ba7816bf8f01cfea in rows 0 and 1 (a query may occur once; make the file again)");
    assert_int_not_equal(access("f.h5", F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_come_back),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(wrong_numbers_are_neither_written_nor_read),
        cmocka_unit_test(arrays_of_other_shapes_are_refused),
        cmocka_unit_test(missing_cells_need_a_word),
        cmocka_unit_test(embeddings_come_back_with_their_id),
    };
    return cmocka_run_group_tests_name("outcomes", tests, enter_folder, leave_folder);
}
