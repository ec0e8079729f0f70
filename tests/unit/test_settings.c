/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the engine's settings: into a fingerprint and back, what is given, and bounds. */
#include "tests/unit/formats.h"
#include "lib/engine/engineflags.h"

static cJSON *fingerprint_of(const allot_engine_config *c, int has_prm)
{
    cJSON *o = cJSON_CreateObject();
    allot_settings_to_fingerprint(c, has_prm, o);
    return o;
}

/* Every setting that is sent differs from its default, so that none can be left out. */
static const allot_engine_config other = {.model = "m",
                                          .server_kind = "vllm",
                                          .prm_model = "p",
                                          .prm_kind = "rerank",
                                          .prm_separator = "s",
                                          .prm_system_prompt = "ps",
                                          .prm_template = "pt",
                                          .prm_labels = "a,b",
                                          .prm_activation = "sigmoid",
                                          .system_prompt = "sys",
                                          .prompt_template = "t",
                                          .step_separator = "|",
                                          .temperature = 0.25,
                                          .top_p = 0.5,
                                          .max_tokens = 7,
                                          .step_max_tokens = 9,
                                          .extra_body = "{}"};

static void a_fingerprint_brings_back_what_made_it(void **state)
{
    (void)state;
    allot_engine_config back;
    cJSON *o = fingerprint_of(&other, 1), *standard = fingerprint_of(&allot_engine_default, 1);
    const cJSON *f;
    assert_int_equal(cJSON_GetArraySize(o), 17);
    cJSON_ArrayForEach(f, o)
    {
        const cJSON *as_usual = cJSON_GetObjectItemCaseSensitive(standard, f->string);
        if (cJSON_Compare(f, as_usual, 1)) fail_msg("%s is as usual", f->string);
        if (f->next && strcmp(f->string, f->next->string) >= 0) fail_msg("%s: order", f->string);
    }
    allot_engine_defaults(&back);
    WORKS(allot_settings_from_fingerprint(o, "'f'", &back, &err));
    assert_string_equal(back.server_kind, "auto"); /* is found out, not set */
    back.server_kind = other.server_kind;
    cJSON *again = fingerprint_of(&back, 1), *without = fingerprint_of(&back, 0);
    assert_true(cJSON_Compare(o, again, 1));
    assert_string_equal(cJSON_GetObjectItem(without, "prm_kind")->valuestring, "");
    assert_string_equal(cJSON_GetObjectItem(without, "generator")->valuestring, "m");
    cJSON_Delete(o);
    cJSON_Delete(standard);
    cJSON_Delete(again);
    cJSON_Delete(without);
}

static void numbers_of_a_fingerprint_are_bounded(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"max_tokens\":1e300}", "{\"temperature\":-1}",
                                      "{\"top_p\":0}", "{\"step_max_tokens\":0}"};
    allot_engine_config c;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cJSON *o = object_of(bad[i]);
        allot_err err = {0};
        allot_engine_defaults(&c);
        assert_int_equal(allot_settings_from_fingerprint(o, "'f'", &c, &err), ALLOT_EINPUT);
        assert_non_null(strstr(err.msg, "of the fingerprint is "));
        cJSON_Delete(o);
    }
    allot_engine_defaults(&c);
    WORKS(allot_settings_check(&c, &err));
    c.top_p = 2;
    REFUSED(allot_settings_check(&c, &err), ALLOT_EUSAGE, "top-p: 2 is not within 1e-09 to 1");
    /* what is absent, empty or no number stays */
    cJSON *o = object_of("{\"generator\":\"\",\"top_p\":\"1\",\"temperature\":3}");
    allot_engine_defaults(&c);
    WORKS(allot_settings_from_fingerprint(o, "'f'", &c, &err));
    assert_null(c.model);
    assert_true(c.top_p == 1 && c.temperature == 3 && c.max_tokens == 2048);
    cJSON_Delete(o);
}

static void only_what_is_given_is_taken(void **state)
{
    (void)state;
    char separator[] = "a\\nb", template[] = "x\\ty\\\\", body[] = "\\n";
    allot_engine_config given = ALLOT_ENGINE_FLAGS_NONE, c = other;
    allot_settings_take(&given, &c);
    assert_memory_equal(&c, &other, sizeof c);
    given.step_separator = separator;
    given.prompt_template = template;
    given.extra_body = body;
    given.temperature = 0;
    given.max_retries = 0;
    given.insecure = 1;
    allot_settings_take(&given, &c);
    assert_string_equal(c.step_separator, "a\nb");
    assert_string_equal(c.prompt_template, "x\ty\\");
    assert_string_equal(c.extra_body, "\\n"); /* JSON has its own escapes */
    assert_true(c.temperature == 0 && c.max_retries == 0 && c.insecure == 1);
    assert_int_equal(c.max_tokens, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fingerprint_brings_back_what_made_it),
        cmocka_unit_test(numbers_of_a_fingerprint_are_bounded),
        cmocka_unit_test(only_what_is_given_is_taken),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
