/* SPDX-License-Identifier: Apache-2.0 */
/* The table of methods, the parser and printer of their text form, and the id of a set. */
#include "strategy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "utf8.h"

static const allot_method_row methods[ALLOT_N_METHODS] = {
    [ALLOT_SINGLE] = {.name = "single",
                      .kind = ALLOT_POOLED,
                      .place_default = 0,
                      .place_paper = ALLOT_PLACE_NONE,
                      .example = "single"},
    [ALLOT_MAJORITY] = {.name = "majority",
                        .aliases = {"majority_vote", "self_consistency"},
                        .kind = ALLOT_POOLED,
                        .n_numbers = 1,
                        .place_default = 1,
                        .place_paper = 1,
                        .example = "majority@8"},
    [ALLOT_BON] = {.name = "bon",
                   .aliases = {"best_of_n", "naive"},
                   .kind = ALLOT_POOLED,
                   .needs_scores = 1,
                   .n_numbers = 1,
                   .options = ALLOT_TAKES_AGG,
                   .place_default = 2,
                   .place_paper = 2,
                   .example = "bon@8"},
    [ALLOT_WEIGHTED] = {.name = "weighted",
                        .aliases = {"weighted_best_of_n"},
                        .kind = ALLOT_POOLED,
                        .needs_scores = 1,
                        .n_numbers = 1,
                        .options = ALLOT_TAKES_AGG,
                        .place_default = 3,
                        .place_paper = 3,
                        .example = "weighted@8"},
    [ALLOT_BEAM] = {.name = "beam",
                    .aliases = {"beam_search"},
                    .kind = ALLOT_SEARCH,
                    .needs_scores = 1,
                    .n_numbers = 3,
                    .options = ALLOT_TAKES_AGG | ALLOT_TAKES_FINAL,
                    .place_default = 4,
                    .place_paper = 0,
                    .example = "beam@8x4x20"},
    [ALLOT_DVTS] = {.name = "dvts",
                    .aliases = {"diverse_verifier_tree_search"},
                    .kind = ALLOT_SEARCH,
                    .needs_scores = 1,
                    .n_numbers = 3,
                    .n_by_width = 1,
                    .options = ALLOT_TAKES_AGG | ALLOT_TAKES_FINAL,
                    .place_default = 5,
                    .place_paper = ALLOT_PLACE_NONE,
                    .example = "dvts@8x4x20"},
    [ALLOT_NAMED] = {.name = "named",
                     .kind = ALLOT_ELSEWHERE,
                     .options = ALLOT_TAKES_NAME,
                     .place_default = ALLOT_PLACE_EACH,
                     .place_paper = ALLOT_PLACE_NONE,
                     .example = "named:\"any text\""},
};

static const char *const agg_names[] = {"last", "min", "prod", "mean"};
static const char *const final_names[] = {"best", "vote"};

const allot_method_row *allot_method_of(allot_method m)
{
    return &methods[m];
}

allot_method_kind allot_strategy_kind(const allot_strategy *s)
{
    return methods[s->method].kind;
}

int allot_strategy_uses_prm(const allot_strategy *s)
{
    return methods[s->method].needs_scores;
}

allot_strategy allot_strategy_source(const allot_strategy *s)
{
    allot_strategy source = *s;
    source.final = ALLOT_FINAL_BEST;
    return source;
}

const char *allot_method_name(allot_method m)
{
    return methods[m].name;
}

static int is_word(const char *word, const char *text, size_t n)
{
    return strlen(word) == n && memcmp(word, text, n) == 0;
}

static int find_method(const char *text, size_t n)
{
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        if (methods[m].options & ALLOT_TAKES_NAME) continue; /* its text has another form */
        if (is_word(methods[m].name, text, n)) return m;
        for (int a = 0; methods[m].aliases[a]; a++)
            if (is_word(methods[m].aliases[a], text, n)) return m;
    }
    return -1;
}

/* The method of a text 'method:"..."', or -1. */
static int find_naming(const char *text)
{
    size_t n = strcspn(text, ":");
    for (int m = 0; text[n] && m < ALLOT_N_METHODS; m++)
        if ((methods[m].options & ALLOT_TAKES_NAME) && is_word(methods[m].name, text, n)) return m;
    return -1;
}

static allot_code unknown_method(const char *text, size_t n, allot_err *err)
{
    char names[128] = "";
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s%s",
                 m == 0                    ? ""
                 : m + 1 < ALLOT_N_METHODS ? ", "
                                           : " and ",
                 methods[m].name);
    }
    return allot_fail(err, ALLOT_EINPUT, "strategy '%s': unknown method '%.*s' (there are %s)",
                      text, (int)n, text, names);
}

static int find_word(const char *const *words, int n_words, const char *text, size_t n)
{
    for (int i = 0; i < n_words; i++)
        if (is_word(words[i], text, n)) return i;
    return -1;
}

/* Reads digits without sign, blank or leading zero, so that a number has one spelling. */
static allot_code read_number(const char **p, const char *text, const char *what, int max, int *out,
                              allot_err *err)
{
    const char *at = *p;
    long value = 0;
    for (; *at >= '0' && *at <= '9' && value <= max; at++)
        value = value * 10 + (*at - '0');
    if (at == *p || **p == '0' || value > max)
        return allot_fail(err, ALLOT_EINPUT,
                          "strategy '%s': %s must be a number from 1 to %d without sign or leading "
                          "zero",
                          text, what, max);
    *p = at;
    *out = (int)value;
    return ALLOT_OK;
}

static allot_code read_numbers(const char **p, const char *text, allot_strategy *s, allot_err *err)
{
    static const char *const what[] = {"N", "the beam width M", "the depth D"};
    const int max[] = {ALLOT_MAX_N, ALLOT_MAX_N, ALLOT_MAX_DEPTH};
    int *const to[] = {&s->n, &s->width, &s->depth};
    const allot_method_row *row = &methods[s->method];
    for (int i = 0; i < row->n_numbers; i++) {
        if (**p != (i == 0 ? '@' : 'x'))
            return allot_fail(err, ALLOT_EINPUT, "strategy '%s': %s is missing (example: %s)", text,
                              what[i], row->example);
        (*p)++;
        allot_code code = read_number(p, text, what[i], max[i], to[i], err);
        if (code) return code;
    }
    if (row->n_by_width && s->n % s->width != 0) {
        int more = (s->n / s->width + 1) * s->width, less = more - s->width;
        return allot_fail(err, ALLOT_EINPUT,
                          "strategy '%s': N must be a multiple of M, as %s@%dx%dx%d is", text,
                          row->name, more > ALLOT_MAX_N ? less : more, s->width, s->depth);
    }
    return ALLOT_OK;
}

/* One key=value behind a ';'. seen: ALLOT_TAKES_... bits of the keys read so far. */
static allot_code read_option(const char **p, const char *text, allot_strategy *s, int *seen,
                              allot_err *err)
{
    size_t n_key = strcspn(*p, "=;");
    const char *key = *p, *value = key + n_key + 1;
    if (key[n_key] != '=')
        return allot_fail(err, ALLOT_EINPUT, "strategy '%s': '%.*s' is not key=value", text,
                          (int)n_key, key);
    int bit = is_word("agg", key, n_key)     ? ALLOT_TAKES_AGG
              : is_word("final", key, n_key) ? ALLOT_TAKES_FINAL
                                             : 0;
    if (!bit)
        return allot_fail(err, ALLOT_EINPUT,
                          "strategy '%s': unknown key '%.*s' (there are agg and "
                          "final)",
                          text, (int)n_key, key);
    if (!(methods[s->method].options & bit))
        return allot_fail(err, ALLOT_EINPUT, "strategy '%s': %s has no key '%.*s'", text,
                          methods[s->method].name, (int)n_key, key);
    if (*seen & bit)
        return allot_fail(err, ALLOT_EINPUT, "strategy '%s': key '%.*s' occurs twice", text,
                          (int)n_key, key);
    *seen |= bit;
    size_t n_value = strcspn(value, ";");
    int found = bit == ALLOT_TAKES_AGG ? find_word(agg_names, 4, value, n_value)
                                       : find_word(final_names, 2, value, n_value);
    if (found < 0)
        return allot_fail(err, ALLOT_EINPUT,
                          "strategy '%s': unknown value '%.*s' of %.*s (there "
                          "are %s)",
                          text, (int)n_value, value, (int)n_key, key,
                          bit == ALLOT_TAKES_AGG ? "last, min, prod, mean" : "best, vote");
    if (bit == ALLOT_TAKES_AGG) s->agg = (allot_agg)found;
    else s->final = (allot_final)found;
    *p = value + n_value;
    return ALLOT_OK;
}

static allot_code read_name(const char *p, const char *text, allot_strategy *s, allot_err *err)
{
    size_t n = strlen(p);
    if (n < 3 || p[0] != '"' || p[n - 1] != '"')
        return allot_fail(err, ALLOT_EINPUT,
                          "strategy '%s': a name in double quotes must follow (example: %s)", text,
                          methods[s->method].example);
    memcpy(s->name, p + 1, n - 2);
    s->name[n - 2] = '\0';
    for (const char *c = s->name; *c;) {
        int bytes = allot_utf8_length(c, strlen(c));
        if (!bytes || (unsigned char)*c < 0x20 || *c == 0x7f || *c == '"' || *c == '\\')
            return allot_fail(err, ALLOT_EINPUT,
                              "strategy '%s': the name must be UTF-8 without "
                              "quotes, backslashes and control characters",
                              text);
        c += bytes;
    }
    return ALLOT_OK;
}

static allot_code parse_into(const char *text, allot_strategy *s, allot_err *err)
{
    int method = find_naming(text);
    if (method >= 0) {
        s->method = (allot_method)method;
        return read_name(text + strlen(methods[method].name) + 1, text, s, err);
    }
    size_t n = strcspn(text, "@;");
    method = find_method(text, n);
    if (method < 0) return unknown_method(text, n, err);
    s->method = (allot_method)method;
    const char *p = text + n;
    allot_code code = read_numbers(&p, text, s, err);
    for (int seen = 0; !code && *p == ';';) {
        p++;
        code = read_option(&p, text, s, &seen, err);
    }
    if (!code && *p)
        code = allot_fail(err, ALLOT_EINPUT, "strategy '%s': '%s' is too much (example: %s)", text,
                          p, methods[method].example);
    return code;
}

allot_code allot_strategy_parse(const char *text, allot_strategy *out, allot_err *err)
{
    allot_strategy s = {.n = 1, .width = 1, .depth = 1};
    if (strnlen(text, ALLOT_STRATEGY_TEXT) == ALLOT_STRATEGY_TEXT)
        return allot_fail(err, ALLOT_EINPUT, "strategy '%.40s...' is longer than %d bytes", text,
                          ALLOT_STRATEGY_TEXT - 1);
    allot_code code = parse_into(text, &s, err);
    if (!code) *out = s;
    return code;
}

void allot_strategy_print(const allot_strategy *s, char out[ALLOT_STRATEGY_TEXT])
{
    const allot_method_row *row = &methods[s->method];
    if (row->options & ALLOT_TAKES_NAME) {
        snprintf(out, ALLOT_STRATEGY_TEXT, "%s:\"%s\"", row->name, s->name);
        return;
    }
    char numbers[48] = "";
    if (row->n_numbers == 1) snprintf(numbers, sizeof numbers, "@%d", s->n);
    if (row->n_numbers == 3)
        snprintf(numbers, sizeof numbers, "@%dx%dx%d", s->n, s->width, s->depth);
    snprintf(out, ALLOT_STRATEGY_TEXT, "%s%s%s%s%s%s", row->name, numbers, s->agg ? ";agg=" : "",
             s->agg ? agg_names[s->agg] : "", s->final ? ";final=" : "",
             s->final ? final_names[s->final] : "");
}

int allot_strategy_same(const allot_strategy *a, const allot_strategy *b)
{
    return a->method == b->method && a->n == b->n && a->width == b->width && a->depth == b->depth &&
           a->agg == b->agg && a->final == b->final && strcmp(a->name, b->name) == 0;
}

int allot_strategies_find(const allot_strategies *set, const allot_strategy *s)
{
    for (int i = 0; i < set->count; i++)
        if (allot_strategy_same(&set->at[i], s)) return i;
    return -1;
}

int allot_strategies_find_source(const allot_strategies *set, const allot_strategy *s)
{
    const allot_strategy source = allot_strategy_source(s);
    int found = allot_strategies_find(set, s);
    for (int i = 0; found < 0 && i < set->count; i++) {
        const allot_strategy other = allot_strategy_source(&set->at[i]);
        if (allot_strategy_same(&source, &other)) found = i;
    }
    return found;
}

int allot_strategies_use(const allot_strategies *set, allot_method m)
{
    for (int i = 0; i < set->count; i++)
        if (set->at[i].method == m) return 1;
    return 0;
}

allot_code allot_strategies_add(allot_strategies *set, const allot_strategy *s, allot_err *err)
{
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(s, text);
    if (allot_strategies_find(set, s) >= 0)
        return allot_fail(err, ALLOT_EINPUT, "strategy '%s' occurs twice", text);
    if (set->count >= ALLOT_MAX_STRATEGIES)
        return allot_fail(err, ALLOT_EINPUT,
                          "strategy '%s' is one too many: a set holds at most "
                          "%d",
                          text, ALLOT_MAX_STRATEGIES);
    allot_strategy *at = realloc(set->at, ((size_t)set->count + 1) * sizeof *at);
    if (!at) return allot_fail(err, ALLOT_ERUNTIME, "out of memory for strategy '%s'", text);
    at[set->count++] = *s;
    set->at = at;
    return ALLOT_OK;
}

void allot_strategies_clear(allot_strategies *set)
{
    free(set->at);
    *set = (allot_strategies){0};
}

uint64_t allot_fnv1a(uint64_t state, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++)
        state = (state ^ b[i]) * UINT64_C(0x100000001b3);
    return state;
}

uint64_t allot_strategies_id(const allot_strategies *set)
{
    uint64_t id = ALLOT_FNV_START;
    for (int i = 0; i < set->count; i++) {
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&set->at[i], text);
        if (i > 0) id = allot_fnv1a(id, "\n", 1);
        id = allot_fnv1a(id, text, strlen(text));
    }
    return id;
}
