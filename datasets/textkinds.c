/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for words and clauses that ask for a proof, and for lists of labelled choices. */
#include "datasets/textkinds.h"
#include <ctype.h>
#include <string.h>

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Words with one blank between them; any white space stands for it. */
static int is_phrase(const char *text, size_t n, size_t i, const char *phrase)
{
    size_t k = 0, m = strlen(phrase);
    if (i + m > n) return 0;
    while (k < m && (phrase[k] == ' ' ? isspace((unsigned char)text[i + k])
                                      : tolower((unsigned char)text[i + k]) == phrase[k]))
        k++;
    return k == m && (i == 0 || !is_word(text[i - 1])) && (i + m == n || !is_word(text[i + m]));
}

/* Who "needs to show that he received 80" proves nothing: a task begins a sentence or a clause. */
static int begins_clause(const char *text, size_t i)
{
    size_t end = i;
    while (end > 0 && isspace((unsigned char)text[end - 1]))
        end--;
    return isupper((unsigned char)text[i]) || end == 0 || !is_word(text[end - 1]) ||
           (end >= 3 && is_phrase(text, end, end - 3, "and")) ||
           (end >= 4 && is_phrase(text, end, end - 4, "then"));
}

int allot_text_is_proof(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_phrase(text, n, i, "prove") || is_phrase(text, n, i, "disprove")) return 1;
        if ((is_phrase(text, n, i, "show that") || is_phrase(text, n, i, "demonstrate that")) &&
            begins_clause(text, i))
            return 1;
    }
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
