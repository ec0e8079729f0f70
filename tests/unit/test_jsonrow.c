/* SPDX-License-Identifier: Apache-2.0 */
/* One line of JSON without a tree: what is taken, what is refused, and that it never takes what
 * cJSON refuses or reads otherwise. */
#include "tests/unit/formats.h"
#include "lib/core/json.h"
#include "lib/core/rng.h"
#include "lib/readers/jsonrow.h"

static allot_jsonrow memory;

static allot_code read_x(const char *line, size_t n, allot_rowvalue *out, char *room,
                         allot_err *err)
{
    const char *names[] = {"x"};
    memcpy(room, line, n);
    room[n] = '\0';
    return allot_jsonrow_read(&memory, room, n, names, 1, out, err);
}

static void takes(const char *line, allot_rowkind kind, const char *text)
{
    char room[512];
    allot_rowvalue v;
    WORKS(read_x(line, strlen(line), &v, room, &err));
    assert_int_equal(v.kind, kind);
    assert_int_equal(v.n, strlen(text));
    assert_memory_equal(v.text, text, v.n);
}

static void values_are_taken(void **state)
{
    (void)state;
    takes("{}", ALLOT_ROW_ABSENT, "");
    takes(" { \"x\" : null } ", ALLOT_ROW_ABSENT, "");
    takes("{\"x\":\"\"}", ALLOT_ROW_TEXT, "");
    takes("{\"a\":{\"x\":1},\"x\":\"b\",\"c\":[{\"x\":2}]}", ALLOT_ROW_TEXT, "b");
    takes("{\"\\u0078\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\u20AC\\ud83d\\ude00z\"}",
          ALLOT_ROW_TEXT, "a\"\\/\b\f\n\r\t\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
    takes("{\"x\":-0.5e+10}", ALLOT_ROW_NUMBER, "-0.5e+10");
    takes("{\"x\":[\"a\", \"b\",\"\\u0063\"]}", ALLOT_ROW_LIST, "a, b, c");
    takes("{\"x\":[7]}", ALLOT_ROW_LIST, "7");
    takes("{\"x\":[]}", ALLOT_ROW_ABSENT, "");
    for (const char *const *t = (const char *const[]){"true", "{}", "[1,2]", "[[\"a\"]]", NULL}; *t;
         t++) {
        char line[64], room[64];
        allot_rowvalue v;
        snprintf(line, sizeof line, "{\"x\":%s}", *t);
        WORKS(read_x(line, strlen(line), &v, room, &err));
        assert_int_equal(v.kind, ALLOT_ROW_OTHER);
    }
}

static void bad_lines_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } bad[] = {
        {"", "not a JSON object"},
        {"[]", "not a JSON object"},
        {"{", "is not valid JSON at byte 2: no field name"},
        {"{\"x\"", "is not valid JSON at byte 5: no colon behind a field name"},
        {"{\"x\":}", "is not valid JSON at byte 6: no value"},
        {"{\"x\":1,}", "is not valid JSON at byte 8: no field name"},
        {"{\"x\":01}", "is not valid JSON at byte 8: not a number"},
        {"{\"x\":1.}", "is not valid JSON at byte 8: not a number"},
        {"{\"x\":nul}", "is not valid JSON at byte 6: no value"},
        {"{\"x\":NaN}", "is not valid JSON at byte 6: NaN and Infinity are no JSON (write null)"},
        {"{\"x\":1e999}", "a number is not finite"},
        {"{\"x\":\"a", "is not valid JSON at byte 8: a string is not closed"},
        {"{\"x\":\"a\tb\"}", "is not valid JSON at byte 8: a control character in a string"},
        {"{\"x\":\"\\q\"}", "is not valid JSON at byte 8: an unknown escape"},
        {"{\"x\":\"\\u12\"}", "is not valid JSON at byte 9: \\u without four hex digits"},
        {"{\"x\":\"\\ud800\"}", "is not valid JSON at byte 13: half of a surrogate pair"},
        {"{\"x\":\"\\u0000\"}", "holds a NUL byte (as \\u0000)"},
        {"{\"x\":\"\xc3\"}", "is not UTF-8 at byte 7 (convert it with iconv)"},
        {"{\"x\":1}{}", "something follows the JSON value"},
        {"{\"x\":1,\"x\":2}", "a field occurs twice in an object"},
        {"{\"x\":[{\"a\":1,\"\\u0061\":2}]}", "a field occurs twice in an object"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char room[64];
        allot_rowvalue v;
        REFUSED(read_x(bad[i].line, strlen(bad[i].line), &v, room, &err), ALLOT_EINPUT,
                bad[i].message);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char line[300], room[300];
    allot_rowvalue v;
    for (int deep = 63; deep <= 64; deep++) { /* arrays within the outer object */
        int n = snprintf(line, sizeof line, "{\"a\":%.*s1%.*s}", deep,
                         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", deep,
                         "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
        if (deep == 63) WORKS(read_x(line, (size_t)n, &v, room, &err));
        else
            REFUSED(read_x(line, (size_t)n, &v, room, &err), ALLOT_EINPUT,
                    "nested deeper than 64 levels");
    }
}

/* Lines with a few bytes changed: what is taken is JSON for cJSON too, with the same text. */
static void never_takes_what_cjson_refuses(void **state)
{
    (void)state;
    static const char seed_line[] =
        "{\"a\":[1,-2.5e3,{\"b\":null}],\"x\":\"k\\n\\u00e4\\ud83d\\ude00"
        "\xc3\xa4\",\"y\":true,\"z\":[\"p\",\"q\"]}";
    static const char bytes[] = "\"\\{}[],:0123eE+-.untrfalsxy \x80\xc3";
    int taken = 0;
    for (uint64_t i = 0; i < 200000; i++) {
        char line[sizeof seed_line], room[sizeof seed_line];
        memcpy(line, seed_line, sizeof line);
        allot_rng r = allot_rng_start(7, i, 0, 0);
        for (uint64_t k = 1 + allot_rng_below(&r, 3); k > 0; k--)
            line[allot_rng_below(&r, sizeof line - 1)] =
                bytes[allot_rng_below(&r, sizeof bytes - 1)];
        allot_rowvalue v;
        allot_err err;
        if (read_x(line, sizeof line - 1, &v, room, &err)) continue;
        taken++;
        cJSON *tree = NULL;
        if (allot_json_parse(line, sizeof line - 1, "line", &tree, &err))
            fail_msg("cJSON refuses '%s': %s", line, err.msg);
        const cJSON *x = cJSON_GetObjectItemCaseSensitive(tree, "x");
        if (v.kind == ALLOT_ROW_TEXT) {
            assert_true(cJSON_IsString(x));
            assert_int_equal(v.n, strlen(x->valuestring));
            assert_memory_equal(v.text, x->valuestring, v.n);
        } else if (v.kind == ALLOT_ROW_NUMBER) {
            assert_true(cJSON_IsNumber(x) && x->valuedouble == strtod(v.text, NULL));
        }
        cJSON_Delete(tree);
    }
    assert_true(taken > 10000);
}

static int clear(void **state)
{
    (void)state;
    allot_jsonrow_clear(&memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_taken),
        cmocka_unit_test(bad_lines_are_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(never_takes_what_cjson_refuses),
    };
    return cmocka_run_group_tests_name("jsonrow", tests, NULL, clear);
}
