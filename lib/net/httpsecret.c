/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a secret in bytes however JSON spells it, and overwrites it. */
#include "lib/net/httpsecret.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SHORTEST 4
#define SHORTEST_WORD 8 /* of letters only, or one of several */
#define LOOKS_SECRET 16
#define MOST_ESCAPES 64 /* backslashes before a character, so that a text of them takes no time */

static const char HIDDEN[] = "***";
enum { HIDDEN_BYTES = sizeof HIDDEN - 1 };

/* Bytes that spell c at text: itself, behind backslashes (JSON within JSON has several), or as
 * \u00XX. 0 = it is another. */
static size_t spells_one(const char *text, size_t n, char c)
{
    size_t at = 0;
    unsigned code;
    char hex[5] = "";
    while (at < n && at < MOST_ESCAPES && text[at] == '\\')
        at++;
    if (c == '\\' || at == n) return c == '\\' ? at : 0;
    if (text[at] == c) return at + 1;
    if (at == 0 || text[at] != 'u' || n - at < 5) return 0;
    memcpy(hex, text + at + 1, 4);
    if (strspn(hex, "0123456789abcdefABCDEF") != 4) return 0;
    sscanf(hex, "%x", &code);
    return code == (unsigned char)c ? at + 5 : 0;
}

static size_t spells(const char *text, size_t n, const char *secret, size_t length)
{
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && secret[i] == '\\' && secret[i - 1] == '\\') continue;
        size_t one = spells_one(text + at, n - at, secret[i]);
        if (!one) return 0;
        at += one;
    }
    return at < HIDDEN_BYTES ? 0 : at;
}

static int is_word(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalpha((unsigned char)s[i])) return 0;
    return 1;
}

static size_t hide(const char *secret, size_t length, allot_secret_place where, char *text,
                   size_t n)
{
    size_t to = 0;
    int plain = where == ALLOT_IN_DATA && length < SHORTEST_WORD && is_word(secret, length);
    if (length < SHORTEST || plain) return n;
    for (size_t at = 0; at < n;) {
        int candidate = text[at] == *secret || text[at] == '\\';
        size_t found = candidate ? spells(text + at, n - at, secret, length) : 0;
        if (found) memcpy(text + to, HIDDEN, HIDDEN_BYTES);
        else text[to] = text[at];
        to += found ? HIDDEN_BYTES : 1;
        at += found ? found : 1;
    }
    text[to] = '\0';
    return to;
}

size_t allot_secret_hide(const char *secret, allot_secret_place where, char *text, size_t n)
{
    return hide(secret, strlen(secret), where, text, n);
}

static int name_tells(const char *line, const char *colon)
{
    static const char *const words[] = {"key",  "token",  "auth",    "secret", "pass",
                                        "cred", "cookie", "session", "sign"};
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)(colon - line), line);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(name, words[i])) return 1;
    return 0;
}

static int looks_secret(const char *value, size_t n)
{
    int letters = 0, digits = 0;
    for (size_t i = 0; i < n; i++) {
        letters += isalpha((unsigned char)value[i]) != 0;
        digits += isdigit((unsigned char)value[i]) != 0;
        if (strchr(" \t;,", value[i])) return 0;
    }
    return n >= LOOKS_SECRET && letters && digits;
}

size_t allot_secret_hide_header(const char *line, allot_secret_place where, char *text, size_t n)
{
    const char *colon = strchr(line, ':');
    if (!colon) return n;
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t length = strlen(value);
    while (length > 0 && strchr(" \t", value[length - 1]))
        length--;
    if (!name_tells(line, colon) && !looks_secret(value, length)) return n;
    n = hide(value, length, where, text, n);
    /* "Bearer sk-1": the key alone is one, too; of a cookie "a=b" also what is behind the sign. */
    for (const char *at = value; at < value + length;) {
        size_t word = strcspn(at, " \t;,");
        if (word > length - (size_t)(at - value)) word = length - (size_t)(at - value);
        const char *sign = memchr(at, '=', word);
        size_t rest = sign ? word - (size_t)(sign + 1 - at) : 0;
        if (word >= SHORTEST_WORD) n = hide(at, word, where, text, n);
        if (rest >= SHORTEST_WORD) n = hide(sign + 1, rest, where, text, n);
        at += word + 1;
    }
    return n;
}
