/* SPDX-License-Identifier: Apache-2.0 */
/* querykey and hash: equal texts have one key, joins are by key and refuse what is missing. */
#include "tests/unit/formats.h"
#include "lib/core/hash.h"

static void key_is(const char *text, const char *hex)
{
    char found[65];
    allot_key k = key_of(text), parsed;
    allot_key_hex(&k, found);
    assert_string_equal(found, hex);
    WORKS(allot_key_parse(hex, &parsed, &err));
    assert_int_equal(allot_key_compare(&k, &parsed), 0);
}

static void sha256_is_the_standard_one(void **state)
{
    (void)state;
    char hex[65], id[17];
    /* FIPS 180-2, appendix B.1 */
    const char *want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    key_is("abc", want);
    allot_short_id("abc", id);
    assert_string_equal(id, "ba7816bf8f01cfea");
    WORKS(allot_file_write("abc.txt", &allot_kind_any, "abc", 3, &err));
    WORKS(allot_sha256_file("abc.txt", hex, &err));
    assert_string_equal(hex, want);
    REFUSED(allot_sha256_file("none.txt", hex, &err), ALLOT_ERUNTIME,
            "cannot read 'none.txt': No such file or directory");
}

static void equal(const char *a, const char *b, int same)
{
    allot_key x = key_of(a), y = key_of(b);
    assert_int_equal(allot_key_compare(&x, &y) == 0, same);
}

static void spelling_does_not_change_the_key_but_meaning_does(void **state)
{
    (void)state;
    equal("a b", "  a \t\r\n b\n", 1);
    equal("a b",
          "a\xc2\xa0\xe3\x80\x80"
          "b",
          1);                                 /* no-break and ideographic space */
    equal("caf\xc3\xa9", "cafe\xcc\x81", 1);  /* composed and decomposed */
    equal("\xce\xac", "\xce\xb1\xcc\x81", 1); /* alpha with tonos */
    equal("\xe2\x89\xa0", "=\xcc\xb8", 1);    /* not equal */
    equal("\xc5\x81\xe4\xb8\x80", "L\xe4\xb8\x80", 0);
    equal("a b", "ab", 0);
    equal("A", "a", 0);
    equal("x\xc2\xb2", "x2", 0); /* x squared */
    equal("a\xe2\x80\x8b"
          "b",
          "a b", 0); /* zero-width space is no white space */
}

static void what_is_no_text_is_refused(void **state)
{
    (void)state;
    allot_key k;
    REFUSED(allot_key_of_text(" \n", 2, &k, &err), ALLOT_EINPUT, "the text is empty");
    REFUSED(allot_key_of_text("", 0, &k, &err), ALLOT_EINPUT, "the text is empty");
    REFUSED(allot_key_of_text("a\0b", 3, &k, &err), ALLOT_EINPUT,
            "the text has a zero byte at byte 1");
    REFUSED(allot_key_of_text("ab\xff", 3, &k, &err), ALLOT_EINPUT,
            "the text is not UTF-8 at byte 2 (convert it with iconv)");
    REFUSED(allot_key_of_text("\xed\xa0\x80", 3, &k, &err), ALLOT_EINPUT, /* a surrogate */
            "the text is not UTF-8 at byte 0 (convert it with iconv)");
    REFUSED(allot_key_parse("12", &k, &err), ALLOT_EINPUT,
            "'12' is not a query key (64 lower-case hex digits)");
}

/* Keys that differ in the last bytes only, as in hand-made files. */
static void the_index_finds_every_key(void **state)
{
    (void)state;
    enum { N = 20000 };
    allot_key *keys = allot_mem_array(N, sizeof *keys, NULL);
    allot_keyindex ix;
    for (int i = 0; i < N; i++)
        memcpy(keys[i].b + 28, &i, 4);
    WORKS(allot_keyindex_build(&ix, keys, N - 1, "k.h5", &err));
    for (int i = 0; i < N; i++)
        assert_int_equal(allot_keyindex_find(&ix, &keys[i]), i < N - 1 ? i : -1);
    allot_keyindex_clear(&ix);
    assert_int_equal(allot_keyindex_find(&ix, &keys[0]), -1);
    keys[77] = keys[5];
    REFUSED(allot_keyindex_build(&ix, keys, N, "k.h5", &err), ALLOT_EINPUT,
            "'k.h5': 1 of 20000 rows repeat a query, e.g. key 0000000000000000 in rows 5 and 77 (a "
            "query may occur once; make the file again)");
    free(keys);
}

static void a_join_refuses_missing_keys(void **state)
{
    (void)state;
    allot_key have[2], want[3];
    allot_keyindex ix;
    long rows[3];
    have[0] = want[1] = key_of("one");
    have[1] = want[0] = key_of("two");
    want[2] = key_of("abc");
    WORKS(allot_keyindex_build(&ix, have, 2, "e.h5", &err));
    WORKS(allot_key_join(want, 2, "o.h5", &ix, "e.h5", "embed them", rows, &err));
    assert_int_equal(rows[0], 1);
    assert_int_equal(rows[1], 0);
    REFUSED(allot_key_join(want, 3, "o.h5", &ix, "e.h5", "run 'allot-datasets embed' again", rows,
                           &err),
            ALLOT_EMISMATCH,
            "'o.h5' and 'e.h5' do not belong together: 1 of the 3 queries of 'o.h5' are not in "
            "'e.h5', e.g. key ba7816bf8f01cfea in row 2 (run 'allot-datasets embed' again)");
    allot_keyindex_clear(&ix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_the_standard_one),
        cmocka_unit_test(spelling_does_not_change_the_key_but_meaning_does),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(the_index_finds_every_key),
        cmocka_unit_test(a_join_refuses_missing_keys),
    };
    return cmocka_run_group_tests_name("querykey", tests, enter_folder, leave_folder);
}
