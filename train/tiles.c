/* SPDX-License-Identifier: Apache-2.0 */
#include "train/tiles.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

struct allot_tiles {
    pthread_mutex_t lock;
    pthread_cond_t started, finished;
    pthread_t *threads; /* [n_threads]: the workers without the caller */
    int n_threads;
    int stop;
    long job; /* counts the jobs, so that a worker sees that there is a new one */
    int next; /* first tile that nobody took */
    int n_tiles;
    int running; /* tiles taken and not done */
    allot_tile_fn f;
    void *user;
};

/* Takes tiles until none is left. Called and left with the lock held. */
static void work(allot_tiles *w)
{
    while (w->next < w->n_tiles) {
        int tile = w->next++;
        w->running++;
        pthread_mutex_unlock(&w->lock);
        w->f(w->user, tile);
        pthread_mutex_lock(&w->lock);
        w->running--;
    }
}

static void *worker(void *arg)
{
    allot_tiles *w = arg;
    long seen = 0;
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        if (w->job == seen) {
            pthread_cond_wait(&w->started, &w->lock);
            continue;
        }
        seen = w->job;
        work(w);
        if (w->running == 0) pthread_cond_signal(&w->finished);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

allot_code allot_tiles_new(int n_threads, allot_tiles **out, allot_err *err)
{
    allot_tiles *w = allot_mem_array(1, sizeof *w, err);
    if (!w) return ALLOT_ERUNTIME;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->started, NULL);
    pthread_cond_init(&w->finished, NULL);
    w->threads = allot_mem_array((size_t)n_threads, sizeof *w->threads, err);
    int failed = w->threads ? 0 : -1;
    while (!failed && w->n_threads < n_threads - 1) {
        failed = pthread_create(&w->threads[w->n_threads], NULL, worker, w);
        if (!failed) w->n_threads++;
    }
    if (failed) {
        allot_tiles_free(w);
        return failed < 0 ? ALLOT_ERUNTIME
                          : allot_fail(err, ALLOT_ERUNTIME, "cannot start %d threads: %s",
                                       n_threads, strerror(failed));
    }
    *out = w;
    return ALLOT_OK;
}

void allot_tiles_free(allot_tiles *w)
{
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    w->stop = 1;
    pthread_cond_broadcast(&w->started);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->n_threads; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->finished);
    pthread_cond_destroy(&w->started);
    pthread_mutex_destroy(&w->lock);
    free(w->threads);
    free(w);
}

void allot_tiles_run(allot_tiles *w, int n_tiles, allot_tile_fn f, void *user)
{
    pthread_mutex_lock(&w->lock);
    w->f = f;
    w->user = user;
    w->next = 0;
    w->n_tiles = n_tiles;
    w->job++;
    pthread_cond_broadcast(&w->started);
    work(w);
    while (w->running > 0)
        pthread_cond_wait(&w->finished, &w->lock);
    pthread_mutex_unlock(&w->lock);
}
