/* SPDX-License-Identifier: Apache-2.0 */
/* enginefixture.h - an engine on the server of faults, and what comes of one job. */
#ifndef ALLOT_ENGINEFIXTURE_H
#define ALLOT_ENGINEFIXTURE_H
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/engine/engine.h"
#include "lib/engine/generate.h"
#include "lib/engine/job.h"
#include "tests/faults/fault_server.h"

static int port;

static const allot_query query = {.key = {{1, 2, 3}}, .problem = "2+2=?", .n = 5};

static inline void config_for(const char *fault_name, allot_engine_config *c)
{
    static char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", port, fault_name);
    allot_engine_defaults(c);
    c->base_url = url;
    c->prm_model = "prm";
    c->prompt_template = c->prm_template = "Q: {problem}\n";
    c->max_retries = 1;
    pthread_mutex_lock(&fault_state.mutex);
    memset(fault_state.tries, 0, sizeof fault_state.tries);
    pthread_mutex_unlock(&fault_state.mutex);
}

static inline allot_engine *open_engine(const allot_engine_config *c)
{
    allot_err err = {0};
    allot_engine *e = NULL;
    if (allot_engine_new(c, &e, &err)) fail_msg("%s", err.msg);
    return e;
}

static inline void keep(allot_done *done, void *user)
{
    *(allot_done *)user = *done;
}

static inline void wait_for(allot_engine *e)
{
    allot_err err = {0};
    while (allot_engine_in_flight(e) > 0)
        assert_int_equal(allot_engine_poll(e, 1000, &err), ALLOT_OK);
}

static inline allot_done sample_with(const allot_engine_config *c, int slot)
{
    allot_err err = {0};
    allot_done d = {0};
    allot_engine *e = open_engine(c);
    assert_int_equal(allot_engine_sample(e, &query, slot, keep, &d, &err), ALLOT_OK);
    wait_for(e);
    allot_engine_free(e);
    return d;
}

static allot_done run_strategy(const char *fault_name, const char *text, const char *salt);

static inline allot_done run_strategy(const char *fault_name, const char *text, const char *salt)
{
    allot_err err = {0};
    allot_done d = {0};
    allot_strategy s;
    allot_engine_config c;
    config_for(fault_name, &c);
    allot_engine *e = open_engine(&c);
    assert_int_equal(allot_strategy_parse(text, &s, &err), ALLOT_OK);
    fault_state.requests = 0;
    assert_int_equal(allot_engine_strategy(e, &query, &s, 2, salt, keep, &d, &err), ALLOT_OK);
    wait_for(e);
    allot_engine_free(e);
    return d;
}
#endif
