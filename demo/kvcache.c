/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of blocks with a hash of what they hold, a list of free ones, and counts of who uses
 * each. */
#include "demo/kvcache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "demo/kernels.h"
#include "liballot/mem.h"

static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    return h ^ h >> 31;
}

static int chain_of(const allot_kv *kv, uint64_t parent, const int32_t *tokens)
{
    uint64_t h = mix(parent);
    for (int i = 0; i < ALLOT_KV_BLOCK; i++)
        h = mix(h + (uint64_t)(uint32_t)tokens[i] + 1);
    return (int)(h & (uint64_t)(kv->n_chains - 1));
}

/* Zeroed pages that cost nothing until a block is first used; large ones where the system has them,
 * since attention jumps about in here. */
static allot_code make_pool(allot_kv *kv, size_t block_floats, allot_err *err)
{
    kv->pool_bytes = (size_t)kv->n_blocks * block_floats * sizeof(float);
    void *p = mmap(NULL, kv->pool_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return allot_fail(err, ALLOT_ERUNTIME, "out of memory: %zu bytes of KV cache do not fit",
                          kv->pool_bytes);
    (void)madvise(p, kv->pool_bytes, MADV_HUGEPAGE);
    kv->pool = p;
    return ALLOT_OK;
}

allot_code allot_kv_init(allot_kv *kv, int n_blocks, size_t block_floats, allot_err *err)
{
    memset(kv, 0, sizeof *kv);
    kv->n_blocks = n_blocks;
    kv->newest = kv->oldest = -1;
    kv->next_id = 1;
    kv->n_chains = 16;
    while (kv->n_chains < 2 * n_blocks)
        kv->n_chains *= 2;
    kv->blocks = allot_mem_array((size_t)n_blocks, sizeof *kv->blocks, err);
    kv->chains = allot_mem_array((size_t)kv->n_chains, sizeof *kv->chains, err);
    if (kv->blocks == NULL || kv->chains == NULL || make_pool(kv, block_floats, err) != ALLOT_OK) {
        allot_kv_clear(kv);
        return ALLOT_ERUNTIME;
    }
    memset(kv->chains, -1, (size_t)kv->n_chains * sizeof *kv->chains);
    for (int i = 0; i < n_blocks; i++)
        kv->blocks[i].floats = kv->pool + (size_t)i * block_floats;
    return ALLOT_OK;
}

void allot_kv_clear(allot_kv *kv)
{
    free(kv->blocks);
    free(kv->chains);
    if (kv->pool != NULL) munmap(kv->pool, kv->pool_bytes);
    memset(kv, 0, sizeof *kv);
}

/* Ids of content are small counters; roots have the top bit set, so the two never meet. */
uint64_t allot_kv_root(const allot_kv *kv, uint64_t salt)
{
    return mix(salt + mix(kv->epoch + 1)) | (uint64_t)1 << 63;
}

int allot_kv_find(const allot_kv *kv, uint64_t parent, const int32_t *tokens)
{
    for (int i = kv->chains[chain_of(kv, parent, tokens)]; i >= 0; i = kv->blocks[i].next) {
        const allot_kv_block *b = &kv->blocks[i];
        if (b->parent == parent && memcmp(b->tokens, tokens, sizeof b->tokens) == 0) return i;
    }
    return -1;
}

static void unlist(allot_kv *kv, int block)
{
    allot_kv_block *b = &kv->blocks[block];
    *(b->newer >= 0 ? &kv->blocks[b->newer].older : &kv->newest) = b->older;
    *(b->older >= 0 ? &kv->blocks[b->older].newer : &kv->oldest) = b->newer;
    b->newer = b->older = -1;
}

static void forget(allot_kv *kv, int block)
{
    allot_kv_block *b = &kv->blocks[block];
    if (!b->found_by_hash) return;
    int *at = &kv->chains[chain_of(kv, b->parent, b->tokens)];
    while (*at != block)
        at = &kv->blocks[*at].next;
    *at = b->next;
    b->found_by_hash = 0;
}

int allot_kv_take(allot_kv *kv)
{
    int block = kv->oldest;
    /* memory never used costs page faults: content that cannot be found goes first, then new room,
     * then content that could still be found */
    if ((block < 0 || kv->blocks[block].found_by_hash) && kv->n_used < kv->n_blocks)
        block = kv->n_used++;
    if (block < 0) return -1;
    allot_kv_block *b = &kv->blocks[block];
    if (b->id != 0) { /* used before */
        unlist(kv, block);
        forget(kv, block);
    }
    b->id = kv->next_id++;
    b->refs = 1;
    kv->n_held++;
    b->newer = b->older = b->next = -1;
    return block;
}

void allot_kv_hold(allot_kv *kv, int block)
{
    if (kv->blocks[block].refs++ > 0) return;
    unlist(kv, block);
    kv->n_held++;
}

void allot_kv_release(allot_kv *kv, int block)
{
    allot_kv_block *b = &kv->blocks[block];
    if (--b->refs > 0) return;
    kv->n_held--;
    /* content that cannot be found is the first to go */
    b->newer = b->older = -1;
    if (b->found_by_hash) {
        b->older = kv->newest;
        *(kv->newest >= 0 ? &kv->blocks[kv->newest].newer : &kv->oldest) = block;
        kv->newest = block;
    } else {
        b->newer = kv->oldest;
        *(kv->oldest >= 0 ? &kv->blocks[kv->oldest].older : &kv->newest) = block;
        kv->oldest = block;
    }
}

int allot_kv_publish(allot_kv *kv, int block, uint64_t parent, const int32_t *tokens)
{
    int other = allot_kv_find(kv, parent, tokens);
    if (other >= 0) {
        allot_kv_hold(kv, other);
        return other;
    }
    allot_kv_block *b = &kv->blocks[block];
    int *chain = &kv->chains[chain_of(kv, parent, tokens)];
    memcpy(b->tokens, tokens, sizeof b->tokens);
    b->parent = parent;
    b->next = *chain;
    *chain = block;
    b->found_by_hash = 1;
    b->ready = kv->step;
    return block;
}

void allot_kv_reset(allot_kv *kv)
{
    kv->epoch++;
    for (int i = 0; i < kv->n_used; i++)
        forget(kv, i);
}
