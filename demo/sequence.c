/* SPDX-License-Identifier: Apache-2.0 */
/* Appends tokens, looks for stop texts, and holds back what may yet become one. */
#include "demo/sequence.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double allot_seq_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void allot_seq_clear(allot_seq *s)
{
    free(s->tokens);
    allot_buf_clear(&s->text);
    free(s->values);
    free(s->surprises);
    free(s->logprobs);
    free(s->text_ends);
    free(s->block_ids);
    free(s->blocks);
    memset(s, 0, sizeof *s);
}

/* The earliest stop string that ends in the new bytes cuts the text. */
static void find_stop(allot_seq *s, size_t before)
{
    size_t best = SIZE_MAX;
    for (int i = 0; i < s->n_stops; i++) {
        size_t n = strlen(s->stops[i]);
        size_t from = before >= n ? before - n + 1 : 0;
        const char *at =
            s->text.n <= from ? NULL : memmem(s->text.at + from, s->text.n - from, s->stops[i], n);
        if (at == NULL || (size_t)(at - s->text.at) >= best) continue;
        best = (size_t)(at - s->text.at);
        s->stop = i;
    }
    if (best == SIZE_MAX) return;
    size_t keep = best + (s->include_stop ? strlen(s->stops[s->stop]) : 0);
    s->text.n = keep;
    s->text.at[keep] = 0;
    s->end = ALLOT_END_STOP;
}

/* What is held back could be the start of a stop string. */
static size_t held_back(const allot_seq *s)
{
    size_t most = 0;
    if (s->include_stop) return 0;
    for (int i = 0; i < s->n_stops; i++) {
        size_t n = strlen(s->stops[i]);
        most = n > most ? n : most;
    }
    return most > 0 ? most - 1 : 0;
}

void allot_seq_append(allot_seq *s, const allot_tokenizer *t, int32_t token)
{
    size_t before = s->text.n;
    int generated = s->n_tokens - s->n_prompt;
    s->tokens[s->n_tokens++] = token;
    allot_buf_add(&s->text, t->tokens[token].text, t->tokens[token].n);
    if (token == t->eos && !s->ignore_eos) s->end = ALLOT_END_STOP;
    else if (s->text.n > before) find_stop(s, before);
    if (s->end == ALLOT_END_NONE && generated + 1 >= s->max_tokens) s->end = ALLOT_END_LENGTH;
    if (s->text_ends != NULL) s->text_ends[generated] = (uint32_t)s->text.n;
    size_t held = s->end == ALLOT_END_NONE ? held_back(s) : 0;
    if (s->text.n > held) s->stable = s->text.n - held;
}
