/* SPDX-License-Identifier: Apache-2.0 */
/* The estimate against the exact Jaccard index, what is found among many texts, and hostile ones.
 */
#include "tests/unit/formats.h"
#include "lib/core/rng.h"
#include "datasets/minhash.h"
#include "datasets/textkinds.h"

enum { WORDS = 80, LEAST = ALLOT_MINHASH_WORDS };

/* Text of WORDS random words w<number>, `changed` of them, counted from the end, other ones. */
static void make_text(uint64_t seed, int changed, uint64_t other, char *text)
{
    for (int i = 0; i < WORDS; i++) {
        allot_rng r = allot_rng_start(i < WORDS - changed ? seed : other, (uint64_t)i, 0, 0);
        text += sprintf(text, "w%u ", allot_rng_u32(&r));
    }
}

static allot_minhash signature(const char *text)
{
    allot_minhash m;
    allot_minhash_make(text, strlen(text), &m);
    return m;
}

/* Changing the last k words changes k of the 76 runs: J = (76 - k) / (76 + k). */
static void the_estimate_is_that_of_jaccard(void **state)
{
    (void)state;
    char a[WORDS * 16], b[WORDS * 16];
    for (int k = 0; k <= 60; k += 10) {
        double runs = WORDS - LEAST + 1, want = (runs - k) / (runs + k), sum = 0;
        for (uint64_t trial = 0; trial < 100; trial++) {
            make_text(trial, 0, 0, a);
            make_text(trial, k, 1000 + trial, b);
            allot_minhash x = signature(a), y = signature(b);
            sum += allot_minhash_similarity(&x, &y);
        }
        /* standard error of the mean of 100: at most 0.0045 */
        assert_true(fabs(sum / 100 - want) < 0.02);
    }
}

static void spelling_does_not_count_but_signs_do(void **state)
{
    (void)state;
    allot_minhash a = signature("What is $x + 3$, if \\textbf{x} is 5?");
    allot_minhash b = signature(" what IS (x+3) if  textbf x is 5 "), c = signature("x"),
                  d = signature("y");
    allot_minhash e = signature("What is x - 3, if textbf x is 5?"), f = signature(""),
                  g = signature("?");
    assert_true(allot_minhash_similarity(&a, &b) == 1);
    assert_true(allot_minhash_similarity(&a, &e) < 1);
    assert_true(allot_minhash_similarity(&c, &d) < 0.1);
    assert_true(allot_minhash_similarity(&f, &g) < 0.1);
}

/* 2000 texts; each of the last 1000 changes 5 words of one of the first (J = 0.88). */
static void near_ones_are_found_and_others_are_not(void **state)
{
    (void)state;
    enum { N = 2000, HALF = N / 2 };
    char text[WORDS * 16];
    allot_minhash *m = calloc(N, sizeof *m);
    long *near = calloc(N, sizeof *near), found = 0;
    for (uint64_t i = 0; i < N; i++) {
        make_text(i % HALF, i < HALF ? 0 : 5, 5000 + i, text);
        m[i] = signature(text);
    }
    WORKS(allot_minhash_near(m, N, 0.8, near, &err));
    for (long i = 0; i < N; i++) {
        assert_true(near[i] == -1 || near[i] == i - HALF);
        found += near[i] >= 0;
    }
    assert_true(found > 950); /* an estimate below 0.8 is 2.6 standard errors away */
    WORKS(allot_minhash_match(m, HALF, m + HALF, HALF, 0.8, near, &err));
    for (long i = 0; i < HALF; i++) {
        assert_true(near[i] == -1 || near[i] == i);
        found -= near[i] >= 0;
    }
    assert_int_equal(found, 0);
    WORKS(allot_minhash_match(m, HALF / 2, m + HALF / 2, HALF / 2, 0.8, near, &err));
    for (long i = 0; i < HALF / 2; i++)
        assert_int_equal(near[i], -1);
    free(m);
    free(near);
}

/* Many texts of the same words: no quadratic work, and all are found. */
static void many_alike_are_all_found(void **state)
{
    (void)state;
    enum { N = 50000 };
    allot_minhash *m = calloc(N, sizeof *m);
    long *out = calloc(N, sizeof *out);
    for (long i = 0; i < N; i++)
        m[i] = m[0];
    WORKS(allot_minhash_near(m, N, 0.8, out, &err));
    for (long i = 0; i < N; i++)
        assert_int_equal(out[i], i ? 0 : -1);
    WORKS(allot_minhash_groups(m, N, 0.8, out, &err));
    for (long i = 0; i < N; i++)
        assert_int_equal(out[i], 0);
    WORKS(allot_minhash_match(m, N - 1, m, 1, 0.8, out, &err));
    for (long i = 0; i < N - 1; i++)
        assert_int_equal(out[i], 0);
    WORKS(allot_minhash_near(m, 0, 0.8, out, &err));
    free(m);
    free(out);
}

/* A chain in which each text is like the next and the ends are not alike is one group. */
static void what_is_like_the_same_is_one_group(void **state)
{
    (void)state;
    enum { LINKS = 9 };
    char text[WORDS * 16], links[LINKS][WORDS * 16];
    allot_minhash m[LINKS + 1];
    long first[LINKS + 1], near[LINKS + 1];
    for (int i = 0; i < LINKS; i++) { /* 4 words more are others: J = 0.9 */
        make_text(1, 4 * i, 2, links[i]);
        m[LINKS - i] = signature(links[i]);
    }
    make_text(3, 0, 0, text);
    m[0] = signature(text);
    assert_true(allot_minhash_similarity(&m[1], &m[LINKS]) < 0.5);
    WORKS(allot_minhash_groups(m, LINKS + 1, 0.7, first, &err));
    WORKS(allot_minhash_near(m, LINKS + 1, 0.7, near, &err));
    assert_int_equal(first[0], 0);
    for (int i = 1; i <= LINKS; i++)
        assert_int_equal(first[i], 1);
    assert_true(near[LINKS] > 1);
}

static void kinds_of_problems(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int proof, choice;
    } cases[] = {{"Prove that $x>0$.", 1, 0},
                 {"Let x be 2; Show\nthat it is even", 1, 0},
                 {"Find all x. PROVE it", 1, 0},
                 {"Find x and show that it is 2", 1, 0},
                 {"For $x>0$ show that x>-1", 1, 0},
                 {"His report needs to show that he received 80. How much?", 0, 0},
                 {"Improve the proved bound and show a number", 0, 0},
                 {"Which? (A) 1 (B) 2 (C) 3 (D) 4", 0, 1},
                 {"$\\textbf{(A) }1\\qquad\\textbf{(B) }2\\qquad\\textbf{(C) }3$", 0, 1},
                 {"$\\textbf{(A)}\\ 1\\qquad\\textbf{(B)}\\ 2\\qquad\\textbf{(C)}\\ 3$", 0, 1},
                 {"Which?\nA. one\n B: two\n  C) three", 0, 1},
                 {"(C) before (B) before (A)", 0, 0},
                 {"f(A), f(B) and f(C) of the points A. B. C.", 0, 0},
                 {"(a) one (b) two (c) three", 0, 0},
                 {"(A) or (B)", 0, 0},
                 {"", 0, 0},
                 {"(A", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].text);
        if (allot_text_is_proof(cases[i].text, n) != cases[i].proof ||
            allot_text_is_choice(cases[i].text, n) != cases[i].choice)
            fail_msg("'%s'", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_estimate_is_that_of_jaccard),
        cmocka_unit_test(spelling_does_not_count_but_signs_do),
        cmocka_unit_test(near_ones_are_found_and_others_are_not),
        cmocka_unit_test(many_alike_are_all_found),
        cmocka_unit_test(what_is_like_the_same_is_one_group),
        cmocka_unit_test(kinds_of_problems),
    };
    return cmocka_run_group_tests_name("minhash", tests, NULL, NULL);
}
