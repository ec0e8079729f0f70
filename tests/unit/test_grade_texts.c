/* SPDX-License-Identifier: Apache-2.0 */
/* Whole texts as models write them, and what must be read in them: tests/golden/grade_texts.jsonl
 * has a reference in each line, texts that give it and texts that do not. No line of
 * tests/golden/grade_different.txt answers another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/extract/extract.h"

static int judge(const char *gold, const char *text)
{
    allot_grade_options o;
    allot_grade_defaults(&o);
    o.extract = ALLOT_PRESET_GSM8K;
    const char *start, *reference;
    size_t n, n_reference, length = strlen(text);
    char *exact = malloc(length + 1); /* nothing behind the text, for the sanitizers */
    assert_non_null(exact);
    char *copy = memcpy(exact + 1, text, length);
    assert_true(allot_reference(gold, strlen(gold), "", 0, &reference, &n_reference));
    int equal = allot_extract(copy, length, &o, &start, &n) != ALLOT_EXTRACT_NONE &&
                allot_answers_equal(reference, n_reference, start, n, &o);
    free(exact);
    return equal;
}

/* How many texts of a field are not judged so. */
static int n_wrong(const cJSON *row, const char *field, int equal, int *n)
{
    const char *gold = cJSON_GetStringValue(cJSON_GetObjectItem(row, "reference"));
    const cJSON *text;
    int wrong = 0;
    cJSON_ArrayForEach(text, cJSON_GetObjectItem(row, field))
    {
        ++*n;
        if (judge(gold, text->valuestring) == equal) continue;
        print_error("'%s' should be %s to '%s'\n", text->valuestring, field, gold);
        wrong++;
    }
    return wrong;
}

static void texts_give_their_answers(void **state)
{
    (void)state;
    FILE *f = fopen("tests/golden/grade_texts.jsonl", "r");
    char *line = NULL;
    size_t capacity = 0;
    int n = 0, wrong = 0;
    assert_non_null(f);
    for (ssize_t length; (length = getline(&line, &capacity, f)) > 0;) {
        cJSON *row = cJSON_ParseWithLength(line, (size_t)length);
        assert_non_null(row);
        wrong += n_wrong(row, "equal", 1, &n) + n_wrong(row, "different", 0, &n);
        cJSON_Delete(row);
    }
    free(line);
    fclose(f);
    assert_true(n > 5300);
    assert_int_equal(wrong, 0);
}

static void different_answers_differ(void **state)
{
    (void)state;
    enum { MOST = 400 };
    char *line[MOST], *next = NULL;
    int n = 0, wrong = 0;
    size_t capacity = 0;
    FILE *f = fopen("tests/golden/grade_different.txt", "r");
    assert_non_null(f);
    for (ssize_t length; n < MOST && (length = getline(&next, &capacity, f)) > 1; next = NULL) {
        next[length - 1] = '\0';
        line[n++] = next;
    }
    free(next);
    fclose(f);
    assert_in_range(n, 300, MOST - 1);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            int equal =
                allot_answers_equal(line[i], strlen(line[i]), line[j], strlen(line[j]), NULL);
            if (equal != (i == j)) print_error("'%s' and '%s': %d\n", line[i], line[j], equal);
            wrong += equal != (i == j);
        }
    while (n-- > 0)
        free(line[n]);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_give_their_answers),
                                       cmocka_unit_test(different_answers_differ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
