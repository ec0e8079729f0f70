/* SPDX-License-Identifier: Apache-2.0 */
/* rng.h - a counter-based random number generator (Philox 4x32-10, Salmon et al. 2011), keyed by
 * what is drawn, so that a result does not depend on the order or number of threads. */
#ifndef ALLOT_RNG_H
#define ALLOT_RNG_H
#include <stdint.h>

typedef struct {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t block[4];
    int used; /* of block */
} allot_rng;

/* The stream of (seed, a, b, c). */
allot_rng allot_rng_start(uint64_t seed, uint64_t a, uint64_t b, uint64_t c);
uint32_t allot_rng_u32(allot_rng *r);
uint64_t allot_rng_u64(allot_rng *r);
double allot_rng_unit(allot_rng *r);                /* [0, 1), 53 bits */
uint64_t allot_rng_below(allot_rng *r, uint64_t n); /* [0, n) without bias; n >= 1 */
double allot_rng_normal(allot_rng *r);
/* k of 0..n-1 without replacement, in random order, into out[k]; scratch [n]. */
void allot_rng_subset(allot_rng *r, int n, int k, int *scratch, int *out);
/* A 64-bit hash of the words, for seeds of seeds: hash(seed, query, source, run, slot, ...). */
uint64_t allot_rng_mix(const uint64_t *words, int n);

#endif
