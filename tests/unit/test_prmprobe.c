/* SPDX-License-Identifier: Apache-2.0 */
/* A reward model that gives a text another score among others is found before it is used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/core/log.h"
#include "lib/engine/prmprobe.h"
#include "tests/faults/fault_server.h"

static int port;

typedef struct {
    const char *faults; /* paths of the reward model's servers, "ok" or "ok,batch-scores" */
    const char *kind;
    const char *prm_template;
    int prm_batch;
    const char *strategy;
} setting;

typedef struct {
    allot_err err;
    int checked;
    long n_requests;
} outcome;

static outcome check(const setting *s)
{
    static char url[128], prm_url[256];
    char faults[64], *rest = faults, *one;
    outcome o = {.checked = -1};
    allot_engine_config c;
    allot_engine *e;
    allot_strategy strategy;
    allot_strategies set = {.at = &strategy, .count = 1};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/ok", port);
    snprintf(faults, sizeof faults, "%s", s->faults);
    prm_url[0] = '\0';
    while ((one = strsep(&rest, ",")))
        snprintf(prm_url + strlen(prm_url), sizeof prm_url - strlen(prm_url),
                 "%shttp://127.0.0.1:%d/%s", *prm_url ? "," : "", port, one);
    allot_engine_defaults(&c);
    c.base_url = url;
    c.prm_base_url = prm_url;
    c.model = "gen";
    c.prm_model = "prm";
    c.prompt_template = "Q: {problem}\n";
    c.prm_template = s->prm_template;
    c.prm_kind = s->kind;
    c.prm_batch = s->prm_batch;
    c.max_retries = 1;
    assert_int_equal(allot_strategy_parse(s->strategy, &strategy, NULL), ALLOT_OK);
    if (allot_engine_new(&c, &e, &o.err)) fail_msg("%s", o.err.msg);
    long before = allot_engine_n_requests(e);
    (void)!allot_engine_check_prm(e, &set, &o.checked, &o.err);
    o.n_requests = allot_engine_n_requests(e) - before;
    assert_int_equal(allot_engine_in_flight(e), 0);
    allot_engine_free(e);
    return o;
}

static const char TEMPLATE[] = "Q: {problem}\n";

static void a_sound_model_passes_in_few_requests(void **state)
{
    (void)state;
    static const struct {
        setting setting;
        int checked;
        long n_requests;
    } cases[] = {
        {{"ok", "vllm-pooling", TEMPLATE, 16, "bon@4"}, 1, 3},
        {{"ok", "vllm-pooling", TEMPLATE, 2, "beam@4x2x3"}, 1, 3},
        {{"ok", "vllm-pooling", TEMPLATE, 1, "bon@4"}, 1, 10},
        {{"ok", "vllm-pooling", NULL, 16, "weighted@4"}, 1, 10},
        {{"ok", "vllm-pooling", TEMPLATE, 16, "majority@4"}, 0, 0}, /* nobody is to be scored */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o = check(&cases[i].setting);
        assert_int_equal(o.err.code, ALLOT_OK);
        assert_int_equal(o.checked, cases[i].checked);
        assert_int_equal(o.n_requests, cases[i].n_requests);
    }
}

static void other_scores_in_a_batch_are_refused(void **state)
{
    (void)state;
    outcome o = check(&(setting){"batch-scores", "vllm-pooling", TEMPLATE, 16, "bon@4"});
    assert_int_equal(o.err.code, ALLOT_ESERVER);
    assert_non_null(strstr(o.err.msg, "the reward model 'prm' at 'http://127.0.0.1:"));
    assert_non_null(
        strstr(o.err.msg, "/batch-scores' gives the same text 0.333 alone, 0.500 among 7 others "
                          "in one request: such scores measure nothing, only 0.05 may be "
                          "rounding (use another version of the server, or --prm-batch 1, which is "
                          "checked, too)"));
    /* the way out is one: no request holds two texts then */
    o = check(&(setting){"batch-scores", "vllm-pooling", TEMPLATE, 1, "bon@4"});
    assert_int_equal(o.err.code, ALLOT_OK);
    assert_int_equal(o.checked, 1);
}

static void each_server_is_asked(void **state)
{
    (void)state;
    outcome o = check(&(setting){"ok,batch-scores", "vllm-pooling", TEMPLATE, 16, "bon@4"});
    assert_int_equal(o.err.code, ALLOT_ESERVER);
    assert_non_null(strstr(o.err.msg, "/batch-scores'"));
    o = check(&(setting){"ok,delay", "vllm-pooling", TEMPLATE, 16, "bon@4"});
    assert_int_equal(o.checked, 1);
    assert_int_equal(o.n_requests, 6);
}

/* A run that cannot score at all tells so itself, record by record. */
static void what_cannot_be_asked_is_not_checked(void **state)
{
    (void)state;
    static const char *const faults[] = {"short-rows", "always-500", "not-json"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        outcome o = check(&(setting){faults[i], "vllm-pooling", TEMPLATE, 16, "bon@4"});
        assert_int_equal(o.err.code, ALLOT_OK);
        assert_int_equal(o.checked, 0);
    }
    outcome o = check(&(setting){"ok,short-rows", "vllm-pooling", TEMPLATE, 16, "bon@4"});
    assert_int_equal(o.checked, 0);
}

/* Long texts give way to shorter ones that the model's context holds. */
static void a_short_context_is_no_hindrance(void **state)
{
    (void)state;
    outcome o = check(&(setting){"short-context", "vllm-pooling", TEMPLATE, 16, "bon@4"});
    assert_int_equal(o.err.code, ALLOT_OK);
    assert_int_equal(o.checked, 1);
}

static void steps_are_compared_one_by_one(void **state)
{
    (void)state;
    double x[] = {0.1, 0.5, 0.9}, y[] = {0.1, 0.2, 0.95}, difference;
    allot_prm_text a = {.n_marks = 3, .scores = x}, b = {.n_marks = 3, .scores = y};
    assert_int_equal(allot_prm_worst_step(&a, &b, &difference), 1);
    assert_float_equal(difference, 0.3, 1e-6);
    b.n_marks = 2;
    assert_int_equal(allot_prm_worst_step(&a, &b, &difference), -1);
    assert_true(difference > ALLOT_PRM_TOLERANCE);
}

static int start(void **state)
{
    (void)state;
    return fault_server_start(&port) ? 0 : -1;
}

int main(void)
{
    allot_log_level(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_model_passes_in_few_requests),
        cmocka_unit_test(other_scores_in_a_batch_are_refused),
        cmocka_unit_test(each_server_is_asked),
        cmocka_unit_test(what_cannot_be_asked_is_not_checked),
        cmocka_unit_test(a_short_context_is_no_hindrance),
        cmocka_unit_test(steps_are_compared_one_by_one),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
