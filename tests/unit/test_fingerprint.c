/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint and provenance. */
#include "tests/unit/formats.h"
#include "lib/store/fingerprint.h"
#include "lib/store/provenance.h"

static void the_id_does_not_depend_on_the_order(void **state)
{
    (void)state;
    cJSON *a = object_of("{\"temperature\":0.8,\"generator\":\"g\"}");
    cJSON *b = object_of("{\"generator\":\"g\",\"temperature\":0.80}");
    char x[17], y[17], *text;
    allot_fingerprint_id(a, x);
    WORKS(allot_fingerprint_check(a, "f", &err));
    allot_fingerprint_id(b, y);
    assert_string_equal(x, y);
    text = allot_fingerprint_text(a);
    assert_string_equal(text, "{\"generator\":\"g\",\"temperature\":0.8}");
    assert_string_equal(a->child->string, "generator"); /* sorted in place */
    WORKS(allot_fingerprint_agree(a, "a", b, "b", "r", &err));
    free(text);
    cJSON_Delete(b);
    b = object_of("{\"generator\":\"h\",\"temperature\":0.8}");
    allot_fingerprint_id(b, y);
    assert_string_not_equal(x, y);
    cJSON_Delete(a);
    cJSON_Delete(b);
}

static void differ(const char *x, const char *y, const char *how)
{
    char want[400];
    cJSON *a = object_of(x), *b = object_of(y);
    snprintf(want, sizeof want,
             "'costs.json' and 'outcomes.h5' do not belong together: %s (run "
             "'allot-calibrate costs' again)",
             how);
    REFUSED(allot_fingerprint_agree(a, "costs.json", b, "outcomes.h5",
                                    "run 'allot-calibrate costs' again", &err),
            ALLOT_EMISMATCH, want);
    cJSON_Delete(a);
    cJSON_Delete(b);
}

static void the_first_difference_is_named(void **state)
{
    (void)state;
    differ("{\"temperature\":0.8,\"top_p\":1}", "{\"temperature\":1,\"top_p\":0.9}",
           "2 settings differ, e.g. temperature is 0.8 in the one and 1 in the other");
    differ("{\"prm\":\"a\",\"x\":1}", "{\"x\":1}",
           "1 setting differs, e.g. prm is \"a\" in the one and absent in the other");
    differ("{\"x\":1}", "{\"x\":1,\"prm\":\"\"}",
           "1 setting differs, e.g. prm is absent in the one and \"\" in the other");
    differ("{\"x\":1}", "{\"x\":\"1\"}",
           "1 setting differs, e.g. x is 1 in the one and \"1\" in the other");
}

static void nested_fields_are_refused(void **state)
{
    (void)state;
    cJSON *a = object_of("{\"a\":1,\"b\":[2]}"), *none = object_of("{}");
    REFUSED(allot_fingerprint_check(a, "'f'", &err), ALLOT_EINPUT,
            "'f': field 'b' of the fingerprint is neither a text nor a number");
    REFUSED(allot_fingerprint_check(none, "'f'", &err), ALLOT_EINPUT,
            "'f': the fingerprint is not an object with fields");
    cJSON_Delete(a);
    cJSON_Delete(none);
}

static void settles(const char *from, const char *to)
{
    cJSON *a = object_of(from);
    WORKS(allot_fingerprint_settle(a, "'f'", &err));
    char *text = cJSON_PrintUnformatted(a);
    assert_string_equal(text, to);
    free(text);
    cJSON_Delete(a);
}

/* Files of before have the grader among the settings of generation. */
static void the_grader_is_moved_out(void **state)
{
    (void)state;
    settles("{\"fingerprint\":{\"x\":1,\"grader\":\"7\"}}",
            "{\"fingerprint\":{\"x\":1},\"grading\":{\"grader\":\"7\"}}");
    settles("{\"fingerprint\":{\"x\":1},\"grading\":{\"options\":\"a\",\"grader\":\"8\"}}",
            "{\"fingerprint\":{\"x\":1},\"grading\":{\"grader\":\"8\",\"options\":\"a\"}}");
    settles("{\"fingerprint\":{\"x\":1,\"grader\":\"7\"},\"grading\":{\"grader\":\"8\"}}",
            "{\"fingerprint\":{\"x\":1},\"grading\":{\"grader\":\"8\"}}");
    settles("{\"fingerprint\":{\"x\":1}}", "{\"fingerprint\":{\"x\":1}}");
    const char *const bad[] = {"{\"fingerprint\":{\"grader\":\"7\"}}",
                               "{\"fingerprint\":{\"x\":1},\"grading\":{\"a\":[1]}}",
                               "{\"fingerprint\":{\"x\":1},\"grading\":\"8\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cJSON *a = object_of(bad[i]);
        REFUSED(allot_fingerprint_settle(a, "'f'", &err), ALLOT_EINPUT,
                i == 0 ? "'f': the fingerprint is not an object with fields"
                       : "'f': the grading is not an object of texts and numbers");
        cJSON_Delete(a);
    }
}

static void provenance_has_a_time_only_when_told(void **state)
{
    (void)state;
    const char *const inputs[] = {"in.txt", ".", NULL};
    cJSON *p;
    char *text;
    WORKS(allot_file_write("in.txt", &allot_kind_any, "abc", 3, &err));
    unsetenv("SOURCE_DATE_EPOCH");
    WORKS(allot_provenance_make("allot-x", 7, inputs, &p, &err));
    text = cJSON_PrintUnformatted(p);
    assert_string_equal(text,
                        "{\"tool\":\"allot-x\",\"version\":\"" ALLOT_VERSION "\",\"seed\":7,"
                        "\"inputs\":[{\"file\":\"in.txt\",\"sha256\":\"ba7816bf8f01cfea414140de5dae"
                        "2223b00361a396177a9cb410ff61f20015ad\"}]}");
    free(text);
    cJSON_Delete(p);
    setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
    WORKS(allot_provenance_make("allot-x", 7, NULL, &p, &err));
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(p, "time")) == 1700000000);
    cJSON_Delete(p);
    unsetenv("SOURCE_DATE_EPOCH");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_id_does_not_depend_on_the_order),
        cmocka_unit_test(the_first_difference_is_named),
        cmocka_unit_test(nested_fields_are_refused),
        cmocka_unit_test(the_grader_is_moved_out),
        cmocka_unit_test(provenance_has_a_time_only_when_told),
    };
    return cmocka_run_group_tests_name("fingerprint", tests, enter_folder, leave_folder);
}
