/* SPDX-License-Identifier: Apache-2.0 */
/* The text form of strategies: spellings, refusals, round trips of random ones, ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "lib/core/rng.h"
#include "liballot/strategy.h"

static void expect_print(const char *text, const char *canonical)
{
    allot_strategy s;
    allot_err err = {0};
    char out[ALLOT_STRATEGY_TEXT];
    if (allot_strategy_parse(text, &s, &err)) fail_msg("%s", err.msg);
    allot_strategy_print(&s, out);
    assert_string_equal(out, canonical);
}

static void spellings_become_canonical(void **state)
{
    (void)state;
    expect_print("single", "single");
    expect_print("majority_vote@8", "majority@8");
    expect_print("self_consistency@4096", "majority@4096");
    expect_print("best_of_n@16", "bon@16");
    expect_print("naive@2", "bon@2");
    expect_print("weighted_best_of_n@32;agg=prod", "weighted@32;agg=prod");
    expect_print("beam_search@8x4x20", "beam@8x4x20");
    expect_print("beam@8x4x20;final=best;agg=last", "beam@8x4x20");
    expect_print("beam@8x4x20;final=vote;agg=min", "beam@8x4x20;agg=min;final=vote");
    expect_print("diverse_verifier_tree_search@8x4x20", "dvts@8x4x20");
    expect_print("dvts@4x4x3;final=vote;agg=mean", "dvts@4x4x3;agg=mean;final=vote");
    expect_print("named:\"GPT \xc3\xa9, 3 shots\"", "named:\"GPT \xc3\xa9, 3 shots\"");
}

static void expect_refusal(const char *text, const char *message)
{
    allot_strategy s = {.n = 77};
    allot_err err = {0};
    assert_int_equal(allot_strategy_parse(text, &s, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, message);
    assert_int_equal(s.n, 77);
}

static void wrong_texts_are_refused(void **state)
{
    (void)state;
    static const char range[] = "must be a number from 1 to 4096 without sign or leading zero";
    char message[256], longest[400];
    expect_refusal("", "strategy '': unknown method '' (there are single, majority, bon, weighted, "
                       "beam, dvts and named)");
    expect_refusal("Majority@8", "strategy 'Majority@8': unknown method 'Majority' (there are "
                                 "single, majority, bon, weighted, beam, dvts and named)");
    expect_refusal("majority", "strategy 'majority': N is missing (example: majority@8)");
    static const char *const numbers[] = {
        "bon@",   "bon@0",  "bon@-1",   "bon@+1",
        "bon@ 1", "bon@01", "bon@4097", "bon@99999999999999999999"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(message, sizeof message, "strategy '%s': N %s", numbers[i], range);
        expect_refusal(numbers[i], message);
    }
    expect_refusal("beam@8", "strategy 'beam@8': the beam width M is missing (example: "
                             "beam@8x4x20)");
    expect_refusal("beam@8x4x1001", "strategy 'beam@8x4x1001': the depth D must be a number from 1 "
                                    "to 1000 without sign or leading zero");
    expect_refusal("beam@8x4x20x2", "strategy 'beam@8x4x20x2': 'x2' is too much (example: "
                                    "beam@8x4x20)");
    expect_refusal("dvts@6x4x20", "strategy 'dvts@6x4x20': N must be a multiple of M, as "
                                  "dvts@8x4x20 is");
    expect_refusal("dvts@2x4x20", "strategy 'dvts@2x4x20': N must be a multiple of M, as "
                                  "dvts@4x4x20 is");
    expect_refusal("dvts@4096x4095x1", "strategy 'dvts@4096x4095x1': N must be a multiple of M, as "
                                       "dvts@4095x4095x1 is");
    expect_refusal("single@8", "strategy 'single@8': '@8' is too much (example: single)");
    expect_refusal("majority@8 ", "strategy 'majority@8 ': ' ' is too much (example: majority@8)");
    expect_refusal("bon@8;final=vote", "strategy 'bon@8;final=vote': bon has no key 'final'");
    expect_refusal("majority@8;agg=min", "strategy 'majority@8;agg=min': majority has no key "
                                         "'agg'");
    expect_refusal("bon@8;agg=min;agg=min", "strategy 'bon@8;agg=min;agg=min': key 'agg' occurs "
                                            "twice");
    expect_refusal("bon@8;agg=max", "strategy 'bon@8;agg=max': unknown value 'max' of agg (there "
                                    "are last, min, prod, mean)");
    expect_refusal("bon@8;aggregate=min", "strategy 'bon@8;aggregate=min': unknown key 'aggregate' "
                                          "(there are agg and final)");
    expect_refusal("bon@8;", "strategy 'bon@8;': '' is not key=value");
    expect_refusal("named:x", "strategy 'named:x': a name in double quotes must follow (example: "
                              "named:\"any text\")");
    expect_refusal("named:\"\"", "strategy 'named:\"\"': a name in double quotes must follow "
                                 "(example: named:\"any text\")");
    static const char *const names[] = {"named:\"a\"b\"",     "named:\"a\\b\"",
                                        "named:\"a\nb\"",     "named:\"\xff\"",
                                        "named:\"\xc0\x80\"", "named:\"\xe2\x82\""};
    allot_strategy s;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(allot_strategy_parse(names[i], &s, NULL), ALLOT_EINPUT);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    expect_refusal(longest, "strategy 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is longer than "
                            "127 bytes");
}

static allot_strategy random_strategy(allot_rng *rng)
{
    allot_strategy s = {.n = 1, .width = 1, .depth = 1};
    s.method = (allot_method)allot_rng_below(rng, ALLOT_N_METHODS);
    if (s.method != ALLOT_SINGLE && s.method != ALLOT_NAMED)
        s.n = 1 + (int)allot_rng_below(rng, ALLOT_MAX_N);
    if (allot_strategy_kind(&s) == ALLOT_SEARCH) {
        s.width = 1 + (int)allot_rng_below(rng, ALLOT_MAX_N);
        s.depth = 1 + (int)allot_rng_below(rng, ALLOT_MAX_DEPTH);
        s.final = (allot_final)allot_rng_below(rng, 2);
        if (allot_method_of(s.method)->n_by_width)
            s.n = s.width * (1 + (int)allot_rng_below(rng, (uint64_t)(ALLOT_MAX_N / s.width)));
    }
    if (allot_strategy_uses_prm(&s)) s.agg = (allot_agg)allot_rng_below(rng, 4);
    size_t n = 1 + allot_rng_below(rng, sizeof s.name - 1);
    for (size_t i = 0; s.method == ALLOT_NAMED && i < n; i++)
        s.name[i] = "abc @;=x01:~"[allot_rng_below(rng, 12)];
    return s;
}

static void parse_undoes_print(void **state)
{
    (void)state;
    allot_rng rng = allot_rng_start(1, 2, 3, 4);
    for (int i = 0; i < 20000; i++) {
        allot_strategy s = random_strategy(&rng), back;
        allot_err err = {0};
        char text[ALLOT_STRATEGY_TEXT], again[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&s, text);
        if (allot_strategy_parse(text, &back, &err)) fail_msg("%s", err.msg);
        assert_memory_equal(&s, &back, sizeof s);
        allot_strategy_print(&back, again);
        assert_string_equal(text, again);
    }
}

/* Any bytes: refused or understood, and what is understood is stable. */
static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    static const char letters[] = "majoritybonwedghtmsinglnd:\"@x;=0123456789agfvp\xc3\xa9\x01";
    allot_rng rng = allot_rng_start(5, 0, 0, 0);
    for (int i = 0; i < 50000; i++) {
        char text[24], out[ALLOT_STRATEGY_TEXT], again[ALLOT_STRATEGY_TEXT];
        size_t n = allot_rng_below(&rng, sizeof text);
        for (size_t k = 0; k < n; k++)
            text[k] = letters[allot_rng_below(&rng, sizeof letters - 1)];
        text[n] = '\0';
        allot_strategy s, back;
        if (allot_strategy_parse(text, &s, NULL)) continue;
        allot_strategy_print(&s, out);
        assert_int_equal(allot_strategy_parse(out, &back, NULL), ALLOT_OK);
        allot_strategy_print(&back, again);
        assert_string_equal(out, again);
    }
}

static void add(allot_strategies *set, const char *text)
{
    allot_strategy s;
    assert_int_equal(allot_strategy_parse(text, &s, NULL), ALLOT_OK);
    assert_int_equal(allot_strategies_add(set, &s, NULL), ALLOT_OK);
}

static void sets_refuse_duplicates_and_have_an_id(void **state)
{
    (void)state;
    allot_strategies set = {0}, other = {0};
    allot_strategy s;
    allot_err err = {0};
    add(&set, "single");
    add(&set, "majority@8");
    add(&set, "bon@8;agg=min");
    add(&set, "bon@8");
    assert_int_equal(allot_strategy_parse("naive@8", &s, NULL), ALLOT_OK);
    assert_int_equal(allot_strategies_find(&set, &s), 3);
    assert_int_equal(allot_strategies_add(&set, &s, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "strategy 'bon@8' occurs twice");
    assert_int_equal(set.count, 4);
    static const char text[] = "single\nmajority@8\nbon@8;agg=min\nbon@8";
    assert_true(allot_strategies_id(&set) == allot_fnv1a(ALLOT_FNV_START, text, strlen(text)));
    add(&other, "majority@8");
    add(&other, "single");
    assert_true(allot_strategies_id(&set) != allot_strategies_id(&other));
    allot_strategies_clear(&set);
    allot_strategies_clear(&set);
    allot_strategies_clear(&other);
    assert_int_equal(set.count, 0);
}

/* The published test vectors of FNV-1a, 64 bits. */
static void fnv_is_the_published_one(void **state)
{
    (void)state;
    assert_true(allot_fnv1a(ALLOT_FNV_START, "", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(allot_fnv1a(ALLOT_FNV_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(allot_fnv1a(ALLOT_FNV_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void a_set_is_bounded(void **state)
{
    (void)state;
    allot_strategies set = {0};
    allot_err err = {0};
    allot_strategy s = {.method = ALLOT_MAJORITY, .width = 1, .depth = 1};
    for (s.n = 1; s.n <= ALLOT_MAX_STRATEGIES; s.n++)
        assert_int_equal(allot_strategies_add(&set, &s, NULL), ALLOT_OK);
    assert_int_equal(allot_strategies_add(&set, &s, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "strategy 'majority@1025' is one too many: a set holds at most "
                                 "1024");
    allot_strategies_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_become_canonical),
        cmocka_unit_test(wrong_texts_are_refused),
        cmocka_unit_test(parse_undoes_print),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(sets_refuse_duplicates_and_have_an_id),
        cmocka_unit_test(fnv_is_the_published_one),
        cmocka_unit_test(a_set_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
