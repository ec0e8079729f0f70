/* SPDX-License-Identifier: Apache-2.0 */
/* moment.c - dates and times, word by word: each word or number fills what is not said yet. */
#include "lib/grade/moment.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 48, MAX_TOKENS = 12 };

typedef struct {
    int number; /* -1 of a word */
    int digits;
    char word[12]; /* in lower case */
    char behind;   /* the sign that follows at once */
} token;

static const char *const months[] = {"january",   "february", "march",    "april",
                                     "may",       "june",     "july",     "august",
                                     "september", "october",  "november", "december"};
static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
                                   "friday", "saturday", "sunday"};

/* A whole name, or its first three letters or more, with the full stop left out. */
static int named(const char *word, const char *const *names, int n)
{
    size_t m = strlen(word);
    for (int k = 0; m >= 3 && k < n; k++)
        if (strncmp(word, names[k], m) == 0) return k;
    return -1;
}

/* Behind TeX's command at s[at], \, and \$ included; 0 if it is no dress. */
static size_t past_command(const char *s, size_t n, size_t at)
{
    size_t from = ++at;
    while (at < n && isalpha((unsigned char)s[at]))
        at++;
    if (at - from > 6) return 0;
    return at + (at == from);
}

/* Reads digits or letters from s[at] on; returns behind them. */
static size_t read_token(const char *s, size_t n, size_t at, token *out)
{
    token t = {.number = -1};
    size_t m = 0;
    int digit = isdigit((unsigned char)s[at]) != 0;
    while (at < n && m + 1 < sizeof t.word && isalnum((unsigned char)s[at]) &&
           (isdigit((unsigned char)s[at]) != 0) == digit)
        t.word[m++] = (char)tolower((unsigned char)s[at++]);
    if (!digit && m == 1 && at + 1 < n && s[at] == '.' &&
        tolower((unsigned char)s[at + 1]) == 'm') {
        t.word[m++] = 'm'; /* p.m. */
        at += 2;
    }
    t.behind = at < n ? s[at] : '\0';
    t.digits = digit ? (int)m : 0;
    if (digit && m <= 4) t.number = atoi(t.word);
    *out = t;
    return at;
}

/* The text in words and numbers; TeX's dress and blanks are left out. 0 if there is more. */
static int tokens_of(const char *s, size_t n, token *out)
{
    int count = 0;
    for (size_t i = 0; i < n;) {
        if (s[i] == '\\') {
            i = past_command(s, n, i);
            if (i == 0) return 0;
        } else if (isalnum((unsigned char)s[i])) {
            if (count == MAX_TOKENS) return 0;
            i = read_token(s, n, i, &out[count]);
            if (out[count].digits && out[count].number < 0) return 0;
            count++;
        } else if (strchr(" ,.{}$~:-\n", s[i])) {
            i++;
        } else {
            return 0;
        }
    }
    return count;
}

static int read_time(const token *t, int n, allot_moment *out)
{
    int used = 1;
    if (t->number < 0 || t->digits > 2 || t->number > 24) return 0;
    out->hour = t->number;
    out->minute = out->second = 0;
    if (t->behind == ':') {
        if (n < 2 || t[1].digits != 2 || t[1].number > 59) return 0;
        out->minute = t[1].number;
        used = 2;
        if (t[1].behind == ':' && n > 2 && t[2].digits == 2 && t[2].number < 60) {
            out->second = t[2].number;
            used = 3;
        }
    }
    const char *word = used < n ? t[used].word : "";
    int half = strcmp(word, "am") == 0 ? 0 : strcmp(word, "pm") == 0 ? 1 : -1;
    if (half < 0 && strcmp(word, "noon") == 0 && out->hour == 12) half = 1;
    if (half < 0 && strcmp(word, "midnight") == 0 && out->hour == 12) half = 0;
    if (half >= 0) {
        out->half = half;
        out->hour = out->hour % 12 + 12 * half;
        return used + 1;
    }
    if (out->hour > 12 || out->hour == 0) out->half = out->hour >= 12 && out->hour < 24;
    return used > 1 ? used : 0;
}

/* "st", "nd", "rd" and "th" behind a day. */
static int ordinal(const token *t)
{
    static const char *const ends[] = {"st", "nd", "rd", "th"};
    for (int k = 0; k < 4; k++)
        if (strcmp(t->word, ends[k]) == 0) return 1;
    return 0;
}

static int filler(const token *t)
{
    static const char *const words[] = {"of", "at", "on", "the"};
    for (int k = 0; k < 4; k++)
        if (strcmp(t->word, words[k]) == 0) return 1;
    return t->number < 0 && named(t->word, days, 7) >= 0;
}

/* One piece of a date or time at the start of the tokens; how many it took, 0: none. */
static int read_piece(const token *t, int n, allot_moment *out)
{
    int month = t->number < 0 ? named(t->word, months, 12) : -1;
    if (filler(t)) return 1;
    int noon = strcmp(t->word, "noon") == 0;
    if (out->hour < 0 && (noon || strcmp(t->word, "midnight") == 0)) {
        out->half = noon;
        out->hour = 12 * noon;
        return 1;
    }
    if (month >= 0 && out->month < 0) {
        out->month = month + 1;
        return 1;
    }
    if (t->digits == 4 && t->behind == '-' && n > 2 && t[1].digits == 2 && t[1].behind == '-' &&
        t[2].digits == 2 && out->month < 0) {
        out->year = t->number;
        out->month = t[1].number;
        out->day = t[2].number;
        return 3;
    }
    allot_moment with_time = *out;
    int used = out->hour < 0 ? read_time(t, n, &with_time) : 0;
    if (used) {
        *out = with_time;
        return used;
    }
    if (t->digits == 4 && out->year < 0) {
        out->year = t->number;
        return 1;
    }
    if (t->digits < 1 || t->digits > 2 || out->day >= 0) return 0;
    out->day = t->number;
    return n > 1 && ordinal(t + 1) ? 2 : 1;
}

int allot_moment_read(const char *s, size_t n, allot_moment *out)
{
    token t[MAX_TOKENS];
    if (n < 3 || n > MAX_TEXT) return 0;
    int count = tokens_of(s, n, t);
    *out = (allot_moment){-1, -1, -1, -1, 0, 0, -1};
    for (int i = 0, used; i < count; i += used) {
        used = read_piece(t + i, count - i, out);
        if (!used) return 0;
    }
    int date = out->month >= 1 && out->month <= 12 && out->day >= 1 && out->day <= 31;
    if (!date && (out->month >= 0 || out->day >= 0 || out->year >= 0)) return 0;
    return date || (count > 0 && out->hour >= 0);
}

static int agree(int a, int b)
{
    return a < 0 || b < 0 || a == b;
}

int allot_moments_equal(const allot_moment *a, const allot_moment *b)
{
    if ((a->month < 0) != (b->month < 0) || (a->hour < 0) != (b->hour < 0)) return 0;
    if (a->month >= 0 && (a->month != b->month || a->day != b->day || !agree(a->year, b->year)))
        return 0;
    if (a->hour < 0) return 1;
    int unsaid = a->half < 0 || b->half < 0;
    return a->minute == b->minute && a->second == b->second &&
           (unsaid ? a->hour % 12 == b->hour % 12 : a->hour % 24 == b->hour % 24);
}
