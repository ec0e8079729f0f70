/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures, buckets of equal bands in which pairs are compared, and groups by union and find. */
#include "datasets/minhash.h"
#include <stdlib.h>
#include <string.h>
#include "lib/core/rng.h"
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

typedef struct search {
    const allot_minhash *text, *other; /* [n], [n_other]; entries count on */
    long n, n_other;
    double threshold;
    long *out;
    void (*look)(const struct search *s, const entry *bucket, long size);
} search;

static int alike(const search *s, const entry *a, const entry *b)
{
    const allot_minhash *y = b->text < s->n ? &s->text[b->text] : &s->other[b->text - s->n];
    return allot_minhash_similarity(&s->text[a->text], y) >= s->threshold;
}

static void find_near(const search *s, const entry *bucket, long size)
{
    for (long k = 1; k < size; k++) {
        long *near = &s->out[bucket[k].text];
        for (long e = 0; e < k && e < LOOKED_AT; e++) {
            if (*near >= 0 && *near <= bucket[e].text) break;
            if (alike(s, &bucket[e], &bucket[k])) *near = bucket[e].text;
        }
    }
}

/* In a bucket the other texts stand behind. */
static void find_match(const search *s, const entry *bucket, long size)
{
    long others = 0;
    while (others < size && bucket[others].text < s->n)
        others++;
    long end = size < others + LOOKED_AT ? size : others + LOOKED_AT;
    for (long k = 0; k < others; k++)
        for (long e = others; e < end && s->out[bucket[k].text] < 0; e++)
            if (alike(s, &bucket[k], &bucket[e])) s->out[bucket[k].text] = bucket[e].text - s->n;
}

static long first_of(long *first, long i)
{
    while (first[i] != i)
        i = first[i] = first[first[i]];
    return i;
}

static void unite(const search *s, const entry *bucket, long size)
{
    for (long k = 1; k < size; k++) {
        for (long e = 0; e < k && e < LOOKED_AT; e++) {
            long i = first_of(s->out, bucket[e].text), j = first_of(s->out, bucket[k].text);
            if (i != j && alike(s, &bucket[e], &bucket[k])) s->out[i < j ? j : i] = i < j ? i : j;
        }
    }
}

static allot_code for_each_bucket(const search *s, allot_err *err)
{
    long n = s->n + s->n_other, end;
    entry *entries = allot_mem_array((size_t)n, sizeof *entries, err);
    if (!entries) return ALLOT_ERUNTIME;
    for (int b = 0; b < BANDS; b++) {
        for (long i = 0; i < n; i++) {
            const allot_minhash *m = i < s->n ? &s->text[i] : &s->other[i - s->n];
            entries[i] =
                (entry){allot_fnv1a(ALLOT_FNV_START, &m->at[b * ROWS], ROWS * sizeof(uint16_t)), i};
        }
        qsort(entries, (size_t)n, sizeof *entries, by_band);
        for (long first = 0; first < n; first = end) {
            for (end = first + 1; end < n && entries[end].band == entries[first].band;)
                end++;
            s->look(s, &entries[first], end - first);
        }
    }
    free(entries);
    return ALLOT_OK;
}

allot_code allot_minhash_near(const allot_minhash *text, long n, double threshold, long *near,
                              allot_err *err)
{
    const search s = {text, NULL, n, 0, threshold, near, find_near};
    for (long i = 0; i < n; i++)
        near[i] = -1;
    return for_each_bucket(&s, err);
}

allot_code allot_minhash_match(const allot_minhash *text, long n, const allot_minhash *other,
                               long n_other, double threshold, long *match, allot_err *err)
{
    const search s = {text, other, n, n_other, threshold, match, find_match};
    for (long i = 0; i < n; i++)
        match[i] = -1;
    return for_each_bucket(&s, err);
}

allot_code allot_minhash_groups(const allot_minhash *text, long n, double threshold, long *first,
                                allot_err *err)
{
    const search s = {text, NULL, n, 0, threshold, first, unite};
    for (long i = 0; i < n; i++)
        first[i] = i;
    allot_code rc = for_each_bucket(&s, err);
    for (long i = 0; i < n; i++)
        first[i] = first_of(first, i);
    return rc;
}
