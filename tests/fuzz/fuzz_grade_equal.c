/* SPDX-License-Identifier: Apache-2.0 */
/* Equality, classes and kinds of two answers, one a line: an answer that has a class is equal to
 * itself, and its kind is known. */
#include <assert.h>
#include <string.h>
#include "lib/extract/extract.h"
#include "lib/grade/answerkind.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const allot_grade_options lenient = {
        ALLOT_PRESET_GSM8K,
        1,
        {ALLOT_PERCENT_LENIENT, ALLOT_ORDER_STRICT, ALLOT_DECIMALS_ROUNDED, ALLOT_UNITS_KEEP}};
    const char *a = (const char *)data, *end = n ? memchr(a, '\n', n) : NULL;
    if (!end) return 0;
    const char *b = end + 1;
    size_t na = (size_t)(end - a), nb = n - na - 1;
    char form[ALLOT_ANSWER_MAX + 1];
    size_t m = allot_canonical(a, na, form, sizeof form);
    assert(m == strlen(form));
    assert(allot_answers_equal(a, na, a, na, NULL) == (m > 0));
    assert((allot_answer_kind_of(a, na) == ALLOT_KIND_NONE) == (m == 0));
    (void)allot_answers_equal(a, na, b, nb, NULL);
    (void)allot_answers_equal(a, na, b, nb, &lenient);
    return 0;
}
