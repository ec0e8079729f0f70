/* SPDX-License-Identifier: Apache-2.0 */
/* searchscript.h - for the tests of searches: a server that follows a script, and a search played
 * against it. One request at a time is in flight, so that the requests of a round come in slot
 * order. A step "b9" is scored 0.9: its digit tells. */
#ifndef ALLOT_TEST_SEARCHSCRIPT_H
#define ALLOT_TEST_SEARCHSCRIPT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <math.h>
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

/* Runs the tests against the scripted server; returns how many failed. */
#define RUN_SCRIPTED(tests)                                                                        \
    (start_script() ? stop_script(cmocka_run_group_tests(tests, NULL, NULL)) : 1)

static struct MHD_Daemon *script_server;

static int start_script(void)
{
    unsetenv("OPENAI_API_KEY");
    fault_other = answer;
    script_server = fault_server_start(&port);
    return script_server != NULL;
}

static int stop_script(int failed)
{
    MHD_stop_daemon(script_server);
    return failed;
}
#endif
