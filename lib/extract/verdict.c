/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c - "true", "false", "yes" and "no" where a text says them as its answer. */
#include "lib/extract/verdict.h"
#include <ctype.h>
#include <string.h>
#include "lib/extract/announce.h"

static int has_digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isdigit((unsigned char)s[i])) return 1;
    return 0;
}

/* "Yes, because 5 > 3", "No, it is not", "True, since 2 + 2 = 4". */
static int answers_yes(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const words[] = {"yes,", "no,", "true", "false"};
    size_t k = 0;
    while (k < 4 && !allot_matches(text, n, words[k]))
        k++;
    if (k == 4) return 0;
    *start = text;
    *len = strlen(words[k]) - (k < 2);
    if (k < 2) return !has_digits(text, n) || allot_sentence_end(text, n, 0) == *len;
    return *len == n || strchr(".,;:!*\n", text[*len]) ||
           allot_matches(text + *len, n - *len, " because ") ||
           allot_matches(text + *len, n - *len, " since ") ||
           allot_matches(text + *len, n - *len, " - ");
}

/* "After all, true.": a last word; not "is not true", "true or false". */
static int ends_with_verdict(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const words[] = {", true",  ": true",  " so true",
                                        ", false", ": false", " so false"};
    while (n > 0 && strchr(".!* \n", text[n - 1]))
        n--;
    for (size_t k = 0; k < 6; k++) {
        size_t m = strlen(words[k]);
        if (n < m || !allot_matches(text + n - m, m, words[k])) continue;
        *len = k < 3 ? 4 : 5;
        *start = text + n - *len;
        return 1;
    }
    return 0;
}

/* Is this word, behind adverbs, at text[from], and the end of what is said there? */
static int states(const char *text, size_t n, size_t from, const char *word, int bold,
                  const char **start, size_t *len)
{
    static const char *const adverbs[] = {"definitely ", "certainly ", "clearly ", "indeed ",
                                          "actually "};
    enum { NEAR = 32 };
    for (size_t i = 0; i < sizeof adverbs / sizeof *adverbs; i++)
        if (allot_matches(text + from, n - from, adverbs[i])) from += strlen(adverbs[i]);
    if (!allot_matches(text + from, n - from, word)) return 0;
    *start = text + from;
    *len = strlen(word);
    size_t near = from + *len + NEAR, end = allot_sentence_end(text, near < n ? near : n, from);
    return end == from + *len || (bold && end == from + *len + 2);
}

int allot_verdict(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const verbs[] = {"is ", "'s ", "is **"}, *const words[] = {"true", "false"};
    for (size_t at = 0; at < n && !isdigit((unsigned char)text[at]); at++)
        for (size_t k = 0; k < 6; k++)
            if (allot_matches(text + at, n - at, verbs[k / 2]) &&
                states(text, n, at + strlen(verbs[k / 2]), words[k % 2], k > 3, start, len))
                return 1;
    return answers_yes(text, n, start, len) || ends_with_verdict(text, n, start, len);
}
