/* SPDX-License-Identifier: Apache-2.0 */
/* answers.c - compares a prediction with the reference where the prediction may be a sentence,
 * whose answer must be found first. */
#include <ctype.h>
#include <string.h>
#include "lib/extract/extract.h"

enum { MOST_SENTENCES = 3 }; /* inside each other */

/* A prediction of four words or more, or with "answer" or "is", is a sentence: its answer is taken
 * out of it. */
static int is_sentence(const char *s, size_t n)
{
    int words = 0;
    if (memmem(s, n, "answer", 6) || memmem(s, n, "Answer", 6) || memmem(s, n, " is ", 4)) return 1;
    for (size_t i = 0, run = 0; i < n && words < 4; i++) {
        int letter = isalpha((unsigned char)s[i]) || s[i] == '\'';
        if (letter) run++;
        else {
            words += run >= 2 && (s[i] == ' ' || s[i] == ',');
            run = 0;
        }
        if (s[i] == '\\')
            while (i + 1 < n && isalpha((unsigned char)s[i + 1]))
                i++;
    }
    return words >= 4;
}

static int compare(const char *reference, size_t n_ref, const char *prediction, size_t n_pred,
                   const allot_grade_options *o, allot_explanation *out)
{
    static const allot_grade_options defaults;
    if (!o) o = &defaults;
    for (int sentences = 0;; sentences++) {
        const char *start;
        size_t len;
        int equal = allot_grade_equal(reference, n_ref, prediction, n_pred, &o->policies,
                                      sentences > 0, out);
        if (equal) return equal > 0;
        if (sentences == MOST_SENTENCES || !is_sentence(prediction, n_pred) ||
            allot_extract(prediction, n_pred, o, &start, &len) == ALLOT_EXTRACT_NONE ||
            len >= n_pred)
            return 0;
        prediction = start;
        n_pred = len;
    }
}

int allot_answers_equal(const char *reference, size_t n_ref, const char *prediction, size_t n_pred,
                        const allot_grade_options *o)
{
    return compare(reference, n_ref, prediction, n_pred, o, NULL);
}

void allot_answers_explain(const char *reference, size_t n_ref, const char *prediction,
                           size_t n_pred, const allot_grade_options *o, allot_explanation *out)
{
    (void)compare(reference, n_ref, prediction, n_pred, o, out);
}
