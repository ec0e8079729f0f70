/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile texts are refused and fields are typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"

static void refuse(const char *text, size_t n, const char *message)
{
    cJSON *v = NULL;
    allot_err err = {0};
    assert_int_equal(allot_json_parse(text, n, "here", &v, &err), ALLOT_EINPUT);
    assert_null(v);
    assert_string_equal(err.msg, message);
}

static void hostile_texts_are_refused(void **state)
{
    (void)state;
    refuse("", 0, "here: is empty, not JSON");
    refuse("{\"a\":1", 6, "here: is not valid JSON");
    refuse("[1] [2]", 7, "here: something follows the JSON value");
    refuse("{\"a\":1,\"b\":2,\"a\":3}", 19, "here: the field \"a\" occurs twice");
    refuse("[{\"x\":{\"k\":1,\"k\":1}}]", 21, "here: the field \"k\" occurs twice");
    refuse("[1e999]", 7, "here: a number is not finite");
    refuse("[1\0]", 4, "here: holds a NUL byte");
    char deep[200];
    memset(deep, '[', sizeof deep);
    refuse(deep, sizeof deep, "here: nested deeper than 64 levels");
}

/* Brackets inside strings are text, not depth. */
static void brackets_in_strings_are_fine(void **state)
{
    (void)state;
    char text[300] = "[\"";
    memset(text + 2, '{', 200);
    strcpy(text + 202, "\\\"[[\"]");
    cJSON *v = NULL;
    allot_err err = {0};
    assert_int_equal(allot_json_parse(text, strlen(text), "here", &v, &err), ALLOT_OK);
    cJSON_Delete(v);
}

static void fields_are_typed(void **state)
{
    (void)state;
    cJSON *v = NULL;
    allot_err err = {0};
    const char *text = "{\"s\":\"x\",\"i\":3,\"f\":0.5,\"schema\":\"k\",\"version\":2}";
    assert_int_equal(allot_json_parse(text, strlen(text), "'f.json'", &v, &err), ALLOT_OK);
    long i;
    double d;
    int version = 0;
    const char *s;
    assert_int_equal(allot_json_int(v, "i", "'f.json'", 0, 10, &i, &err), ALLOT_OK);
    assert_int_equal(i, 3);
    assert_int_equal(allot_json_int(v, "f", "'f.json'", 0, 10, &i, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "'f.json': \"f\" is not a whole number");
    assert_int_equal(allot_json_number(v, "i", "'f.json'", 0, 2, &d, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "'f.json': \"i\" is 3, not within 0 to 2");
    assert_int_equal(allot_json_string(v, "none", "'f.json'", &s, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "'f.json': \"none\" is missing");
    assert_int_equal(
        allot_json_schema(v, "k", ((allot_versions){1, 2}), "'f.json'", &version, &err), ALLOT_OK);
    assert_int_equal(version, 2);
    assert_int_equal(allot_json_schema(v, "k", ((allot_versions){1, 1}), "'f.json'", NULL, &err),
                     ALLOT_EINPUT);
    assert_non_null(strstr(err.msg, "version 2 of 'k', this program reads version 1 (install"));
    assert_int_equal(
        allot_json_schema(v, "other", ((allot_versions){1, 2}), "'f.json'", NULL, &err),
        ALLOT_EINPUT);
    assert_string_equal(err.msg, "'f.json': it is a file of kind 'k', not 'other'");
    cJSON_Delete(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hostile_texts_are_refused),
                                       cmocka_unit_test(brackets_in_strings_are_fine),
                                       cmocka_unit_test(fields_are_typed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
