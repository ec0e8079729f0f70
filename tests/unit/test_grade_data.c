/* SPDX-License-Identifier: Apache-2.0 */
/* Grading on published answers, where the files are at hand (ALLOT_SHARED_DATA, else
 * ../shared/data). Rows fall into two halves by a hash of their text: half A is looked at while the
 * grader is tuned, half B is not (its failing texts of test suites were, in the end:
 * docs/grading.md). Exact counts are printed; the floors are what was reached. GRADE_SHOW=1 names
 * the wrong rows of half A. */
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
#include "tests/graderubbish.h"

typedef struct {
    int right, rows, false_accepts, apart_right, apart;
} half_counts;

static int half_of(const char *line, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)line[i]) * UINT64_C(0x100000001b3);
    return (h >> 32) & 1;
}

static const char *text_of(const cJSON *row, const char *field)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(row, field);
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

/* The graders of these projects read boxes and nothing else. */
static int reads_boxes(const char *source)
{
    return strncmp(source, "rllm-org/rllm@", 14) == 0 ||
           strncmp(source, "PrimeIntellect-ai/verifiers@", 28) == 0;
}

/* The options of a row: the last number, letters where letters are asked for. */
static allot_grade_options options_of(const cJSON *row)
{
    const char *kind = text_of(row, "kind"), *source = text_of(row, "source");
    allot_grade_options o;
    allot_grade_defaults(&o);
    o.extract = kind && strcmp(kind, "choice") == 0 ? ALLOT_PRESET_CHOICE
                : source && reads_boxes(source)     ? ALLOT_PRESET_BOXED
                                                    : ALLOT_PRESET_GSM8K;
    return o;
}

/* Whole answers: extraction with the last-number option, then equality. */
static int judge(const cJSON *row)
{
    const char *gold = text_of(row, "gold"), *answer = text_of(row, "pred"), *start, *reference;
    size_t n, n_reference;
    const allot_grade_options o = options_of(row);
    if (!allot_reference(gold, strlen(gold), "", 0, &reference, &n_reference)) return 0;
    if (answer) return allot_answers_equal(reference, n_reference, answer, strlen(answer), &o);
    const char *response = text_of(row, "response");
    return allot_extract(response, strlen(response), &o, &start, &n) != ALLOT_EXTRACT_NONE &&
           allot_answers_equal(reference, n_reference, start, n, &o);
}

/* Rows that are reported apart: policies, and the kinds that are not plain answers. */
static int is_apart(const cJSON *row)
{
    const char *kind = text_of(row, "kind");
    if (cJSON_GetObjectItemCaseSensitive(row, "policy")) return 1;
    return kind && strcmp(kind, "needs_extraction") != 0;
}

static void grade_row(const char *line, size_t n, half_counts halves[2])
{
    cJSON *row = cJSON_ParseWithLength(line, n);
    int half = half_of(line, n), equal = cJSON_IsTrue(cJSON_GetObjectItem(row, "equal"));
    assert_non_null(row);
    double started = thread_ms();
    int judged = judge(row);
    double taken_ms = thread_ms() - started;
    half_counts *h = &halves[half];
    if (cJSON_GetObjectItemCaseSensitive(row, "robustness")) {
        assert_false(judged);
        assert_true(taken_ms < 1);
    }
    if (is_apart(row)) {
        h->apart++;
        h->apart_right += judged == equal;
    } else {
        h->rows++;
        h->right += judged == equal;
        h->false_accepts += judged && !equal;
    }
    if (half == 0 && judged != equal && getenv("GRADE_SHOW"))
        printf("%s%s %.300s\n", is_apart(row) ? "apart " : "", equal ? "missed" : "FALSE ACCEPT",
               line);
    cJSON_Delete(row);
}

static void grade_file(const char *name, half_counts halves[2])
{
    const char *folder = getenv("ALLOT_SHARED_DATA");
    char path[4096], *line = NULL;
    size_t cap = 0;
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "../shared/data", name);
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("no '%s': skipped (ALLOT_SHARED_DATA names the folder)\n", path);
        skip();
    }
    memset(halves, 0, 2 * sizeof *halves);
    for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
        while (n > 0 && strchr("\r\n", line[n - 1]))
            line[--n] = '\0';
        if (n > 0) grade_row(line, (size_t)n, halves);
    }
    free(line);
    fclose(f);
    for (int i = 0; i < 2; i++)
        print_message("%s half %c: %d of %d right, %d false accepts; apart %d of %d\n", name,
                      'A' + i, halves[i].right, halves[i].rows, halves[i].false_accepts,
                      halves[i].apart_right, halves[i].apart);
}

/* The half kept unseen must reach the share. */
static void reaches(const half_counts halves[2], double share, int false_accepts)
{
    assert_true(halves[1].right >= share * halves[1].rows);
    assert_true(halves[0].false_accepts + halves[1].false_accepts <= false_accepts);
}

static void pairs_of_test_suites(void **state)
{
    (void)state;
    half_counts halves[2];
    grade_file("grader_pairs.jsonl", halves);
    reaches(halves, 0.93, 2);
}

static void pairs_of_real_models(void **state)
{
    (void)state;
    half_counts halves[2];
    grade_file("grader_pairs_real.jsonl", halves);
    reaches(halves, 0.985, 0);
}

static void texts_of_test_suites(void **state)
{
    (void)state;
    half_counts halves[2];
    grade_file("grader_extract.jsonl", halves);
    reaches(halves, 0.95, 2);
}

static void texts_of_real_models(void **state)
{
    (void)state;
    half_counts halves[2];
    grade_file("grader_extract_real.jsonl", halves);
    reaches(halves, 0.96, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_of_test_suites), cmocka_unit_test(pairs_of_real_models),
        cmocka_unit_test(texts_of_test_suites), cmocka_unit_test(texts_of_real_models)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
