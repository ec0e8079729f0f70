/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/minhash.h"
#include <stdlib.h>
#include <string.h>
#include "core/rng.h"
#include "liballot/mem.h"
#include "liballot/strategy.h"

enum { BANDS = 25, ROWS = ALLOT_MINHASH_N / BANDS, LOOKED_AT = 16, STREAM = 0x6d696e68 };

/* ---- signatures ---- */

/* The family of hash functions: an odd factor each, the upper half of the product. */
static uint64_t factor(int k)
{
    return allot_rng_mix((uint64_t[]){STREAM, (uint64_t)k}, 2) | 1;
}

static int is_letter(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The hash of the word at *at, which moves behind it; 0 = no more. */
static uint64_t next_word(const char **at, const char *end)
{
    const char *s = *at;
    while (s < end && !is_letter((unsigned char)*s) && !(*s && strchr("+-*/^=<>|", *s)))
        s++;
    uint64_t hash = s < end ? ALLOT_FNV_START : 0;
    if (s < end && !is_letter((unsigned char)*s)) {
        hash = allot_fnv1a(hash, s++, 1);
    } else {
        for (; s < end && is_letter((unsigned char)*s); s++) {
            char c = *s >= 'A' && *s <= 'Z' ? (char)(*s | 0x20) : *s;
            hash = allot_fnv1a(hash, &c, 1);
        }
    }
    *at = s;
    return hash;
}

static void add_run(const uint64_t *factors, const uint64_t *words, int n, uint32_t *least)
{
    uint64_t run = allot_rng_mix(words, n);
    for (int k = 0; k < ALLOT_MINHASH_N; k++) {
        uint32_t v = (uint32_t)(run * factors[k] >> 32);
        if (v < least[k]) least[k] = v;
    }
}

void allot_minhash_make(const char *text, size_t n, allot_minhash *out)
{
    const char *start = text, *end = text + n;
    uint64_t factors[ALLOT_MINHASH_N], words[ALLOT_MINHASH_WORDS], word;
    uint32_t least[ALLOT_MINHASH_N];
    int held = 0;
    long runs = 0;
    memset(least, 0xff, sizeof least);
    for (int k = 0; k < ALLOT_MINHASH_N; k++)
        factors[k] = factor(k);
    while ((word = next_word(&text, end))) {
        if (held == ALLOT_MINHASH_WORDS) memmove(words, words + 1, (size_t)--held * sizeof *words);
        words[held++] = word;
        if (held < ALLOT_MINHASH_WORDS) continue;
        add_run(factors, words, held, least);
        runs++;
    }
    if (held == 0) words[held++] = allot_fnv1a(ALLOT_FNV_START, start, n); /* signs only */
    if (runs == 0) add_run(factors, words, held, least);
    for (int k = 0; k < ALLOT_MINHASH_N; k++)
        out->at[k] = (uint16_t)least[k];
}

double allot_minhash_similarity(const allot_minhash *a, const allot_minhash *b)
{
    int same = 0;
    for (int k = 0; k < ALLOT_MINHASH_N; k++)
        same += a->at[k] == b->at[k];
    return (double)same / ALLOT_MINHASH_N;
}

/* ---- who is near whom ---- */

typedef struct {
    uint64_t band;
    long text;
} entry;

static int by_band(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->band != y->band) return x->band < y->band ? -1 : 1;
    return x->text < y->text ? -1 : x->text > y->text;
}

typedef struct {
    const allot_minhash *text;
    const uint8_t *group;
    double threshold;
    long *near;
} search;

/* The entry `last` against the first of its bucket, which begins at first. */
static void compare(const search *s, const entry *first, const entry *last)
{
    int looked = 0;
    long j = last->text;
    for (const entry *e = first; e < last && looked < LOOKED_AT; e++) {
        long i = e->text;
        if (s->group ? s->group[i] == s->group[j] : s->near[j] >= 0 && s->near[j] <= i) continue;
        looked++;
        if (allot_minhash_similarity(&s->text[i], &s->text[j]) < s->threshold) continue;
        if (s->near[j] < 0 || i < s->near[j]) s->near[j] = i;
        if (s->group && s->near[i] < 0) s->near[i] = j;
    }
}

allot_code allot_minhash_near(const allot_minhash *text, long n, const uint8_t *group,
                              double threshold, long *near, allot_err *err)
{
    const search s = {text, group, threshold, near};
    entry *entries = allot_mem_array((size_t)n, sizeof *entries, err);
    if (!entries) return ALLOT_ERUNTIME;
    for (long i = 0; i < n; i++)
        near[i] = -1;
    for (int b = 0; b < BANDS; b++) {
        for (long i = 0; i < n; i++)
            entries[i] = (entry){
                allot_fnv1a(ALLOT_FNV_START, &text[i].at[b * ROWS], ROWS * sizeof(uint16_t)), i};
        qsort(entries, (size_t)n, sizeof *entries, by_band);
        const entry *first = entries;
        for (const entry *e = entries; e < entries + n; e++) {
            if (e->band != first->band) first = e;
            compare(&s, first, e);
        }
    }
    free(entries);
    return ALLOT_OK;
}
