/* SPDX-License-Identifier: Apache-2.0 */
/* Beam search against a server that follows a script. */
#include "tests/unit/searchscript.h"

static void a_search_of_three_rounds(void **state)
{
    (void)state;
    line lines[] = {
        {"", "a5", NULL, 0},
        {"", "b9", NULL, 0},
        {"", "c7", NULL, 0},
        {"", "d1", NULL, 0},
        /* b and c stay and are repeated: b, c, b, c; one is complete, one a duplicate that
         * would push h2 out */
        {"b9\n\n", "e3", NULL, 0},
        {"c7\n\n", "f8", "stop", 0},
        {"b9\n\n", "e3", NULL, 0},
        {"c7\n\n", "h2", NULL, 0},
        /* the last round has no stop string: end, length, nothing, end */
        {"b9\n\ne3\n\n", "i9", "stop", 0},
        {"c7\n\nh2\n\n", "j2", "length", 0},
        {"b9\n\ne3\n\n", "", "stop", 0},
        {"c7\n\nh2\n\n", "k5", "stop", 0},
    };
    allot_done d = PLAY("vllm", "beam@4x2x3", lines, 0);
    const allot_record *r = &d.rec;
    assert_int_equal(r->type, ALLOT_REC_BEAM);
    assert_string_equal(r->source, "beam@4x2x3");
    assert_int_equal(r->run, 3);
    assert_int_equal(r->n_gen, 5);
    expect_gen(r, 0, "c7\n\nf8", 0.8, 2);
    expect_gen(r, 1, "b9\n\ne3\n\ni9", 0.9, 3);
    expect_gen(r, 2, "c7\n\nh2\n\nj2", 0.2, 3);
    expect_gen(r, 3, "b9\n\ne3\n\n", 0.3, 2); /* no score for the empty step */
    expect_gen(r, 4, "c7\n\nh2\n\nk5", 0.5, 3);
    assert_int_equal(r->gen[1].finish, ALLOT_FINISH_STOP);
    assert_int_equal(r->gen[2].finish, ALLOT_FINISH_LENGTH);
    for (int i = 0; i < 5; i++) /* after 5 of the 2048 tokens that a step may have */
        assert_int_equal(r->gen[i].cut, i == 2);
    assert_int_equal(r->gen[0].n_tokens, 10);
    assert_int_equal(r->gen[1].n_tokens, 15);
    assert_int_equal(r->n_rounds, 3);
    double gen_s = 0, prm_s = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r->rounds[i].n_tokens, 20); /* the pruned ones, too */
        assert_int_equal(r->rounds[i].prm_tokens, 7);
        assert_true(r->rounds[i].gen_s > 0 && r->rounds[i].prm_s > 0);
        gen_s += r->rounds[i].gen_s;
        prm_s += r->rounds[i].prm_s;
    }
    assert_int_equal(r->n_tokens, 60);
    assert_int_equal(r->prm_tokens, 21);
    assert_true(r->gen_s == gen_s && r->prm_s == prm_s && r->seconds >= gen_s + prm_s);
    assert_int_equal(script.generations, 12);
    assert_int_equal(script.with_stop, 8);
    assert_int_equal(script.poolings, 3); /* one request a round */
    assert_int_equal(script.pooled_texts, 12);
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < i; j++)
            assert_true(script.seeds[i] != script.seeds[j]);
    allot_record_clear(&d.rec);
}

static void stops_when_as_many_are_finished(void **state)
{
    (void)state;
    line lines[] = {
        {"", "a1", "stop", 0},         {"", "b2", "stop", 0},     {"", "c3", NULL, 0},
        {"c3\n\n", "d4", "length", 0}, {"c3\n\n", "e5", NULL, 0}, {"c3\n\n", "f6", NULL, 0},
    };
    allot_done d = PLAY("vllm", "beam@3x3x40", lines, 0);
    assert_int_equal(d.rec.n_gen, 3);
    assert_int_equal(d.rec.n_rounds, 2);
    expect_gen(&d.rec, 2, "c3\n\nd4", 0.4, 2);
    allot_record_clear(&d.rec);
}

static void stops_when_none_is_active(void **state)
{
    (void)state;
    /* width above n: one beam stays, not all */
    line lines[] = {
        {"", "a1", NULL, 0},
        {"", "b2", NULL, 0},
        {"b2\n\n", "c3", "stop", 0},
        {"b2\n\n", "d4", "stop", 0},
    };
    allot_done d = PLAY("vllm", "beam@2x4x40", lines, 0);
    assert_int_equal(d.rec.n_gen, 2);
    assert_int_equal(d.rec.n_rounds, 2);
    allot_record_clear(&d.rec);
}

static void separators_that_the_server_cuts_off_are_put_back(void **state)
{
    (void)state;
    line lines[] = {{"", "a1", NULL, 0}, {"a1\n\n", "b2", NULL, 0}, {"a1\n\nb2\n\n", "", NULL, 0}};
    allot_done d = PLAY("openai", "beam@1x1x40", lines, 0);
    assert_int_equal(d.rec.n_gen, 1);
    expect_gen(&d.rec, 0, "a1\n\nb2\n\n", 0.2, 2);
    allot_record_clear(&d.rec);
}

static void ties_go_to_the_lower_slot(void **state)
{
    (void)state;
    line lines[] = {{"", "a5", NULL, 0},
                    {"", "b5", NULL, 0},
                    {"a5\n\n", "c1", "stop", 0},
                    {"a5\n\n", "d1", "stop", 0}};
    allot_done d = PLAY("vllm", "beam@2x2x2", lines, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_BEAM); /* the script has no line for "b5" */
    allot_record_clear(&d.rec);
}

static void aggregation_guides_the_search(void **state)
{
    (void)state;
    line lines[] = {
        {"", "a1", NULL, 0},
        {"", "b9", NULL, 0},
        {"", "c3", NULL, 0},
        {"", "d2", NULL, 0},
        {"b9\n\n", "e4", NULL, 0},
        {"c3\n\n", "f9", NULL, 0},
        {"b9\n\n", "g5", NULL, 0},
        {"c3\n\n", "h8", NULL, 0},
        /* by the smallest score e4 and g5 stay; by the last it would be f9 and h8 */
        {"b9\n\ne4\n\n", "w9", "stop", 0},
        {"b9\n\ng5\n\n", "x9", "stop", 0},
        {"b9\n\ne4\n\n", "y9", "stop", 0},
        {"b9\n\ng5\n\n", "z9", "stop", 0},
    };
    allot_done d = PLAY("vllm", "beam@4x2x3;agg=min", lines, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_BEAM);
    assert_string_equal(d.rec.source, "beam@4x2x3;agg=min");
    assert_int_equal(d.rec.n_gen, 4);
    allot_record_clear(&d.rec);
}

static void a_whole_search_picks_the_best_or_votes(void **state)
{
    (void)state;
    line lines[] = {{"", "\\boxed{1}", "stop", 0},
                    {"", "\\boxed{2}", "stop", 0},
                    {"", "the answer is 2", "stop", 0},
                    {"", "\\boxed{3} 9", "stop", 0}};
    allot_done d = PLAY("vllm", "beam@4x4x40", lines, 1);
    assert_int_equal(d.rec.type, ALLOT_REC_TIMED);
    assert_string_equal(d.rec.source, "beam@4x4x40");
    assert_int_equal(d.picked, 3);
    assert_int_equal(d.answer_n, 1);
    assert_memory_equal(d.answer, "3", 1);
    allot_record_clear(&d.rec);
    for (int i = 0; i < 4; i++)
        lines[i].used = 0;
    d = PLAY("vllm", "beam@4x4x40;final=vote", lines, 1);
    assert_string_equal(d.rec.source, "beam@4x4x40;final=vote");
    assert_int_equal(d.picked, 1);
    allot_record_clear(&d.rec);
}

static void one_failed_request_fails_the_search(void **state)
{
    (void)state;
    line lines[] = {{"", "a1", NULL, 0}, {"", "b2", NULL, 0}, {"b2\n\n", "c3", "stop", 0}};
    allot_done d = PLAY("vllm", "beam@2x2x40", lines, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
    assert_int_equal(d.rec.code, ALLOT_ESERVER);
    assert_non_null(strstr(d.rec.message, "status 400: top_p is wrong"));
    assert_int_equal(d.rec.n_gen, 0);
    assert_int_equal(script.generations, 4);
    allot_record_clear(&d.rec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_of_three_rounds),
        cmocka_unit_test(stops_when_as_many_are_finished),
        cmocka_unit_test(stops_when_none_is_active),
        cmocka_unit_test(separators_that_the_server_cuts_off_are_put_back),
        cmocka_unit_test(ties_go_to_the_lower_slot),
        cmocka_unit_test(aggregation_guides_the_search),
        cmocka_unit_test(a_whole_search_picks_the_best_or_votes),
        cmocka_unit_test(one_failed_request_fails_the_search),
    };
    return RUN_SCRIPTED(tests);
}
