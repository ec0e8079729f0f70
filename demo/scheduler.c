/* SPDX-License-Identifier: Apache-2.0 */
/* The engine thread, the tiles that it shares with workers, and the door for new sequences. */
#include "demo/scheduler.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/workers.h"
#include "demo/batch.h"
#include "liballot/mem.h"

/* Consecutive rows of one model's step. Chunks of a sequence are never split between tiles, since
 * its later rows read what its earlier rows store. */
typedef struct {
    int lane, first, n;
} tile;

#define MAX_TILES (ALLOT_MAX_MODELS * ALLOT_STEP_ROWS)

struct allot_scheduler {
    allot_lane lanes[ALLOT_MAX_MODELS];
    int n_lanes, n_threads;
    allot_workers *workers;
    allot_scratch *scratch; /* owned [n_threads][n_lanes] */
    tile tiles[MAX_TILES];
    int n_tiles;
    pthread_t engine;
    int started;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t news;
    allot_seq *inbox[ALLOT_MAX_MODELS], *last[ALLOT_MAX_MODELS];
    int reset, stop;
};

allot_code allot_served_load(const char *path, const char *name, allot_served *s, allot_err *err)
{
    allot_gguf g;
    memset(s, 0, sizeof *s);
    s->name = name;
    allot_metrics_init(&s->metrics, name);
    allot_code code = allot_gguf_load(path, &g, err);
    if (code != ALLOT_OK) return code;
    code = allot_transformer_load(&g, &s->transformer, err);
    if (code == ALLOT_OK) code = allot_tokenizer_load(&g, &s->tokenizer, err);
    if (code == ALLOT_OK && s->tokenizer.n != s->transformer.n_vocab)
        code = allot_fail(err, ALLOT_EINPUT,
                          "cannot use '%s': %d tokens, but %d rows of 'token_embd.weight'", path,
                          (int)s->tokenizer.n, s->transformer.n_vocab);
    allot_gguf_clear(&g);
    return code;
}

void allot_served_clear(allot_served *s)
{
    if (s->name == NULL) return;
    allot_transformer_clear(&s->transformer);
    allot_tokenizer_clear(&s->tokenizer);
    allot_metrics_clear(&s->metrics);
    s->name = NULL;
}

/* Takes what was submitted; sleeps while there is nothing to do. 0: stop. */
static int take_news(allot_scheduler *s)
{
    int busy = 0, stop, reset;
    for (int i = 0; i < s->n_lanes; i++)
        busy |= s->lanes[i].n_running > 0 || s->lanes[i].waiting != NULL;
    pthread_mutex_lock(&s->lock);
    while (!busy && !s->stop && !s->reset && s->inbox[0] == NULL && s->inbox[1] == NULL)
        pthread_cond_wait(&s->news, &s->lock);
    stop = s->stop;
    reset = s->reset;
    s->reset = 0;
    for (int i = 0; i < s->n_lanes; i++) {
        allot_seq *q = s->inbox[i];
        s->inbox[i] = s->last[i] = NULL;
        while (q != NULL) {
            allot_seq *next = q->next;
            allot_lane_queue(&s->lanes[i], q);
            q = next;
        }
    }
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; reset && i < s->n_lanes; i++)
        allot_kv_reset(&s->lanes[i].kv);
    return !stop;
}

/* Rows of a tile: whole kernel blocks of 6 rows, and some more tiles than threads, so that a thread
 * that lost its core to the HTTP side holds up little. */
static int tile_size(const allot_scheduler *s, int rows)
{
    int size = rows / (2 * s->n_threads);
    size = (size + 5) / 6 * 6;
    return size < 12 ? 12 : size > 48 ? 48 : size;
}

static void make_tiles(allot_scheduler *s)
{
    int rows = 0;
    for (int i = 0; i < s->n_lanes; i++)
        rows += s->lanes[i].rows_now;
    const int size = tile_size(s, rows);
    s->n_tiles = 0;
    for (int i = 0; i < s->n_lanes; i++) {
        allot_lane *l = &s->lanes[i];
        tile *t = NULL;
        for (int c = 0; c < l->n_planned; c++) {
            int first = l->planned[c];
            int n = (c + 1 < l->n_planned ? l->planned[c + 1] : l->rows_now) - first;
            if (t == NULL || t->n + n > size) {
                t = &s->tiles[s->n_tiles++];
                *t = (tile){i, first, 0};
            }
            t->n += n;
        }
    }
}

static void run_tile(void *user, int item, int worker)
{
    allot_scheduler *s = user;
    const tile *t = &s->tiles[item];
    allot_lane_compute(&s->lanes[t->lane], t->first, t->n,
                       &s->scratch[worker * s->n_lanes + t->lane]);
}

static void *engine(void *user)
{
    allot_scheduler *s = user;
    for (uint64_t step = 1; take_news(s); step++) {
        for (int i = 0; i < s->n_lanes; i++)
            allot_lane_plan(&s->lanes[i], step);
        make_tiles(s);
        allot_workers_run(s->workers, run_tile, s, s->n_tiles);
        for (int i = 0; i < s->n_lanes; i++)
            allot_lane_finish_step(&s->lanes[i]);
    }
    for (int i = 0; i < s->n_lanes; i++)
        allot_lane_abort(&s->lanes[i]);
    return NULL;
}

static allot_code start(allot_scheduler *s, allot_served *const *models,
                        const allot_scheduler_options *o, allot_err *err)
{
    allot_code code = ALLOT_OK;
    for (int i = 0; i < s->n_lanes && code == ALLOT_OK; i++)
        code = allot_lane_init(&s->lanes[i], models[i], o->max_num_seqs, o->kv_cache_mib, err);
    if (code != ALLOT_OK) return code;
    s->scratch =
        allot_mem_array((size_t)s->n_threads * (size_t)s->n_lanes, sizeof *s->scratch, err);
    if (s->scratch == NULL) return ALLOT_ERUNTIME;
    for (int i = 0; i < s->n_threads * s->n_lanes && code == ALLOT_OK; i++)
        code = allot_scratch_init(&s->scratch[i], &models[i % s->n_lanes]->transformer, err);
    if (code == ALLOT_OK) code = allot_workers_new(s->n_threads, &s->workers, err);
    if (code != ALLOT_OK) return code;
    if (pthread_create(&s->engine, NULL, engine, s) != 0)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot start the engine's thread");
    s->started = 1;
    return ALLOT_OK;
}

allot_code allot_scheduler_new(allot_served *const *models, int n_models,
                               const allot_scheduler_options *o, allot_scheduler **out,
                               allot_err *err)
{
    allot_scheduler *s = allot_mem_array(1, sizeof *s, err);
    if (s == NULL) return ALLOT_ERUNTIME;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->news, NULL);
    s->n_lanes = n_models;
    s->n_threads = o->threads;
    allot_code code = start(s, models, o, err);
    if (code != ALLOT_OK) {
        allot_scheduler_free(s);
        return code;
    }
    *out = s;
    return ALLOT_OK;
}

void allot_scheduler_stop(allot_scheduler *s)
{
    if (!s->started) return;
    pthread_mutex_lock(&s->lock);
    s->stop = 1;
    pthread_cond_signal(&s->news);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->engine, NULL);
    s->started = 0;
}

void allot_scheduler_free(allot_scheduler *s)
{
    if (s == NULL) return;
    allot_scheduler_stop(s);
    allot_workers_free(s->workers);
    for (int i = 0; s->scratch != NULL && i < s->n_threads * s->n_lanes; i++)
        allot_scratch_clear(&s->scratch[i]);
    free(s->scratch);
    for (int i = 0; i < s->n_lanes; i++)
        allot_lane_clear(&s->lanes[i]);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->news);
    free(s);
}

static void end_at_once(allot_seq *q)
{
    pthread_mutex_t *lock = q->lock;
    pthread_mutex_lock(lock);
    q->end = ALLOT_END_ABORT;
    q->progress(q);
    pthread_mutex_unlock(lock);
}

void allot_scheduler_submit(allot_scheduler *s, int model, allot_seq *const *seqs, int n)
{
    double now = allot_seq_now();
    pthread_mutex_lock(&s->lock);
    int stopped = s->stop;
    for (int i = 0; i < n && !stopped; i++) {
        allot_seq *q = seqs[i];
        q->t_arrival = now;
        q->next = NULL;
        *(s->inbox[model] != NULL ? &s->last[model]->next : &s->inbox[model]) = q;
        s->last[model] = q;
    }
    if (!stopped) pthread_cond_signal(&s->news);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < n && stopped; i++)
        end_at_once(seqs[i]);
}

void allot_scheduler_reset_cache(allot_scheduler *s)
{
    pthread_mutex_lock(&s->lock);
    s->reset = 1;
    pthread_cond_signal(&s->news);
    pthread_mutex_unlock(&s->lock);
}
