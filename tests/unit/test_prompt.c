/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, marks of steps, and texts made valid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "lib/engine/prompt.h"

static void expect(allot_buf *b, const char *text)
{
    assert_false(b->failed);
    assert_string_equal(b->at ? b->at : "", text);
    assert_int_equal(b->n, strlen(text));
    allot_buf_clear(b);
}

static void places_are_filled_once(void **state)
{
    (void)state;
    allot_buf b = {0};
    assert_int_equal(allot_prompt_render("{system}|Q: {problem}\n", "S", "P", 1, &b), 1);
    expect(&b, "S|Q: P\n");
    assert_int_equal(allot_prompt_render("{problem} {problem}", "S", "{system}{problem}", 17, &b),
                     2);
    expect(&b, "{system}{problem} {system}{problem}");
    assert_int_equal(allot_prompt_render("a{b}c{", "S", "P", 1, &b), 0);
    expect(&b, "a{b}c{");
}

static void expect_steps(const char *text, int first, const char *marked, int marks)
{
    allot_buf b = {0};
    assert_int_equal(allot_prompt_steps(text, strlen(text), "\n\n", "<M>", first, &b), marks);
    expect(&b, marked);
}

static void steps_are_marked(void **state)
{
    (void)state;
    expect_steps("a\n\nb", 0, "a<M>b<M>", 2);
    expect_steps("a\n\nb\n\n", 0, "a<M>b<M>", 2);
    expect_steps("\n\na\n\n\n\n \n\nb\n\n\n\n", 0, "a<M>b<M>", 2);
    expect_steps("a\nb", 0, "a\nb<M>", 1);
    expect_steps("a\n\nb\n\nc", 1, "b<M>c<M>", 2);
    expect_steps("a\n\nb\n\nc", 2, "c<M>", 1);
    expect_steps("", 0, "<M>", 1);
    expect_steps("\n\n", 0, "<M>", 1);
}

/* However a text is made, it holds as many marks as are reported. */
static void marks_in_the_text_do_not_count(void **state)
{
    (void)state;
    expect_steps("a<M>b\n\nc", 0, "ab<M>c<M>", 2);
    expect_steps("<M>\n\nc", 0, "c<M>", 1);
    expect_steps("a<<M>M>b", 0, "ab<M>", 1);
    expect_steps("a<<<M>M>M>b", 0, "ab<M>", 1);
    allot_buf b = {0};
    allot_prompt_without("<M<M>>x<M>", 10, "<M>", &b);
    expect(&b, "x");
}

static void expect_clean(const char *text, size_t n, const char *clean)
{
    allot_buf b = {0};
    allot_prompt_clean_json(text, n, &b);
    expect(&b, clean);
}
#define U "\xef\xbf\xbd"

static void invalid_text_is_replaced(void **state)
{
    (void)state;
    expect_clean("\"\xc3\xa9\xe2\x82\xac\"", 7, "\"\xc3\xa9\xe2\x82\xac\"");
    expect_clean("a\xff"
                 "b",
                 3, "a" U "b");
    expect_clean("\xe2\x82", 2, U U);
    expect_clean("\xc0\x80", 2, U U);       /* overlong */
    expect_clean("\xed\xa0\x80", 3, U U U); /* a surrogate */
    expect_clean("a\0b", 3, "a" U "b");
    expect_clean("\\u0000", 6, U);
    expect_clean("\\\\u0000", 7, "\\\\u0000"); /* an escaped backslash, then letters */
    expect_clean("\\n\\u0000\\u00e9", 14, "\\n" U "\\u00e9");
    expect_clean("\\", 1, "\\");
    expect_clean("\\\xff", 2, "\\" U);
}

static void bos_is_recognised(void **state)
{
    (void)state;
    assert_int_equal(allot_prompt_bos("<|begin_of_text|><|start"), 17);
    assert_int_equal(allot_prompt_bos("<s>[INST]"), 3);
    assert_int_equal(allot_prompt_bos("Q: {problem}"), 0);
    assert_int_equal(allot_prompt_bos("<|im_start|>"), 0);
}

static void expect_built_in(const char *name, const char *system_prompt, const char *prompt)
{
    allot_buf b = {0};
    const char *text = allot_prompt_template(name, *system_prompt != '\0');
    assert_int_equal(allot_prompt_render(text, system_prompt, "2+2=?", 5, &b), 1);
    expect(&b, prompt);
}

/* As the models' own templates write a dialogue of one turn. */
static void built_in_templates_are_those_of_the_models(void **state)
{
    (void)state;
    expect_built_in("chatml", "Be brief.",
                    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n2+2=?<|im_end|>\n"
                    "<|im_start|>assistant\n");
    expect_built_in("chatml", "", "<|im_start|>user\n2+2=?<|im_end|>\n<|im_start|>assistant\n");
    expect_built_in("llama3", "Be brief.",
                    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief."
                    "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n2+2=?<|eot_id|>"
                    "<|start_header_id|>assistant<|end_header_id|>\n\n");
    expect_built_in("mistral", "Be brief.", "<s>[INST] Be brief.\n\n2+2=?[/INST]");
    expect_built_in("mistral", "", "<s>[INST] 2+2=?[/INST]");
    expect_built_in("gemma", "",
                    "<bos><start_of_turn>user\n2+2=?<end_of_turn>\n<start_of_turn>model\n");
    assert_string_equal(allot_prompt_template("Q: {problem}", 0), "Q: {problem}");
    assert_null(allot_prompt_template("chat", 0));
    assert_null(allot_prompt_template("server", 1));
    assert_null(allot_prompt_template(NULL, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled_once),
        cmocka_unit_test(steps_are_marked),
        cmocka_unit_test(marks_in_the_text_do_not_count),
        cmocka_unit_test(invalid_text_is_replaced),
        cmocka_unit_test(bos_is_recognised),
        cmocka_unit_test(built_in_templates_are_those_of_the_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
