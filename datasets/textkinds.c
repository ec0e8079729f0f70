/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/textkinds.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Words with one blank between them; any white space stands for it. */
static int has_phrase(const char *text, size_t n, const char *phrase)
{
    size_t m = strlen(phrase);
    for (size_t i = 0; i + m <= n; i++) {
        size_t k = 0;
        while (k < m && (phrase[k] == ' ' ? isspace((unsigned char)text[i + k])
                                          : tolower((unsigned char)text[i + k]) == phrase[k]))
            k++;
        if (k == m && (i == 0 || !is_word(text[i - 1])) && (i + m == n || !is_word(text[i + m])))
            return 1;
    }
    return 0;
}

int allot_text_is_proof(const char *text, size_t n)
{
    static const char *const asks[] = {"prove", "disprove", "show that", "demonstrate that"};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
        if (has_phrase(text, n, asks[i])) return 1;
    return 0;
}

/* "f(A)" is a value, "(A)" an option. */
static int in_parentheses(const char *text, size_t n, size_t i)
{
    if (i == 0 || text[i - 1] != '(' || (i > 1 && is_word(text[i - 2]))) return 0;
    while (++i < n && text[i] == ' ') {
    }
    return i < n && text[i] == ')';
}

static int begins_line(const char *text, size_t n, size_t i)
{
    if (i + 1 >= n || !strchr(").:", text[i + 1])) return 0;
    while (i > 0 && (text[i - 1] == ' ' || text[i - 1] == '\t'))
        i--;
    return i == 0 || text[i - 1] == '\n';
}

/* The options A, B, C in this order, all in one manner. */
static int lists(const char *text, size_t n, int (*is_option)(const char *, size_t, size_t))
{
    char next = 'A';
    for (size_t i = 0; i < n && next <= 'C'; i++)
        if (text[i] == next && is_option(text, n, i)) next++;
    return next > 'C';
}

int allot_text_is_choice(const char *text, size_t n)
{
    return lists(text, n, in_parentheses) || lists(text, n, begins_line);
}
