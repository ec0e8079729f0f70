/* SPDX-License-Identifier: Apache-2.0 */
/* joined: outcomes, embeddings and splits of one data set, whatever the order of their rows. */
#include "tests/unit/formats.h"
#include "lib/store/joined.h"

enum { N = 5 };
static const char *const queries[N] = {"one", "two", "three", "four", "five"};
static const uint8_t split[N] = {ALLOT_TEST, ALLOT_TRAIN, ALLOT_TEST, ALLOT_TEST, ALLOT_VALIDATION};
static const allot_joined_files files = {"o.h5", "e.h5", "s.h5", ALLOT_MISSING_REFUSE};

/* Query i has the embedding (i, -i); o.h5 holds the queries in order, the others backwards. */
static void write_files(int missing_cell_of, int n_embeddings)
{
    allot_outcomes o;
    allot_strategies set = set_of("single,majority@8");
    allot_key keys[N];
    uint8_t split_of[N];
    float at[2 * N];
    char model[] = "m", pooling[] = "last", prefix[] = "";
    WORKS(allot_outcomes_init(&o, N, &set, &err));
    for (int i = 0; i < N; i++) {
        int back = N - 1 - i;
        o.keys[i] = key_of(queries[i]);
        o.codepoints[i] = 3;
        o.n_trials[2 * i] = o.n_trials[2 * i + 1] = i == missing_cell_of ? 0 : 4;
        keys[i] = key_of(queries[back]);
        split_of[i] = split[back];
        at[2 * i] = (float)back;
        at[2 * i + 1] = (float)-back;
    }
    o.fingerprint = object_of("{\"generator\":\"g\"}");
    WORKS(allot_outcomes_save("o.h5", &o, "test", 1, NULL, &err));
    allot_embeddings e = {.n = n_embeddings,
                          .dim = 2,
                          .keys = keys,
                          .at = at,
                          .model = model,
                          .pooling = pooling,
                          .prefix = prefix};
    WORKS(allot_embeddings_save("e.h5", &e, "test", 1, NULL, &err));
    allot_splits s = {.n = N,
                      .keys = keys,
                      .split = split_of,
                      .id = "00112233445566aa",
                      .fractions = "0.6,0.1,0.1,0.2"};
    WORKS(allot_splits_save("s.h5", &s, "test", NULL, &err));
    allot_outcomes_clear(&o);
    allot_strategies_clear(&set);
}

static void rows_are_joined_by_key(void **state)
{
    (void)state;
    allot_joined j;
    write_files(-1, N);
    WORKS(allot_joined_load(&files, NULL, &j, &err));
    for (int q = 0; q < N; q++) {
        assert_int_equal(j.split_of[q], split[q]);
        assert_true(allot_joined_embedding(&j, q)[0] == (float)q);
        assert_true(allot_joined_embedding(&j, q)[1] == (float)-q);
    }
    assert_int_equal(j.n[ALLOT_TEST], 3);
    assert_int_equal(j.n[ALLOT_CALIBRATION], 0);
    allot_joined_clear(&j);
    allot_joined_clear(&j);
}

static void dropped_queries_are_counted_in_their_split(void **state)
{
    (void)state;
    allot_joined j;
    allot_joined_files drop = files;
    drop.missing = ALLOT_MISSING_DROP_QUERY;
    write_files(2, N);
    REFUSED(allot_joined_load(&files, NULL, &j, &err), ALLOT_EINPUT,
            "'o.h5': 2 of 10 cells are missing, e.g. query 8b5b9db0c13db242, single (run "
            "'allot-collect sample' again, or say --missing drop-query, drop-strategy or mask)");
    WORKS(allot_joined_load(&drop, NULL, &j, &err));
    assert_int_equal(j.outcomes.n, N - 1);
    assert_int_equal(j.n[ALLOT_TEST], 2);
    assert_int_equal(j.dropped[ALLOT_TEST], 1);
    assert_int_equal(j.dropped[ALLOT_TRAIN] + j.dropped[ALLOT_VALIDATION], 0);
    assert_true(allot_joined_embedding(&j, 2)[0] == 3);
    allot_joined_clear(&j);
}

static void what_was_trained_must_agree(void **state)
{
    (void)state;
    allot_joined j;
    allot_strategies set = set_of("single,majority@8");
    cJSON *fingerprint = object_of("{\"generator\":\"g\"}");
    write_files(-1, N);
    WORKS(allot_joined_load(&files, NULL, &j, &err));
    char id[17];
    memcpy(id, j.embeddings.id, sizeof id);
    allot_joined_clear(&j);
    allot_joined_trained t = {"p.h5",     &set, fingerprint, NULL, "m", id, "00112233445566aa",
                              "accuracy", 2};
    WORKS(allot_joined_load(&files, &t, &j, &err));
    allot_joined_clear(&j);
    t.split_id = "ff112233445566aa";
    REFUSED(
        allot_joined_load(&files, &t, &j, &err), ALLOT_EMISMATCH,
        "'p.h5' and 's.h5' do not belong together: the split id is ff112233445566aa in the one "
        "and 00112233445566aa in the other (give the file that allot-train had, or train again)");
    t.split_id = "00112233445566aa";
    t.metric = "reward";
    REFUSED(
        allot_joined_load(&files, &t, &j, &err), ALLOT_EMISMATCH,
        "'p.h5' and 'o.h5' do not belong together: the metric is reward in the one and accuracy "
        "in the other (give the file that allot-train had, or train again)");
    allot_strategies_clear(&set);
    cJSON_Delete(fingerprint);
}

static void missing_embeddings_are_refused(void **state)
{
    (void)state;
    allot_joined j;
    write_files(-1, N - 1);
    REFUSED(allot_joined_load(&files, NULL, &j, &err), ALLOT_EMISMATCH,
            "'o.h5' and 'e.h5' do not belong together: 1 of the 5 queries of 'o.h5' are not in "
            "'e.h5', e.g. key 7692c3ad3540bb80 in row 0 (embed the problems of these outcomes with "
            "'allot-datasets embed')");
    assert_null(j.row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_joined_by_key),
        cmocka_unit_test(dropped_queries_are_counted_in_their_split),
        cmocka_unit_test(what_was_trained_must_agree),
        cmocka_unit_test(missing_embeddings_are_refused),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
