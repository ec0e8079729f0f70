/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs in a step, who waits and who gives up blocks; then the step, and its tokens to their
 * owners. */
#include "demo/batch.h"

#include <stdlib.h>
#include <string.h>

#include "liballot/mem.h"

allot_code allot_lane_init(allot_lane *l, allot_served *served, int max_running, int kv_cache_mib,
                           allot_err *err)
{
    memset(l, 0, sizeof *l);
    l->served = served;
    l->max_running = max_running;
    size_t floats = allot_transformer_block_floats(&served->transformer);
    size_t blocks = ((size_t)kv_cache_mib << 20) / (floats * sizeof(float));
    /* one sequence of full length must always fit, or it could wait for ever */
    size_t least = (size_t)served->transformer.n_ctx / ALLOT_KV_BLOCK + 2;
    blocks = blocks < least ? least : blocks > 1 << 24 ? 1 << 24 : blocks;
    l->running = allot_mem_array((size_t)max_running, sizeof *l->running, err);
    if (l->running == NULL) return ALLOT_ERUNTIME;
    return allot_kv_init(&l->kv, (int)blocks, floats, err);
}

void allot_lane_clear(allot_lane *l)
{
    free(l->running);
    l->running = NULL;
    allot_kv_clear(&l->kv);
}

void allot_lane_queue(allot_lane *l, allot_seq *s)
{
    s->next = NULL;
    *(l->waiting != NULL ? &l->last_waiting->next : &l->waiting) = s;
    l->last_waiting = s;
    l->n_waiting++;
}

/* Ends a sequence that holds no blocks any more. */
static void end_seq(allot_lane *l, allot_seq *s, allot_seq_end end)
{
    pthread_mutex_t *lock = s->lock;
    pthread_mutex_lock(lock);
    if (s->end == ALLOT_END_NONE) s->end = end;
    s->stable = s->text.n;
    allot_metrics_finish(&l->served->metrics, s, allot_seq_now());
    s->progress(s);
    pthread_mutex_unlock(lock);
}

/* Later blocks first, so that beginnings, which more sequences share, stay longest. */
static void give_up_blocks(allot_lane *l, allot_seq *s)
{
    while (s->n_blocks > 0)
        allot_kv_release(&l->kv, s->block_ids[--s->n_blocks]);
    s->n_computed = s->n_full = 0;
}

static int prepare(const allot_lane *l, allot_seq *s)
{
    if (s->blocks != NULL) return 1;
    size_t tokens = (size_t)s->n_prompt + (size_t)s->max_tokens;
    size_t n = tokens / ALLOT_KV_BLOCK + 2;
    if (l->served->transformer.lm_layers > 0) {
        s->surprises = allot_mem_array(tokens + 1, sizeof *s->surprises, NULL);
        if (s->surprises == NULL) return 0;
        while (s->n_question < s->n_tokens &&
               s->tokens[s->n_question++] != l->served->tokenizer.newline) {
        }
    }
    s->block_ids = allot_mem_array(n, sizeof *s->block_ids, NULL);
    s->blocks = allot_mem_array(n, sizeof *s->blocks, NULL);
    return s->block_ids != NULL && s->blocks != NULL;
}

static void admit(allot_lane *l)
{
    while (l->waiting != NULL && l->n_running < l->max_running) {
        allot_seq *s = l->waiting;
        int free_blocks = l->kv.n_blocks - l->kv.n_held;
        if (l->n_running > 0 && free_blocks < s->n_tokens / ALLOT_KV_BLOCK + 2) return;
        l->waiting = s->next;
        l->n_waiting--;
        if (s->cancelled || !prepare(l, s)) {
            end_seq(l, s, ALLOT_END_ABORT);
            continue;
        }
        s->parent = allot_kv_root(&l->kv, s->salt);
        l->running[l->n_running++] = s;
    }
}

static void remove_running(allot_lane *l, int i)
{
    memmove(l->running + i, l->running + i + 1, (size_t)(--l->n_running - i) * sizeof *l->running);
}

/* Puts the youngest sequence that is not part of this step back to the front of the queue. */
static int preempt(allot_lane *l, uint64_t step)
{
    for (int i = l->n_running - 1; i >= 0; i--) {
        allot_seq *s = l->running[i];
        if (s->planned == step || s->n_blocks == 0) continue;
        give_up_blocks(l, s);
        if (s->kind == ALLOT_SEQ_SCORE) s->n_rows = 0; /* read again from the start */
        remove_running(l, i);
        s->next = l->waiting;
        if (l->waiting == NULL) l->last_waiting = s;
        l->waiting = s;
        l->n_waiting++;
        pthread_mutex_lock(&l->served->metrics.lock);
        l->served->metrics.preemptions++;
        pthread_mutex_unlock(&l->served->metrics.lock);
        return 1;
    }
    return 0;
}

/* What a reward model told of a block's positions when it was computed. */
static void retell(const allot_lane *l, allot_seq *s, float *block)
{
    const allot_transformer *m = &l->served->transformer;
    for (int p = s->n_computed; p < s->n_computed + ALLOT_KV_BLOCK; p++) {
        const float *told = allot_transformer_told(m, block, p);
        if (s->surprises != NULL) s->surprises[p] = told[0];
        if (s->tokens[p] != l->served->tokenizer.step) continue;
        memcpy(s->values + s->n_rows++ * m->n_scores, told + 1, (size_t)m->n_scores * sizeof *told);
    }
}

/* The surprise of the token behind a block is told by the block's last row: that has to be run. */
static void give_back_last(allot_lane *l, allot_seq *s)
{
    int b = s->block_ids[--s->n_blocks];
    s->n_computed -= ALLOT_KV_BLOCK;
    s->n_full--;
    s->parent = l->kv.blocks[b].parent;
    for (int i = 0; i < ALLOT_KV_BLOCK; i++)
        s->n_rows -= s->tokens[s->n_computed + i] == l->served->tokenizer.step;
    allot_kv_release(&l->kv, b);
}

/* Takes over cached blocks that continue what is computed. The last token is always computed: its
 * result is wanted. Returns 0 when a needed block is being computed in this very step by another
 * sequence: waiting for one step is cheaper than computing it again. */
static int reuse(allot_lane *l, allot_seq *s)
{
    int found = 0;
    while (s->n_computed % ALLOT_KV_BLOCK == 0 && s->n_computed + ALLOT_KV_BLOCK < s->n_tokens) {
        int b = allot_kv_find(&l->kv, s->parent, s->tokens + s->n_computed);
        if (b < 0) break;
        if (l->kv.blocks[b].ready >= l->kv.step) {
            if (found && s->surprises != NULL) give_back_last(l, s);
            return 0;
        }
        allot_kv_hold(&l->kv, b);
        s->block_ids[s->n_blocks] = b;
        s->blocks[s->n_blocks++] = l->kv.blocks[b].floats;
        s->parent = l->kv.blocks[b].id;
        s->n_full++;
        if (s->kind == ALLOT_SEQ_SCORE) retell(l, s, l->kv.blocks[b].floats);
        s->n_computed += ALLOT_KV_BLOCK;
        found = 1;
    }
    if (found && s->surprises != NULL) give_back_last(l, s);
    if (found && s->n_tokens == s->n_prompt) s->n_cached = s->n_computed;
    return 1;
}

/* Blocks for tokens up to n; 0 when the cache is full of running sequences. */
static int make_room(allot_lane *l, allot_seq *s, int n, uint64_t step)
{
    while (s->n_blocks * ALLOT_KV_BLOCK < n) {
        int b = allot_kv_take(&l->kv);
        if (b >= 0) {
            s->block_ids[s->n_blocks] = b;
            s->blocks[s->n_blocks++] = l->kv.blocks[b].floats;
            continue;
        }
        s->planned = step; /* not its own victim */
        if (!preempt(l, step)) {
            s->planned = 0;
            return 0;
        }
    }
    return 1;
}

/* Makes the blocks that this step fills findable. */
static void publish(allot_lane *l, allot_seq *s, int n)
{
    s->first_swap = s->n_full;
    s->n_swaps = 0;
    while ((s->n_full + 1) * ALLOT_KV_BLOCK <= n) {
        int own = s->block_ids[s->n_full];
        int known =
            allot_kv_publish(&l->kv, own, s->parent, s->tokens + s->n_full * ALLOT_KV_BLOCK);
        s->swap[s->n_swaps++] = known == own ? -1 : known;
        s->parent = l->kv.blocks[known].id;
        s->n_full++;
    }
}

static int wants(const allot_lane *l, const allot_seq *s, int position)
{
    if (s->kind == ALLOT_SEQ_SCORE) return s->tokens[position] == l->served->tokenizer.step;
    return position == s->n_tokens - 1;
}

/* Lays out the next tokens of one sequence; at most most rows. */
static void plan_seq(allot_lane *l, allot_seq *s, int most, uint64_t step)
{
    if (!reuse(l, s)) return;
    int n = s->n_tokens - s->n_computed;
    if (n > most) n = most;
    if (n > ALLOT_TILE_ROWS) n = ALLOT_TILE_ROWS;
    if (n <= 0 || !make_room(l, s, s->n_computed + n, step)) return;
    publish(l, s, s->n_computed + n);
    s->planned = step;
    s->first_row = l->rows_now;
    s->n_step_rows = n;
    l->planned[l->n_planned++] = l->rows_now;
    for (int i = 0; i < n; i++) {
        int position = s->n_computed + i, r = l->rows_now++;
        int want = wants(l, s, position);
        l->rows[r] = (allot_row){s->tokens[position], position, s->blocks, want, NULL, -1};
        if (s->surprises != NULL) {
            l->rows[r].surprise = s->surprises + position;
            if (position + 1 >= s->n_question && position + 1 < s->n_tokens)
                l->rows[r].next = s->tokens[position + 1];
        }
        l->row_seq[r] = s;
        l->row_score[r] = s->n_rows;
        if (want && s->kind == ALLOT_SEQ_SCORE) s->n_rows++;
    }
}

void allot_lane_plan(allot_lane *l, uint64_t step)
{
    allot_metrics *m = &l->served->metrics;
    l->kv.step = step;
    l->rows_now = l->n_planned = 0;
    admit(l);
    /* Generation first: reading long prompts must not hold up what is being written. */
    for (int reading = 0; reading < 2; reading++) {
        const int most = reading ? ALLOT_READING_ROWS : ALLOT_STEP_ROWS;
        for (int i = 0; i < l->n_running && l->rows_now < most; i++) {
            allot_seq *s = l->running[i];
            if (s->planned == step || (s->n_tokens - s->n_computed > 1) != reading) continue;
            plan_seq(l, s, most - l->rows_now, step);
            if (i >= l->n_running || l->running[i] != s) i = -1; /* a preemption moved them */
        }
    }
    pthread_mutex_lock(&m->lock);
    m->running = l->n_running;
    m->waiting = l->n_waiting;
    m->kv_usage = (double)l->kv.n_held / l->kv.n_blocks;
    m->rows += (uint64_t)l->rows_now;
    m->steps += l->rows_now > 0;
    pthread_mutex_unlock(&m->lock);
}

/* What one wanted row yields; i: its place among the wanted rows of the tile. */
static void take_result(allot_lane *l, int row, int i, allot_scratch *scratch)
{
    const allot_transformer *m = &l->served->transformer;
    allot_seq *s = l->row_seq[row];
    if (s->kind == ALLOT_SEQ_SCORE) {
        float *scores = s->values + l->row_score[row] * m->n_scores;
        int position = l->rows[row].position;
        allot_transformer_scores(m, i, scratch, scores);
        memcpy(allot_transformer_told(m, s->blocks[position / ALLOT_KV_BLOCK], position) + 1,
               scores, (size_t)m->n_scores * sizeof *scores);
    } else if (s->kind == ALLOT_SEQ_EMBED) {
        memcpy(s->values, scratch->hidden + (size_t)i * (size_t)m->n_embd,
               (size_t)m->n_embd * sizeof *s->values);
    } else {
        allot_logprobs *log = s->logprobs == NULL ? NULL : &s->logprobs[s->n_tokens - s->n_prompt];
        s->drawn = allot_sampler_draw(
            m->kernels, scratch->logits + (size_t)i * allot_transformer_logits_stride(m),
            m->n_vocab, &s->sampling, s->n_tokens, log);
    }
}

void allot_lane_compute(allot_lane *l, int first, int n, allot_scratch *scratch)
{
    const allot_transformer *m = &l->served->transformer;
    int wanted = 0, logits = 0;
    allot_transformer_run(m, l->rows + first, n, scratch);
    for (int r = first; r < first + n; r++) {
        wanted += l->rows[r].want;
        logits |= l->rows[r].want && l->row_seq[r]->kind == ALLOT_SEQ_GENERATE;
    }
    if (logits) allot_transformer_logits(m, wanted, scratch);
    for (int r = first, i = 0; r < first + n; r++) {
        const allot_row *row = &l->rows[r];
        if (row->surprise != NULL)
            *allot_transformer_told(m, row->blocks[row->position / ALLOT_KV_BLOCK], row->position) =
                *row->surprise;
        if (row->want) take_result(l, r, i++, scratch);
    }
}

/* Equal blocks found while planning take the place of the own ones, now that nobody reads those. */
static void swap_blocks(allot_lane *l, allot_seq *s)
{
    for (int i = 0; i < s->n_swaps; i++) {
        int at = s->first_swap + i, known = s->swap[i];
        if (known < 0) continue;
        allot_kv_release(&l->kv, s->block_ids[at]);
        s->block_ids[at] = known;
        s->blocks[at] = l->kv.blocks[known].floats;
    }
    s->n_swaps = 0;
}

/* Returns 1 when the sequence has ended. */
static int advance(allot_lane *l, allot_seq *s)
{
    int end;
    s->n_computed += s->n_step_rows;
    swap_blocks(l, s);
    if (s->n_computed < s->n_tokens) return s->cancelled;
    if (s->kind != ALLOT_SEQ_GENERATE) return 1;
    pthread_mutex_lock(s->lock);
    if (s->n_tokens == s->n_prompt) s->t_first = allot_seq_now();
    allot_seq_append(s, &l->served->tokenizer, s->drawn);
    end = s->end != ALLOT_END_NONE || s->cancelled || s->text.failed;
    if (!end) s->progress(s);
    pthread_mutex_unlock(s->lock);
    return end;
}

void allot_lane_finish_step(allot_lane *l)
{
    allot_metrics *m = &l->served->metrics;
    int kept = 0;
    for (int i = 0; i < l->n_running; i++) {
        allot_seq *s = l->running[i];
        int took_part = s->planned == l->kv.step;
        if (!took_part && !s->cancelled) {
            l->running[kept++] = s;
            continue;
        }
        if (took_part && !advance(l, s)) {
            l->running[kept++] = s;
            continue;
        }
        pthread_mutex_lock(&m->lock);
        m->cache_queries += (uint64_t)s->n_prompt;
        m->cache_hits += (uint64_t)s->n_cached;
        pthread_mutex_unlock(&m->lock);
        give_up_blocks(l, s);
        end_seq(l, s,
                s->kind == ALLOT_SEQ_GENERATE || s->cancelled ? ALLOT_END_ABORT : ALLOT_END_STOP);
    }
    l->n_running = kept;
    pthread_mutex_lock(&m->lock);
    m->running = l->n_running;
    m->kv_usage = (double)l->kv.n_held / l->kv.n_blocks;
    pthread_mutex_unlock(&m->lock);
}

void allot_lane_abort(allot_lane *l)
{
    for (int i = 0; i < l->n_running; i++) {
        give_up_blocks(l, l->running[i]);
        end_seq(l, l->running[i], ALLOT_END_ABORT);
    }
    l->n_running = 0;
    while (l->waiting != NULL) {
        allot_seq *s = l->waiting;
        l->waiting = s->next;
        end_seq(l, s, ALLOT_END_ABORT);
    }
    l->n_waiting = 0;
}
