/* SPDX-License-Identifier: Apache-2.0 */
/* problems and splits. */
#include "tests/unit/formats.h"
#include "lib/store/problems.h"
#include "lib/store/splits.h"

static void add(allot_problems_writer *w, const char *text, const char *keyed_as)
{
    allot_key k = key_of(keyed_as);
    const char *texts[ALLOT_N_COLS] = {text, "42", "a long way", NULL, "easy", "id-1"};
    size_t n[ALLOT_N_COLS];
    for (int c = 0; c < ALLOT_N_COLS; c++)
        n[c] = texts[c] ? strlen(texts[c]) : 0;
    WORKS(allot_problems_add(w, &k, texts, n, &err));
}

/* More rows than a block holds. */
static void write_many(const char *path, int n)
{
    allot_problems_writer *w;
    char text[32];
    WORKS(allot_problems_create(path, &w, &err));
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%d+%d=?", i, i);
        add(w, text, text);
    }
    WORKS(allot_problems_commit(&w, "test", 1, NULL, &err));
    assert_null(w);
}

static void rows_come_back(void **state)
{
    (void)state;
    allot_problems p;
    size_t n;
    write_many("p.h5", 20000);
    WORKS(allot_problems_load("p.h5", 1, &p, &err));
    assert_int_equal(p.n, 20000);
    assert_memory_equal(allot_strings_at(&p.col[ALLOT_COL_PROBLEM], 19999, &n), "19999+19999=?",
                        13);
    assert_int_equal(n, 13);
    assert_memory_equal(allot_strings_at(&p.col[ALLOT_COL_SOLUTION], 3, &n), "a long way", 10);
    allot_strings_at(&p.col[ALLOT_COL_SOURCE], 3, &n);
    assert_int_equal(n, 0);
    allot_key k = key_of("3+3=?");
    assert_int_equal(allot_key_compare(&k, &p.keys[3]), 0);
    allot_problems_clear(&p);
    WORKS(allot_problems_load("p.h5", 0, &p, &err));
    assert_int_equal(p.col[ALLOT_COL_SOLUTION].n, 0);
    allot_problems_clear(&p);
    write_many("q.h5", 20000);
    same_bytes("p.h5", "q.h5");
    write_many("p.h5", 0);
    WORKS(allot_problems_load("p.h5", 1, &p, &err));
    assert_int_equal(p.n, 0);
    allot_problems_clear(&p);
}

static allot_code load(const char *path, allot_err *err)
{
    allot_problems p;
    allot_code rc = allot_problems_load(path, 0, &p, err);
    assert_null(p.keys);
    return rc;
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    allot_problems_writer *w;
    write_many("p.h5", 5);
    refuses_wrong_files(load, "p.h5", "allot-problems");
    WORKS(allot_problems_create("p.h5", &w, &err));
    add(w, "one", "one");
    add(w, "two", "abc");
    WORKS(allot_problems_commit(&w, "test", 1, NULL, &err));
    REFUSED(load("p.h5", &err), ALLOT_EINPUT,
            "cannot read 'p.h5': the key of row 1 is not the key "
            "of its problem (the file was edited; import it again)");
    WORKS(allot_problems_create("p.h5", &w, &err));
    add(w, "abc", "abc");
    add(w, "one", "one");
    add(w, " abc", "abc");
    WORKS(allot_problems_commit(&w, "test", 1, NULL, &err));
    REFUSED(load("p.h5", &err), ALLOT_EINPUT,
            "'p.h5': 1 of 3 rows repeat a query, e.g. key "
            "ba7816bf8f01cfea in rows 0 and 2 (a query may occur once; make the file again)");
}

/* ---- splits ---- */

static allot_code load_splits(const char *path, allot_err *err)
{
    allot_splits s;
    allot_code rc = allot_splits_load(path, &s, err);
    assert_null(s.keys);
    return rc;
}

static void splits_are_joined_by_key(void **state)
{
    (void)state;
    allot_key keys[3] = {key_of("one"), key_of("two"), key_of("three")};
    allot_key other[2] = {key_of("three"), key_of("abc")};
    uint8_t split[3] = {ALLOT_TEST, ALLOT_TRAIN, ALLOT_CALIBRATION}, of[2] = {9, 9};
    allot_splits s = {.n = 3,
                      .keys = keys,
                      .split = split,
                      .id = "00112233445566aa",
                      .seed = 4,
                      .fractions = "0.6,0.1,0.1,0.2"},
                 back;
    WORKS(allot_splits_save("s.h5", &s, "test", NULL, &err));
    refuses_wrong_files(load_splits, "s.h5", "allot-splits");
    WORKS(allot_splits_load("s.h5", &back, &err));
    assert_string_equal(back.id, s.id);
    assert_string_equal(back.fractions, s.fractions);
    assert_int_equal(back.seed, 4);
    WORKS(allot_splits_join(&back, "s.h5", other, 1, "o.h5", of, &err));
    assert_int_equal(of[0], ALLOT_CALIBRATION);
    REFUSED(allot_splits_join(&back, "s.h5", other, 2, "o.h5", of, &err), ALLOT_EMISMATCH,
            "'o.h5' and 's.h5' do not belong together: 1 of the 2 queries of 'o.h5' are not in "
            "'s.h5', e.g. key ba7816bf8f01cfea in row 1 (split this data set with 'allot-datasets "
            "split')");
    allot_splits_clear(&back);
}

static void a_query_in_two_splits_cannot_be_written(void **state)
{
    (void)state;
    allot_key keys[2] = {key_of("abc"), key_of("abc")};
    uint8_t split[2] = {ALLOT_TRAIN, ALLOT_TEST};
    allot_splits s = {.n = 2, .keys = keys, .split = split, .id = "00112233445566aa"};
    REFUSED(allot_splits_save("t.h5", &s, "test", NULL, &err), ALLOT_EINPUT,
            "'t.h5': 1 of 2 rows repeat a query, e.g. key "
            "ba7816bf8f01cfea in rows 0 and 1 (a query may occur once; make the file again)");
    keys[1] = key_of("two");
    split[1] = 7;
    REFUSED(allot_splits_save("t.h5", &s, "test", NULL, &err), ALLOT_EINPUT,
            "'t.h5': row 1 is in split 7, which does not exist (0 to 3)");
    assert_int_not_equal(access("t.h5", F_OK), 0);
}

static void splits_have_names(void **state)
{
    (void)state;
    allot_split s;
    for (int i = 0; i < ALLOT_N_SPLITS; i++) {
        WORKS(allot_split_parse(allot_split_name((allot_split)i), &s, &err));
        assert_int_equal(s, i);
    }
    REFUSED(allot_split_parse("dev", &s, &err), ALLOT_EUSAGE,
            "'dev' is not a split (train, validation, calibration, test)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(splits_are_joined_by_key),
        cmocka_unit_test(a_query_in_two_splits_cannot_be_written),
        cmocka_unit_test(splits_have_names),
    };
    return cmocka_run_group_tests_name("problems", tests, enter_folder, leave_folder);
}
