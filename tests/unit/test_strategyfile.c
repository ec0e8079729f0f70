/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of strategies through JSON and HDF5, and wrong files of both. */
#include "tests/unit/formats.h"
#include "lib/store/strategyfile.h"

static allot_code load_text(const char *text, allot_err *report)
{
    allot_strategies set;
    WORKS(allot_file_write("s.json", &allot_kind_any, text, strlen(text), &err));
    allot_code rc = allot_strategyfile_load("s.json", &set, report);
    allot_strategies_clear(&set);
    return rc;
}

#define HEAD "{\"schema\":\"allot-strategies\",\"version\":1,\"strategies\":"

static void a_file_is_read_with_aliases(void **state)
{
    (void)state;
    const char *text = HEAD "[\"single\",\"self_consistency@8\",\"beam_search@8x4x20\"]}";
    allot_strategies set, want = set_of("single,majority@8,beam@8x4x20");
    WORKS(allot_file_write("s.json", &allot_kind_any, text, strlen(text), &err));
    WORKS(allot_strategyfile_load("s.json", &set, &err));
    WORKS(allot_strategyfile_agree(&set, "a", &want, "b", "r", &err));
    assert_true(allot_strategies_id(&set) == allot_strategies_id(&want));
    cJSON *json = allot_strategyfile_to_json(&set);
    allot_strategies again;
    WORKS(allot_strategyfile_from_json(json, "j", &again, &err));
    assert_int_equal(again.count, 3);
    cJSON_Delete(json);
    allot_strategies_clear(&again);
    allot_strategies_clear(&set);
    allot_strategies_clear(&want);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    REFUSED(load_text(HEAD "[]}", &err), ALLOT_EINPUT,
            "cannot read 's.json': 'strategies' is not a list of one or more texts");
    REFUSED(load_text(HEAD "[\"single\",3]}", &err), ALLOT_EINPUT,
            "cannot read 's.json': strategy 1 is not a text");
    REFUSED(load_text(HEAD "[\"single\",\"single\"]}", &err), ALLOT_EINPUT,
            "cannot read 's.json': strategies 0 and 1 are both 'single' (list each once)");
    REFUSED(load_text(HEAD "[\"majority@0\"]}", &err), ALLOT_EINPUT,
            "cannot read 's.json': strategy 0: strategy 'majority@0': N must be a number from 1 to "
            "4096 without sign or leading zero");
    REFUSED(load_text("{\"schema\":\"allot-costs\",\"version\":1}", &err), ALLOT_EINPUT,
            "cannot read 's.json': it is a file of kind 'allot-costs', not 'allot-strategies'");
}

static void a_column_keeps_the_set_and_its_id(void **state)
{
    (void)state;
    allot_h5 *h;
    allot_strategies set = set_of("single,bon@4;agg=min,named:\"some model\""), back;
    WORKS(allot_h5_create("s.h5", "test", 1, &h, &err));
    WORKS(allot_strategyfile_to_h5(h, &set, &err));
    WORKS(allot_h5_commit(&h, &err));
    WORKS(allot_h5_open("s.h5", "test", ((allot_versions){1, 1}), &h, &err));
    WORKS(allot_strategyfile_from_h5(h, &back, &err));
    assert_true(allot_strategies_id(&set) == allot_strategies_id(&back));
    allot_strategies_clear(&back);
    allot_h5_close(&h);
    allot_strings column = {0};
    size_t n = 0, bytes = 0;
    WORKS(allot_strings_add(&column, &n, &bytes, "single", 6, &err));
    WORKS(allot_h5_create("s.h5", "test", 1, &h, &err));
    WORKS(allot_h5_write_strings(h, "strategies", &column, &err));
    WORKS(allot_h5_set_text(h, "strategy_set_id", "0123456789abcdef", &err));
    WORKS(allot_h5_commit(&h, &err));
    WORKS(allot_h5_open("s.h5", "test", ((allot_versions){1, 1}), &h, &err));
    REFUSED(allot_strategyfile_from_h5(h, &back, &err), ALLOT_EINPUT,
            "cannot read 's.h5': its "
            "strategies have the id d5dc35dcb7e762a9, its strategy_set_id is '0123456789abcdef' "
            "(the file was edited; make it again)");
    allot_h5_close(&h);
    allot_strings_clear(&column);
    allot_strategies_clear(&set);
}

static void other_sets_are_refused(void **state)
{
    (void)state;
    allot_strategies a = set_of("single,majority@8"), b = set_of("single,majority@16"),
                     c = set_of("single");
    REFUSED(
        allot_strategyfile_agree(&a, "probe.h5", &b, "costs.json", "make the costs again", &err),
        ALLOT_EMISMATCH,
        "'probe.h5' and 'costs.json' do not belong together: 1 of 2 "
        "strategies differ, e.g. strategy 1 is majority@8 in the one and "
        "majority@16 in the other (make the costs again)");
    REFUSED(
        allot_strategyfile_agree(&c, "probe.h5", &a, "costs.json", "make the costs again", &err),
        ALLOT_EMISMATCH,
        "'probe.h5' and 'costs.json' do not belong together: 1 of 2 "
        "strategies differ, e.g. strategy 1 is absent in the one and "
        "majority@8 in the other (make the costs again)");
    allot_strategies_clear(&a);
    allot_strategies_clear(&b);
    allot_strategies_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_with_aliases),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(a_column_keeps_the_set_and_its_id),
        cmocka_unit_test(other_sets_are_refused),
    };
    return cmocka_run_group_tests_name("strategyfile", tests, enter_folder, leave_folder);
}
