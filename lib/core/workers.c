/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that sleep on a futex between jobs, and take items by an atomic counter. */
#include "lib/core/workers.h"
#include <assert.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "liballot/mem.h"

#define SPINS 1500 /* some tens of microseconds */

struct allot_workers {
    /* job number << 32 | items << 16 | next item: one word, so that a thread that wakes late can
     * never take an item of a job it has not seen */
    _Atomic uint64_t state;
    _Atomic uint32_t done;    /* items of the current job */
    _Atomic uint32_t waiting; /* 1: the caller sleeps on done */
    _Atomic uint32_t wake;    /* grows with each job; helpers sleep on it */
    _Atomic uint32_t sleepers;
    _Atomic uint32_t stop;
    allot_workers_fn f; /* written before state */
    void *user;
    int n;
    struct helper {
        allot_workers *w;
        pthread_t thread;
        int index;
    } * helpers; /* owned [n - 1] */
    int n_started;
};

static void futex_wait(_Atomic uint32_t *at, uint32_t value)
{
    syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *at, int n)
{
    syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Takes and runs one item; 0 when there is none. */
static int run_one(allot_workers *w, int worker)
{
    uint64_t s = atomic_load_explicit(&w->state, memory_order_acquire);
    do {
        if ((s & 0xffff) >= (s >> 16 & 0xffff)) return 0;
    } while (!atomic_compare_exchange_weak_explicit(&w->state, &s, s + 1, memory_order_acq_rel,
                                                    memory_order_acquire));
    uint32_t items = (uint32_t)(s >> 16 & 0xffff);
    w->f(w->user, (int)(s & 0xffff), worker);
    if (atomic_fetch_add(&w->done, 1) + 1 == items && atomic_load(&w->waiting))
        futex_wake(&w->done, 1);
    return 1;
}

static void *help(void *user)
{
    struct helper *h = user;
    allot_workers *w = h->w;
    int spins = 0;
    while (!atomic_load(&w->stop)) {
        uint32_t seen = atomic_load(&w->wake);
        if (run_one(w, h->index)) {
            spins = 0;
        } else if (spins++ < SPINS) {
            pause_briefly();
        } else {
            atomic_fetch_add(&w->sleepers, 1);
            if (!atomic_load(&w->stop)) futex_wait(&w->wake, seen);
            atomic_fetch_sub(&w->sleepers, 1);
            spins = 0;
        }
    }
    return NULL;
}

allot_code allot_workers_new(int n, allot_workers **out, allot_err *err)
{
    allot_workers *w = allot_mem_array(1, sizeof *w, err);
    if (w == NULL) return ALLOT_ERUNTIME;
    w->n = n;
    w->helpers = allot_mem_array((size_t)n, sizeof *w->helpers, err);
    if (w->helpers == NULL) {
        free(w);
        return ALLOT_ERUNTIME;
    }
    for (; w->n_started < n - 1; w->n_started++) {
        struct helper *h = &w->helpers[w->n_started];
        h->w = w;
        h->index = w->n_started + 1;
        if (pthread_create(&h->thread, NULL, help, h) != 0) {
            allot_workers_free(w);
            return allot_fail(err, ALLOT_ERUNTIME, "cannot start %d threads", n);
        }
    }
    *out = w;
    return ALLOT_OK;
}

void allot_workers_free(allot_workers *w)
{
    if (w == NULL) return;
    atomic_store(&w->stop, 1);
    atomic_fetch_add(&w->wake, 1);
    futex_wake(&w->wake, w->n);
    for (int i = 0; i < w->n_started; i++)
        pthread_join(w->helpers[i].thread, NULL);
    free(w->helpers);
    free(w);
}

void allot_workers_run(allot_workers *w, allot_workers_fn f, void *user, int n_items)
{
    assert(n_items >= 0 && n_items <= 0xffff);
    uint64_t job = (atomic_load(&w->state) >> 32) + 1;
    w->f = f;
    w->user = user;
    atomic_store(&w->done, 0);
    atomic_store_explicit(&w->state, job << 32 | (uint64_t)n_items << 16, memory_order_release);
    if (n_items > 1 && w->n > 1) {
        atomic_fetch_add(&w->wake, 1);
        if (atomic_load(&w->sleepers) > 0) futex_wake(&w->wake, n_items - 1);
    }
    while (run_one(w, 0))
        continue;
    for (int spins = 0;; spins++) {
        uint32_t done = atomic_load(&w->done);
        if (done >= (uint32_t)n_items) break;
        if (spins < SPINS) {
            pause_briefly();
            continue;
        }
        atomic_store(&w->waiting, 1);
        done = atomic_load(&w->done);
        if (done < (uint32_t)n_items) futex_wait(&w->done, done);
        atomic_store(&w->waiting, 0);
    }
}
