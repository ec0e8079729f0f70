/* SPDX-License-Identifier: Apache-2.0 */
/* A journal's line printed and parsed is the same; every prefix and every wrong field is refused.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/store/record.h"

#define KEY "00000000000000000000000000000000000000000000000000000000000000ab"
#define HEAD "\"cfg\":\"0123456789abcdef\",\"key\":\"" KEY "\",\"source\":\"pool\",\"seed\":\"7\""

/* Everything a record can hold, with texts that need escaping. */
static void fill(allot_record *r)
{
    allot_err err = {0};
    *r = (allot_record){.type = ALLOT_REC_TIMED,
                        .cfg = "0123456789abcdef",
                        .run = 3,
                        .slot = 5,
                        .seed = UINT64_MAX,
                        .attempt = 1,
                        .draws = 4,
                        .retries = 2,
                        .t_start = 1790000000.125,
                        .n_tokens = 12,
                        .prompt_tokens = 34,
                        .cached_tokens = 30,
                        .prm_tokens = 99,
                        .seconds = 0.1,
                        .gen_s = 1.0 / 3,
                        .prm_s = 0,
                        .ttft_s = NAN,
                        .load = 8,
                        .foreign = 1};
    assert_int_equal(allot_key_parse(KEY, &r->key, &err), ALLOT_OK);
    strcpy(r->source, "named:\xc3\xa9");
    static const char text[] = "a\"b\\c\n\t\x01\x7f \xe2\x82\xac </script>";
    r->gen = calloc(2, sizeof *r->gen);
    r->n_gen = 2;
    r->gen[0].text = strdup(text);
    r->gen[0].n = strlen(text);
    r->gen[0].finish = ALLOT_FINISH_LENGTH;
    r->gen[0].n_tokens = 12;
    r->gen[0].n_scores = 2;
    r->gen[0].scores = calloc(2, sizeof(double));
    r->gen[0].scores[0] = 0.1;
    r->gen[0].scores[1] = 1e-300;
    r->gen[0].prm_truncated = 1;
    r->gen[0].cut = 1;
    r->gen[1].text = strdup("");
    r->rounds = calloc(1, sizeof *r->rounds);
    r->n_rounds = 1;
    r->rounds[0] = (allot_round){12, 99, 0.25, 0.7};
}

static void printed_and_parsed_is_the_same(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_record r, s;
    allot_buf line = {0}, again = {0};
    fill(&r);
    assert_int_equal(allot_record_print(&r, &line, &err), ALLOT_OK);
    assert_null(memchr(line.at, '\n', line.n));
    assert_int_equal(allot_record_parse(line.at, line.n, "line 1", &s, &err), ALLOT_OK);
    assert_int_equal(s.type, r.type);
    assert_int_equal(s.draws, 4);
    assert_true(s.seed == r.seed);
    assert_true(isnan(s.ttft_s));
    assert_true(s.gen_s == r.gen_s && s.t_start == r.t_start);
    assert_int_equal(s.n_gen, 2);
    assert_int_equal(s.gen[0].n, r.gen[0].n);
    assert_memory_equal(s.gen[0].text, r.gen[0].text, r.gen[0].n);
    assert_true(s.gen[0].scores[1] == 1e-300);
    assert_true(s.rounds[0].gen_s == 0.25 && s.rounds[0].prm_tokens == 99);
    assert_int_equal(allot_record_print(&s, &again, &err), ALLOT_OK);
    assert_string_equal(line.at, again.at);
    allot_record_clear(&r);
    allot_record_clear(&s);
    allot_record_clear(&s);
    allot_buf_clear(&line);
    allot_buf_clear(&again);
}

static void the_head_is_the_record_without_its_texts(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_record r, s;
    allot_buf line = {0};
    fill(&r);
    free(r.gen[0].text);
    r.gen[0].text = strdup("a text that says ,\"gen\":[{\"text\":\"\"}]} of itself");
    r.gen[0].n = strlen(r.gen[0].text);
    assert_int_equal(allot_record_print(&r, &line, &err), ALLOT_OK);
    assert_int_equal(allot_record_parse_head(line.at, line.n, "line 1", &s, &err), ALLOT_OK);
    assert_int_equal(s.n_gen, 0);
    assert_int_equal(s.type, r.type);
    assert_string_equal(s.source, r.source);
    assert_int_equal(allot_key_compare(&s.key, &r.key), 0);
    assert_int_equal(s.n_rounds, r.n_rounds);
    assert_int_equal(s.n_tokens, r.n_tokens);
    assert_int_equal(s.texts_id, allot_record_texts_id(line.at, line.n));
    allot_record_clear(&s);
    /* cut off in the texts, or in the head, it is no record */
    for (size_t n = 0; n < line.n; n++)
        if (n < 2 || memcmp(line.at + n - 2, "]}", 2) != 0)
            assert_int_equal(allot_record_parse_head(line.at, n, "line 1", &s, &err), ALLOT_EINPUT);
    allot_record_clear(&r);
    allot_buf_clear(&line);
}

static uint64_t texts_id(allot_record *r, const char *text)
{
    allot_buf line = {0};
    free(r->gen[0].text);
    r->gen[0].text = strdup(text);
    r->gen[0].n = strlen(text);
    assert_int_equal(allot_record_print(r, &line, NULL), ALLOT_OK);
    uint64_t id = allot_record_texts_id(line.at, line.n);
    allot_buf_clear(&line);
    return id;
}

/* Of the texts alone: slot, seed and seconds aside; every byte counts, wherever it is. */
static void texts_have_an_id(void **state)
{
    (void)state;
    allot_record r;
    char text[2000];
    fill(&r);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    uint64_t id = texts_id(&r, text);
    r.slot++;
    r.seed++;
    r.seconds += 1;
    assert_true(id != 0 && texts_id(&r, text) == id);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        text[i] = 'b';
        assert_true(texts_id(&r, text) != id);
        text[i] = 'a';
    }
    text[sizeof text - 2] = '\0';
    assert_true(texts_id(&r, text) != id);
    assert_int_equal(allot_record_texts_id("{\"t\":\"error\"}", 13), 0);
    allot_record_clear(&r);
}

static void texts_and_their_ends_are_counted(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_record r, head;
    allot_buf line = {0};
    fill(&r);
    free(r.gen[1].text);
    r.gen[1].text = strdup("\"},{\"text\":\"\",\"finish\":\"length\",\"cut\":1");
    r.gen[1].n = strlen(r.gen[1].text);
    assert_int_equal(allot_record_print(&r, &line, &err), ALLOT_OK);
    assert_int_equal(allot_record_parse_head(line.at, line.n, "line 1", &head, &err), ALLOT_OK);
    allot_record_texts(&r, line.at, line.n);
    const allot_record *both[] = {&r, &head};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(both[i]->n_texts, 2);
        assert_int_equal(both[i]->n_length, 1);
        assert_int_equal(both[i]->n_cut, 1);
    }
    assert_true(r.texts_id && r.texts_id == head.texts_id);
    allot_record_clear(&r);
    allot_record_clear(&head);
    allot_buf_clear(&line);
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_record r, s;
    allot_buf line = {0};
    fill(&r);
    assert_int_equal(allot_record_print(&r, &line, &err), ALLOT_OK);
    for (size_t n = 0; n < line.n; n++)
        assert_int_equal(allot_record_parse(line.at, n, "line 1", &s, &err), ALLOT_EINPUT);
    allot_record_clear(&r);
    allot_buf_clear(&line);
}

static void refuse(const char *line, const char *message)
{
    allot_err err = {0};
    allot_record r = {.n_gen = 77};
    assert_int_equal(allot_record_parse(line, strlen(line), "line 4 of 'j'", &r, &err),
                     ALLOT_EINPUT);
    assert_string_equal(err.msg, message);
    assert_int_equal(r.n_gen, 77);
}

static void malformed_records_are_refused(void **state)
{
    (void)state;
    refuse("{\"t\":\"x\"," HEAD "}", "line 4 of 'j': unknown t 'x'");
    refuse("{\"t\":\"sample\"," HEAD "}", "line 4 of 'j': 0 generations, not 1");
    refuse("{\"t\":\"score\"," HEAD ",\"gen\":[{}]}", "line 4 of 'j': no scores");
    refuse("{\"t\":\"score\"," HEAD ",\"gen\":[{\"scores\":[]}]}",
           "line 4 of 'j': 'scores' is not a list of numbers");
    refuse("{\"t\":\"score\"," HEAD ",\"gen\":[{\"scores\":[1,\"2\"]}]}",
           "line 4 of 'j': score 1 is not a number");
    refuse("{\"t\":\"beam\"," HEAD ",\"gen\":[{\"scores\":[1]}]}",
           "line 4 of 'j': generation 0 has no text");
    refuse("{\"t\":\"beam\"," HEAD ",\"rounds\":[[1,2,3]]}",
           "line 4 of 'j': 'rounds' is malformed");
    refuse("{\"t\":\"beam\"," HEAD ",\"rounds\":[[null,2,3,4]]}",
           "line 4 of 'j': 'rounds' is malformed");
    refuse("{\"t\":\"beam\",\"cfg\":\"0\",\"key\":\"" KEY "\",\"source\":\"\",\"seed\":\"-7\"}",
           "line 4 of 'j': seed '-7' is not a 64-bit number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_and_parsed_is_the_same),
        cmocka_unit_test(the_head_is_the_record_without_its_texts),
        cmocka_unit_test(texts_have_an_id),
        cmocka_unit_test(texts_and_their_ends_are_counted),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(malformed_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
