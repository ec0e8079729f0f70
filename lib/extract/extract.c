/* SPDX-License-Identifier: Apache-2.0 */
/* extract.c - where the answer stands in a text. One pass from the end for boxes, one for phrases:
 * linear in the text, whatever it holds. */
#include "lib/extract/extract.h"
#include <ctype.h>
#include <string.h>
#include "lib/extract/announce.h"
#include "lib/extract/lastformula.h"
#include "lib/extract/lastvalue.h"

void allot_grade_defaults(allot_grade_options *o)
{
    *o = (allot_grade_options){0};
}

/* BOX_OPEN: boxes begin, but none closes. */
typedef enum { BOX_NONE, BOX_OPEN, BOX_EMPTY, BOX_FOUND } box_found;

/* The inside of the braces that open at text[at]; open if they never close. A backslash takes the
 * next character with it, so \{ and \} do not count. */
static box_found braces(const char *text, size_t n, size_t at, const char **start, size_t *len)
{
    int depth = 0;
    for (size_t i = at; i < n; i++) {
        if (text[i] == '\\') {
            i++;
        } else if (text[i] == '{') {
            depth++;
        } else if (text[i] == '}' && --depth == 0) {
            *start = text + at + 1;
            *len = i - at - 1;
            allot_trim_blanks(start, len);
            return *len > 0 ? BOX_FOUND : BOX_EMPTY;
        }
    }
    return BOX_OPEN;
}

/* What the command at text[at] boxes: braces, or digits as in \boxed 5. A string that takes \b for
 * a backspace is read, too. */
static box_found boxed_at(const char *text, size_t n, size_t at, const char **start, size_t *len)
{
    static const char *const names[] = {"\\boxed", "\\fbox", "\\framebox", "\\box", "\x08oxed"};
    int k = 0;
    while (k < 5 && (n - at < strlen(names[k]) || memcmp(text + at, names[k], strlen(names[k]))))
        k++;
    if (k == 5) return BOX_NONE;
    at += strlen(names[k]);
    while (at < n && text[at] == ' ')
        at++;
    if (at < n && text[at] == '{') return braces(text, n, at, start, len);
    *start = text + at;
    while (at < n && isdigit((unsigned char)text[at]))
        at++;
    *len = (size_t)(text + at - *start);
    return *len > 0 ? BOX_FOUND : BOX_NONE;
}

/* The last box that closes. Each that does not costs a scan to the end, so after a few of them the
 * text is not a solution. */
static box_found last_box(const char *text, size_t n, const char **start, size_t *len)
{
    int failures = 0;
    for (size_t i = n; i-- > 0 && failures < 64;) {
        if (n - i < 5 || !(text[i] == '\\' ? strchr("bf", text[i + 1]) != NULL
                                           : text[i] == '\b' && text[i + 1] == 'o'))
            continue;
        box_found box = boxed_at(text, n, i, start, len);
        if (box > BOX_OPEN) return box;
        failures += box == BOX_OPEN;
    }
    return failures ? BOX_OPEN : BOX_NONE;
}

/* Between two boxes of one answer: "and", "or", a comma, \quad, "apples and"; no sentence, no "and
 * then", "corrected to". A reference does not correct itself: there, nothing at all will do. */
static int joins(const char *gap, size_t n, int reference)
{
    int letters = 0, comma = 0, joint = 0;
    if (n == 0) return reference;
    if (n > 40) return 0;
    for (size_t i = 0, run; i < n; i += run ? run : 1) {
        if (strchr(".=:;", gap[i])) return 0;
        for (run = 0; i + run < n && isalpha((unsigned char)gap[i + run]);)
            run++;
        int blank = i > 0 && gap[i - 1] == '\\' &&
                    (allot_matches(gap + i, run, "quad") || allot_matches(gap + i, run, "qquad"));
        letters |= run > 0 && !blank;
        comma |= gap[i] == ',' || blank;
        if (run > 0 && !blank)
            joint = (run == 3 && memcmp(gap + i, "and", 3) == 0) ||
                    (run == 2 && memcmp(gap + i, "or", 2) == 0);
    }
    return letters ? joint : comma;
}

/* The command whose argument is `inside`. */
static const char *command_of(const char *text, const char *inside)
{
    do
        inside--;
    while (inside > text && *inside != '\\' && *inside != '\b');
    return inside;
}

/* "\boxed{1} and \boxed{2}" is one answer: the span then holds the boxes. */
static void join_boxes(const char *text, size_t n_text, int reference, const char **start,
                       size_t *len)
{
    const char *first = *start, *end = *start + *len;
    while (end < text + n_text && isspace((unsigned char)*end))
        end++;
    if (end == text + n_text || *end != '}') return; /* \boxed 5 */
    first = command_of(text, first);
    int joined = 0;
    for (; joined < 16; joined++) {
        const char *before;
        size_t n;
        if (last_box(text, (size_t)(first - text), &before, &n) != BOX_FOUND) break;
        const char *gap = before + n;
        while (gap < first && *gap != '}')
            gap++;
        if (gap >= first || !joins(gap + 1, (size_t)(first - gap - 1), reference)) break;
        first = command_of(text, before);
    }
    if (!joined) return;
    *start = first;
    *len = (size_t)(end + 1 - first);
}

static const char *last_of(const char *text, size_t n, const char *word)
{
    size_t m = strlen(word);
    while (n >= m) {
        const char *at = memrchr(text, *word, n - m + 1);
        if (!at || memcmp(at, word, m) == 0) return at;
        n = (size_t)(at - text) + m - 1;
    }
    return NULL;
}

/* What a chat template puts between turns. */
static const char *const turns[] = {
    "<|im_end|>",          "<|im_start|>",
    "<|eot_id|>",          "<|endoftext|>",
    "<|return|>",          "<|end|>",
    "<|end_of_text|>",     "<end_of_turn>",
    "<start_of_turn>",     "</s>",
    "<|start_header_id|>", "<eos>",
    "<|eom_id|>",          "<\xef\xbd\x9c\x65nd\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>"};

/* The answer ends with its turn; what stands before it is the question's, if the model repeats it.
 */
static void keep_one_turn(const char **text, size_t *n)
{
    static const char *const own[] = {"<|im_start|>assistant", "<|channel|>final<|message|>"};
    const char *end = *text + *n;
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) {
        const char *at = last_of(*text, *n, own[k]);
        if (at) *text = at + strlen(own[k]);
        *n = (size_t)(end - *text);
    }
    int seen = 0;
    for (size_t i = 0; i < *n; i++) {
        seen |= !isspace((unsigned char)(*text)[i]) && (*text)[i] != '<';
        if ((*text)[i] != '<' || !seen) continue;
        for (size_t k = 0; k < sizeof turns / sizeof *turns; k++)
            if (allot_matches(*text + i, *n - i, turns[k])) *n = i;
    }
}

/* Thoughts are no answer: what stands behind the last </think>, and before a <think> that is never
 * closed, unless an <answer> follows. */
static void skip_thoughts(const char **text, size_t *n)
{
    const char *end = *text + *n, *close = last_of(*text, *n, "</think>");
    if (close) *text = close + strlen("</think>");
    *n = (size_t)(end - *text);
    const char *open = last_of(*text, *n, "<think>");
    const char *answer = open ? last_of(open, (size_t)(*text + *n - open), "<answer>") : NULL;
    if (answer) {
        *n -= (size_t)(answer - *text);
        *text = answer;
    } else if (open) {
        *n = (size_t)(open - *text);
    }
}

/* "B", "(B)", "\text{B) 12}", "\boxed{A} and ...": a choice, not a formula. */
static int begins_with_letter(const char *s, size_t n)
{
    size_t at = 0;
    if (n > 1 && *s == '\\')
        for (at = 1; at < n && isalpha((unsigned char)s[at]);)
            at++;
    if (at > 0 && (at == n || s[at] != '{')) return 0; /* \langle H */
    while (at < n && strchr("{( ", s[at]))
        at++;
    return at < n && s[at] >= 'A' && s[at] <= 'J' &&
           (at + 1 == n || !isalnum((unsigned char)s[at + 1]));
}

/* "Final Answer: The final answer is 5. I hope it is correct.", the ending that Minerva's prompt
 * asks for, behind the last box: the answer, whatever boxes the reasoning holds. */
static int minerva_ending(const char *text, size_t n, const char **start, size_t *len)
{
    const char *end = last_of(text, n, "I hope it is correct"), *box = last_of(text, n, "\\boxed");
    if (!end || (box && box > end)) return 0;
    const char *from = box ? box : text;
    size_t m = (size_t)(end - from);
    const char *phrase = last_of(from, m, "inal answer is");
    return phrase && allot_after_phrase(phrase, (size_t)(end - phrase), start, len) && *len > 0;
}

static allot_extract_how find(const char *text, size_t n, const allot_grade_options *o,
                              const char **start, size_t *len)
{
    if (o->extract != ALLOT_PRESET_BOXED && minerva_ending(text, n, start, len))
        return ALLOT_EXTRACT_PHRASE;
    box_found box = last_box(text, n, start, len);
    if (box == BOX_EMPTY || box == BOX_OPEN) return ALLOT_EXTRACT_NONE;
    if (box == BOX_FOUND) {
        join_boxes(text, n, 0, start, len);
        if (o->extract != ALLOT_PRESET_CHOICE) return ALLOT_EXTRACT_BOXED;
        const char *letter; /* named behind the box, which holds a formula, or an earlier guess */
        size_t n_letter, behind = (size_t)(*start + *len - text);
        if (!allot_after_phrase(text + behind, n - behind, &letter, &n_letter) ||
            !begins_with_letter(letter, n_letter))
            return ALLOT_EXTRACT_BOXED;
        *start = letter;
        *len = n_letter;
        return ALLOT_EXTRACT_PHRASE;
    }
    if (o->extract == ALLOT_PRESET_BOXED) return ALLOT_EXTRACT_NONE;
    if (allot_after_phrase(text, n, start, len)) return ALLOT_EXTRACT_PHRASE;
    if (o->extract == ALLOT_PRESET_CHOICE && allot_last_choice(text, n, start, len))
        return ALLOT_EXTRACT_CHOICE;
    if ((o->last_number || o->extract == ALLOT_PRESET_GSM8K) &&
        allot_last_value(text, n, start, len))
        return ALLOT_EXTRACT_LAST_NUMBER;
    return ALLOT_EXTRACT_NONE;
}

allot_extract_how allot_extract(const char *text, size_t n, const allot_grade_options *o,
                                const char **start, size_t *len)
{
    keep_one_turn(&text, &n);
    skip_thoughts(&text, &n);
    allot_extract_how how = find(text, n, o, start, len);
    return how != ALLOT_EXTRACT_NONE && *len > ALLOT_ANSWER_MAX ? ALLOT_EXTRACT_NONE : how;
}

/* A reference whose box was cut off is read to its end. */
static void skip_open_box(const char **start, size_t *len)
{
    size_t slashes = 0;
    while (slashes < *len && (*start)[slashes] == '\\')
        slashes++;
    if (!slashes || *len - slashes < 7 || memcmp(*start + slashes, "boxed{", 6) != 0) return;
    *start += slashes + 6;
    *len -= slashes + 6;
}

/* "#### 5", "Therefore, $x = 5$.": a reference in words, which end with its only formula, or
 * announce it. */
static void skip_words(const char **start, size_t *len)
{
    const char *at;
    size_t n;
    if (*len > 0 && strchr("*`", **start)) allot_undress(start, len);
    if (allot_after_phrase(*start, *len, &at, &n)) {
        *start = at;
        *len = n;
    } else if (*len > 0 && isalpha((unsigned char)**start) &&
               allot_last_formula(*start, *len, &at, &n) && at + n + 4 > *start + *len) {
        const char *first = memchr(*start, '$', *len);
        if (!first) first = memmem(*start, *len, "\\(", 2);
        if (!first || first + 2 < at || first == *start) return;
        *start = at;
        *len = n;
    }
}

int allot_reference(const char *answer, size_t n_answer, const char *solution, size_t n_solution,
                    const char **start, size_t *len)
{
    char form[ALLOT_ANSWER_MAX + 1];
    if (last_box(answer, n_answer, start, len) == BOX_FOUND) {
        join_boxes(answer, n_answer, 1, start, len);
    } else {
        *start = answer;
        *len = n_answer;
        allot_trim_blanks(start, len);
        skip_open_box(start, len);
        skip_words(start, len);
        if (*len == 0) {
            if (last_box(solution, n_solution, start, len) != BOX_FOUND) return 0;
            join_boxes(solution, n_solution, 1, start, len);
        }
    }
    return allot_canonical(*start, *len, form, sizeof form) > 0;
}
