/* SPDX-License-Identifier: Apache-2.0 */
/* Philox 4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011. */
#include "lib/core/rng.h"
#include <math.h>

static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c[0];
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t next[4] = {(uint32_t)(p1 >> 32) ^ c[1] ^ k0, (uint32_t)p1,
                            (uint32_t)(p0 >> 32) ^ c[3] ^ k1, (uint32_t)p0};
        for (int i = 0; i < 4; i++)
            c[i] = next[i];
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < 4; i++)
        out[i] = c[i];
}

/* splitmix64's finaliser: every input bit reaches every output bit. */
static uint64_t mix64(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    x ^= x >> 27;
    x *= UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

uint64_t allot_rng_mix(const uint64_t *words, int n)
{
    uint64_t h = UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)n;
    for (int i = 0; i < n; i++)
        h = mix64(h + UINT64_C(0x9E3779B97F4A7C15) + mix64(words[i]));
    return h;
}

allot_rng allot_rng_start(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t words[] = {seed, a, b, c};
    uint64_t key = allot_rng_mix(words, 4);
    /* a second hash fills the upper counter words: 128 bits tell streams apart */
    uint64_t upper = allot_rng_mix((uint64_t[]){key, c, b, a, seed}, 5);
    return (allot_rng){.key = {(uint32_t)key, (uint32_t)(key >> 32)},
                       .counter = {0, 0, (uint32_t)upper, (uint32_t)(upper >> 32)},
                       .used = 4};
}

uint32_t allot_rng_u32(allot_rng *r)
{
    if (r->used == 4) {
        philox(r->counter, r->key, r->block);
        if (++r->counter[0] == 0) r->counter[1]++;
        r->used = 0;
    }
    return r->block[r->used++];
}

uint64_t allot_rng_u64(allot_rng *r)
{
    uint64_t high = allot_rng_u32(r);
    return high << 32 | allot_rng_u32(r);
}

double allot_rng_unit(allot_rng *r)
{
    return (double)(allot_rng_u64(r) >> 11) * 0x1p-53;
}

uint64_t allot_rng_below(allot_rng *r, uint64_t n)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* a multiple of n: no bias below it */
    uint64_t x;
    do
        x = allot_rng_u64(r);
    while (x >= limit);
    return x % n;
}

double allot_rng_normal(allot_rng *r)
{
    double u = 1 - allot_rng_unit(r); /* (0, 1] */
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * allot_rng_unit(r));
}

void allot_rng_subset(allot_rng *r, int n, int k, int *scratch, int *out)
{
    for (int i = 0; i < n; i++)
        scratch[i] = i;
    for (int i = 0; i < k; i++) {
        int j = i + (int)allot_rng_below(r, (uint64_t)(n - i));
        out[i] = scratch[j];
        scratch[j] = scratch[i];
    }
}
