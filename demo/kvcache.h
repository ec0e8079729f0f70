/* SPDX-License-Identifier: Apache-2.0 */
/* kvcache.h - keys and values of tokens already read, in blocks of 8 positions. A full block is
 * found again by its tokens and the block before it, so sequences share what they have in common,
 * also when they are long finished; the least recently used unshared block is given up first.
 * Sharing never changes a result: a position's keys and values are the same whoever computed them.
 * Used by the engine's thread only. */
#ifndef ALLOT_KVCACHE_H
#define ALLOT_KVCACHE_H
#include <stddef.h>
#include <stdint.h>
#include "liballot/err.h"

#define ALLOT_KV_BLOCK 8

typedef struct {
    float *floats; /* owned by the cache's pool */
    int32_t tokens[ALLOT_KV_BLOCK];
    uint64_t id;      /* of this content; never used twice */
    uint64_t parent;  /* id of the block before, or a root */
    int refs;         /* sequences that hold it */
    int next;         /* in its hash chain, or -1 */
    int newer, older; /* in the list of unheld blocks, or -1 */
    uint8_t found_by_hash;
    uint64_t ready; /* the step after which its numbers are there */
} allot_kv_block;

typedef struct {
    allot_kv_block *blocks; /* owned [n_blocks] */
    float *pool;            /* owned, pages of the system */
    size_t pool_bytes;
    int n_blocks, n_used; /* n_used: blocks ever handed out */
    int n_held;           /* with refs > 0 */
    int *chains;          /* owned [n_chains] first block or -1 */
    int n_chains;         /* a power of two */
    int newest, oldest;   /* unheld blocks */
    uint64_t next_id;
    uint64_t epoch; /* grows with each reset: older content is not found any more */
    uint64_t step;  /* the engine's current step */
} allot_kv;

ALLOT_MUST_CHECK allot_code allot_kv_init(allot_kv *kv, int n_blocks, size_t block_floats,
                                          allot_err *err);
void allot_kv_clear(allot_kv *kv);

/* The parent of first blocks; salt: requests with different salts share nothing. */
uint64_t allot_kv_root(const allot_kv *kv, uint64_t salt);
/* The block that holds these tokens after parent, or -1. It is not held yet. */
int allot_kv_find(const allot_kv *kv, uint64_t parent, const int32_t *tokens);
/* A block for new content, held once; -1 when all blocks are held. */
int allot_kv_take(allot_kv *kv);
void allot_kv_hold(allot_kv *kv, int block);
/* The last holder's release keeps the content findable until the room is needed. */
void allot_kv_release(allot_kv *kv, int block);
/* Makes a block findable. When equal content exists already, returns that block, held, and leaves
 * this one as it is; the caller swaps them when the step is done. */
int allot_kv_publish(allot_kv *kv, int block, uint64_t parent, const int32_t *tokens);
/* Nothing computed so far is found again. */
void allot_kv_reset(allot_kv *kv);
#endif
