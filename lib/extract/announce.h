/* SPDX-License-Identifier: Apache-2.0 */
/* announce.h - answers that words announce, and where they end. Linear in the text. */
#ifndef ALLOT_ANNOUNCE_H
#define ALLOT_ANNOUNCE_H
#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* Blanks of no width, marks of direction, the mark of byte order; s has three bytes. */
static inline int allot_is_unseen(const char *s)
{
    return (memcmp(s, "\xe2\x80", 2) == 0 && (unsigned char)(s[2] - 0x8b) < 5) ||
           memcmp(s, "\xef\xbb\xbf", 3) == 0;
}

/* Takes blanks, and what is not seen, off both ends of a span; a form feed may be what is left of
 * \frac. */
static inline void allot_trim_blanks(const char **s, size_t *n)
{
    for (size_t m; *n; *s += m, *n -= m) {
        m = isspace((unsigned char)**s) && **s != '\f' ? 1 : *n > 2 && allot_is_unseen(*s) ? 3 : 0;
        if (!m) break;
    }
    for (size_t m; *n; *n -= m) {
        const char *end = *s + *n;
        m = isspace((unsigned char)end[-1]) ? 1 : *n > 2 && allot_is_unseen(end - 3) ? 3 : 0;
        if (!m) break;
    }
}

/* Does text begin with the phrase, in lower case? Case of ASCII letters does not count. */
int allot_matches(const char *text, size_t n, const char *phrase);

/* How many ASCII letters stand at text[at] in a row. */
static inline size_t allot_letters_after(const char *text, size_t n, size_t at)
{
    size_t run = 0;
    while (at + run < n && isalpha((unsigned char)text[at + run]))
        run++;
    return run;
}

/* Is this one of the words, in lower case? */
int allot_matches_one(const char *s, size_t n, const char *const *words, size_t n_words);

/* Takes blanks, stars, quotes and the signs of a formula off both ends. */
void allot_undress(const char **s, size_t *n);

/* Where an answer that begins at `from` ends: the end of its sentence or line, or where a reason
 * begins; a formula that opens there is read to its end. */
size_t allot_sentence_end(const char *text, size_t n, size_t from);

/* What follows the last "answer is", "Answer:", "####", "A:" at a line's start, a heading "Answer",
 * or the like in other languages; 0: nothing does. */
int allot_after_phrase(const char *text, size_t n, const char **start, size_t *len);

#endif
