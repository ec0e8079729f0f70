/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest saved and loaded is the same; malformed ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "lib/core/atomicfile.h"
#include "lib/store/rundir.h"

static char dir[] = "/tmp/allot-rundir-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    strcpy(strrchr(dir, '-') + 1, "XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    unlink(path);
    return rmdir(dir);
}

static void fill(allot_rundir *r)
{
    allot_err err = {0};
    allot_strategy s;
    *r = (allot_rundir){.schema = ALLOT_RUN_SCHEMA,
                        .pool = 64,
                        .runs = 8,
                        .scored = 1,
                        .seed = 5,
                        .loads = {1, 8},
                        .n_loads = 2};
    assert_int_equal(allot_strategy_parse("beam@8x4x20;final=vote", &s, &err), ALLOT_OK);
    assert_int_equal(allot_strategies_add(&r->strategies, &s, &err), ALLOT_OK);
    r->fingerprint = cJSON_Parse("{\"generator\":\"m\",\"temperature\":0.8}");
    r->hardware = cJSON_Parse("{\"hardware\":\"a box\",\"server\":{\"kind\":\"vllm\"}}");
}

static void saved_and_loaded_is_the_same(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_rundir r, s;
    fill(&r);
    if (allot_rundir_save(dir, &r, &err)) fail_msg("%s", err.msg);
    if (allot_rundir_load(dir, ALLOT_RUN_SCHEMA, &s, &err)) fail_msg("%s", err.msg);
    assert_int_equal(s.pool, 64);
    assert_int_equal(s.runs, 8);
    assert_int_equal(s.scored, 1);
    assert_int_equal(s.seed, 5);
    assert_int_equal(s.n_loads, 2);
    assert_int_equal(s.loads[1], 8);
    assert_true(allot_strategies_id(&s.strategies) == allot_strategies_id(&r.strategies));
    assert_true(cJSON_Compare(s.fingerprint, r.fingerprint, 1));
    assert_true(cJSON_Compare(s.hardware, r.hardware, 1));
    allot_rundir_clear(&r);
    allot_rundir_clear(&s);
}

static void the_other_kind_of_directory_is_refused(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_rundir r, s;
    fill(&r);
    assert_int_equal(allot_rundir_save(dir, &r, &err), ALLOT_OK);
    assert_int_equal(allot_rundir_load(dir, ALLOT_TIMING_SCHEMA, &s, &err), ALLOT_EINPUT);
    assert_non_null(strstr(err.msg, ALLOT_TIMING_SCHEMA));
    allot_rundir_clear(&r);
}

static void malformed_manifests_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"schema\":\"allot-run\",\"version\":1,\"strategies\":[\"single\"],\"pool\":-1}",
        "{\"schema\":\"allot-run\",\"version\":1,\"strategies\":[\"single\"],\"pool\":1,\"runs\":1,"
        "\"scored\":0,\"seed\":1,\"loads\":[0],\"fingerprint\":{},\"hardware\":{}}",
        "{\"schema\":\"allot-run\",\"version\":1,\"strategies\":[\"single\"],\"pool\":1,\"runs\":1,"
        "\"scored\":0,\"seed\":1,\"loads\":[],\"fingerprint\":{\"a\":{}},\"hardware\":{}}"};
    char *path = allot_rundir_path(dir, "manifest.json", NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        allot_err err = {0};
        allot_rundir s;
        assert_int_equal(allot_file_write(path, &allot_kind_any, bad[i], strlen(bad[i]), &err),
                         ALLOT_OK);
        assert_int_equal(allot_rundir_load(dir, ALLOT_RUN_SCHEMA, &s, &err), ALLOT_EINPUT);
        assert_non_null(strstr(err.msg, path));
    }
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(saved_and_loaded_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_other_kind_of_directory_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(malformed_manifests_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
