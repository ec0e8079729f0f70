/* SPDX-License-Identifier: Apache-2.0 */
/* Diverse verifier tree search against a server that follows a script. */
#include "tests/unit/searchscript.h"

static void subtrees_do_not_look_at_each_other(void **state)
{
    (void)state;
    line lines[] = {
        {"", "a5", NULL, 0},
        {"", "b9", NULL, 0},
        {"", "c2", NULL, 0},
        {"", "d1", NULL, 0},
        /* a beam search would keep b and a; here each subtree keeps one: b, and c */
        {"b9\n\n", "e3", NULL, 0},
        {"b9\n\n", "f8", "stop", 0}, /* the better one is finished, the other goes on */
        {"c2\n\n", "g4", NULL, 0},
        {"c2\n\n", "h4", NULL, 0}, /* a tie: the first */
        /* the last round has no stop string: end, length, nothing, end */
        {"b9\n\ne3\n\n", "i6", "stop", 0},
        {"b9\n\ne3\n\n", "j2", "length", 0},
        {"c2\n\ng4\n\n", "", "stop", 0},
        {"c2\n\ng4\n\n", "k5", "stop", 0},
    };
    allot_done d = PLAY("vllm", "dvts@4x2x3", lines, 0);
    const allot_record *r = &d.rec;
    assert_int_equal(r->type, ALLOT_REC_BEAM);
    assert_string_equal(r->source, "dvts@4x2x3");
    assert_int_equal(r->run, 3);
    assert_int_equal(r->n_gen, 5);
    expect_gen(r, 0, "b9\n\nf8", 0.8, 2);
    expect_gen(r, 1, "b9\n\ne3\n\ni6", 0.6, 3);
    expect_gen(r, 2, "b9\n\ne3\n\nj2", 0.2, 3);
    expect_gen(r, 3, "c2\n\ng4\n\n", 0.4, 2); /* no score for the empty step */
    expect_gen(r, 4, "c2\n\ng4\n\nk5", 0.5, 3);
    assert_int_equal(r->gen[2].finish, ALLOT_FINISH_LENGTH);
    assert_int_equal(r->gen[0].n_tokens, 10);
    assert_int_equal(r->gen[1].n_tokens, 15);
    assert_int_equal(r->n_rounds, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(r->rounds[i].n_tokens, 20);
    assert_int_equal(script.generations, 12);
    assert_int_equal(script.with_stop, 8);
    assert_int_equal(script.poolings, 3); /* one request a round */
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < i; j++)
            assert_true(script.seeds[i] != script.seeds[j]);
    allot_record_clear(&d.rec);
}

/* Nothing is asked any more for a subtree that is over; the others go on in their own slots. */
static void a_subtree_ends_when_all_of_it_is_finished(void **state)
{
    (void)state;
    line lines[] = {
        {"", "a1", "stop", 0},
        {"", "b2", "stop", 0},
        {"", "c3", NULL, 0},
        {"", "d4", NULL, 0},
        {"d4\n\n", "e5", NULL, 0},
        {"d4\n\n", "f6", NULL, 0},
        {"d4\n\nf6\n\n", "g7", "stop", 0},
        {"d4\n\nf6\n\n", "h8", "stop", 0},
    };
    allot_done d = PLAY("vllm", "dvts@4x2x40", lines, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_BEAM);
    assert_int_equal(d.rec.n_gen, 4);
    assert_int_equal(d.rec.n_rounds, 3);
    expect_gen(&d.rec, 0, "a1", 0.1, 1);
    expect_gen(&d.rec, 3, "d4\n\nf6\n\nh8", 0.8, 3);
    assert_int_equal(script.generations, 8);
    assert_int_equal(script.pooled_texts, 8);
    assert_int_equal(d.rec.rounds[1].n_tokens, 10);
    allot_record_clear(&d.rec);
}

static void stops_when_as_many_are_finished(void **state)
{
    (void)state;
    line lines[] = {
        {"", "a1", "stop", 0},
        {"", "b2", NULL, 0},
        {"b2\n\n", "c3", "stop", 0},
        {"b2\n\n", "d4", NULL, 0},
    };
    allot_done d = PLAY("vllm", "dvts@2x2x40", lines, 0);
    assert_int_equal(d.rec.n_gen, 2);
    assert_int_equal(d.rec.n_rounds, 2);
    allot_record_clear(&d.rec);
}

static void aggregation_chooses_within_a_subtree(void **state)
{
    (void)state;
    line lines[] = {
        {"", "a6", NULL, 0},
        {"", "b2", NULL, 0},
        {"a6\n\n", "c9", NULL, 0},
        {"a6\n\n", "d7", NULL, 0},
        /* 0.6 is the least of both: the first stays, and then the best by its least score */
        {"a6\n\nc9\n\n", "\\boxed{1} 5", "stop", 0},
        {"a6\n\nc9\n\n", "\\boxed{2} 6", "stop", 0},
    };
    allot_done d = PLAY("vllm", "dvts@2x2x3;agg=min", lines, 1);
    assert_int_equal(d.rec.type, ALLOT_REC_TIMED);
    assert_string_equal(d.rec.source, "dvts@2x2x3;agg=min");
    assert_int_equal(d.picked, 1);
    allot_record_clear(&d.rec);
}

static void a_whole_search_picks_the_best_or_votes(void **state)
{
    (void)state;
    line lines[] = {{"", "\\boxed{1}", "stop", 0},
                    {"", "\\boxed{2}", "stop", 0},
                    {"", "the answer is 2", "stop", 0},
                    {"", "\\boxed{3} 9", "stop", 0}};
    allot_done d = PLAY("vllm", "dvts@4x2x40", lines, 1);
    assert_string_equal(d.rec.source, "dvts@4x2x40");
    assert_int_equal(d.picked, 3);
    assert_memory_equal(d.answer, "3", 1);
    allot_record_clear(&d.rec);
    for (int i = 0; i < 4; i++)
        lines[i].used = 0;
    d = PLAY("vllm", "dvts@4x2x40;final=vote", lines, 1);
    assert_int_equal(d.picked, 1);
    allot_record_clear(&d.rec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subtrees_do_not_look_at_each_other),
        cmocka_unit_test(a_subtree_ends_when_all_of_it_is_finished),
        cmocka_unit_test(stops_when_as_many_are_finished),
        cmocka_unit_test(aggregation_chooses_within_a_subtree),
        cmocka_unit_test(a_whole_search_picks_the_best_or_votes),
    };
    return RUN_SCRIPTED(tests);
}
