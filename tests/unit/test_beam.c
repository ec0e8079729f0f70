/* SPDX-License-Identifier: Apache-2.0 */
/* Beam search against a server that follows a script. One request at a time is in flight, so that
 * the requests of a round come in slot order. A step "b9" is scored 0.9: its digit tells. */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/engine/engine.h"
#include "tests/faults/fault_server.h"

#define PROMPT "Q: P\n"

/* The first unused row with this text so far is the answer. ends: finish_reason "stop" by end of
 * sequence; "length"; or NULL: stopped behind the separator. */
typedef struct {
    const char *so_far, *step, *ends;
    int used;
} line;

static struct {
    line *lines;
    int n_lines, drop_separator;
    int generations, poolings, pooled_texts, with_stop;
    double seeds[64];
} script;

static enum MHD_Result answer_step(const fault_request *r, const line *l)
{
    cJSON *o = fault_completion(r, 1, l->step);
    cJSON *choice = cJSON_GetArrayItem(cJSON_GetObjectItem(o, "choices"), 0);
    if (l->ends) cJSON_ReplaceItemInObject(choice, "finish_reason", cJSON_CreateString(l->ends));
    else cJSON_ReplaceItemInObject(choice, "stop_reason", cJSON_CreateString("\n\n"));
    if (!l->ends && !script.drop_separator) {
        char whole[256];
        snprintf(whole, sizeof whole, "%s\n\n", l->step);
        cJSON_ReplaceItemInObject(choice, "text", cJSON_CreateString(whole));
    }
    return fault_send_json(r, o);
}

static enum MHD_Result generate(const fault_request *r)
{
    const char *prompt = cJSON_GetObjectItem(r->json, "prompt")->valuestring;
    script.seeds[script.generations++] = cJSON_GetObjectItem(r->json, "seed")->valuedouble;
    script.with_stop += cJSON_HasObjectItem(r->json, "stop");
    if (strncmp(prompt, PROMPT, strlen(PROMPT)) != 0) return fault_bad_flat(r);
    for (int i = 0; i < script.n_lines; i++) {
        line *l = &script.lines[i];
        if (l->used || strcmp(l->so_far, prompt + strlen(PROMPT)) != 0) continue;
        l->used = 1;
        return answer_step(r, l);
    }
    return fault_bad_flat(r);
}

/* One row per mark; the digit before the mark is the score in tenths, 0.5 without one. */
static cJSON *rows_of(const char *text)
{
    cJSON *rows = cJSON_CreateArray();
    for (const char *p = text; (p = strstr(p, "<extra_0>")); p++) {
        double good = p > text && isdigit((unsigned char)p[-1]) ? (p[-1] - '0') / 10.0 : 0.5;
        double row[2] = {1 - good, good};
        cJSON_AddItemToArray(rows, cJSON_CreateDoubleArray(row, 2));
    }
    return rows;
}

static enum MHD_Result pool(const fault_request *r)
{
    cJSON *o = cJSON_CreateObject(), *data = cJSON_AddArrayToObject(o, "data");
    const cJSON *text;
    int i = 0;
    script.poolings++;
    cJSON_ArrayForEach(text, cJSON_GetObjectItem(r->json, "input"))
    {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "index", i++);
        cJSON_AddItemToObject(item, "data", rows_of(text->valuestring));
        cJSON_AddItemToArray(data, item);
    }
    script.pooled_texts += i;
    fault_usage(o);
    return fault_send_json(r, o);
}

static enum MHD_Result answer(const fault_request *r)
{
    if (strcmp(r->path, "/v1/completions") == 0) return generate(r);
    if (strcmp(r->path, "/pooling") == 0) return pool(r);
    return fault_ok(r);
}

static int port;

static allot_engine *open_engine(const char *kind)
{
    static char url[64];
    allot_err err = {0};
    allot_engine_config c;
    allot_engine *e;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/script/v1", port);
    allot_engine_defaults(&c);
    c.base_url = url;
    c.prm_model = "prm";
    c.server_kind = kind;
    c.prompt_template = c.prm_template = "Q: {problem}\n";
    c.max_concurrency = 1;
    c.max_retries = 0;
    assert_int_equal(allot_engine_new(&c, &e, &err), ALLOT_OK);
    return e;
}

static void keep(allot_done *done, void *user)
{
    *(allot_done *)user = *done;
}

/* Plays the lines for a strategy; timed: as a whole strategy. */
static allot_done play(const char *kind, const char *strategy, line *lines, int n, int timed)
{
    allot_err err = {0};
    allot_strategy s;
    allot_done done = {0};
    allot_query q = {.problem = "P", .n = 1};
    assert_int_equal(allot_strategy_parse(strategy, &s, &err), ALLOT_OK);
    memset(&script, 0, sizeof script);
    script.lines = lines;
    script.n_lines = n;
    script.drop_separator = strcmp(kind, "openai") == 0;
    allot_engine *e = open_engine(kind);
    allot_code rc = timed ? allot_engine_strategy(e, &q, &s, 0, NULL, keep, &done, &err)
                          : allot_engine_search(e, &q, &s, 3, keep, &done, &err);
    assert_int_equal(rc, ALLOT_OK);
    while (allot_engine_in_flight(e) > 0)
        assert_int_equal(allot_engine_poll(e, 1000, &err), ALLOT_OK);
    allot_engine_free(e);
    return done;
}
#define PLAY(kind, strategy, lines, timed)                                                         \
    play(kind, strategy, lines, (int)(sizeof lines / sizeof *lines), timed)

static void expect_gen(const allot_record *r, int i, const char *text, double last_score, int steps)
{
    assert_string_equal(r->gen[i].text, text);
    assert_int_equal(r->gen[i].n, strlen(text));
    assert_int_equal(r->gen[i].n_scores, steps);
    assert_true(fabs(r->gen[i].scores[steps - 1] - last_score) < 1e-12);
}

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
    unsetenv("OPENAI_API_KEY");
    fault_other = answer;
    struct MHD_Daemon *d = fault_server_start(&port);
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
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
