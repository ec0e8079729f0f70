/* SPDX-License-Identifier: Apache-2.0 */
/* usage: make_long_run DIR QUERIES SAMPLES BYTES   writes a whole run of so many queries with so
 * many pool samples each, texts of so many bytes, as 'allot-collect sample' would have left it on a
 * server of kind vllm with the model 'tinymath', --max-tokens 200 and --prompt-template 'Q:
 * {problem}\n'. For measuring how long a resume takes, and how much memory. */
#include "lib/store/fingerprint.h"
#include "lib/store/problems.h"
#include "lib/store/record.h"
#include "lib/core/rng.h"
#include "lib/store/rundir.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(allot_code rc, const allot_err *err)
{
    if (!rc) return;
    fprintf(stderr, "make_long_run: %s\n", err->msg);
    exit(1);
}

static allot_key key_of(long q, char text[64])
{
    allot_key key;
    allot_err err = {0};
    snprintf(text, 64, "%ld+%ld=?", q, q % 97);
    must(allot_key_of_text(text, strlen(text), &key, &err), &err);
    return key;
}

static void write_problems(const char *path, long n)
{
    allot_err err = {0};
    allot_problems_writer *w;
    must(allot_problems_create(path, &w, &err), &err);
    for (long q = 0; q < n; q++) {
        char problem[64], answer[32];
        allot_key key = key_of(q, problem);
        const char *texts[ALLOT_N_COLS] = {problem, answer};
        size_t lengths[ALLOT_N_COLS] = {strlen(problem)};
        lengths[1] = (size_t)snprintf(answer, sizeof answer, "%ld", q + q % 97);
        must(allot_problems_add(w, &key, texts, lengths, &err), &err);
    }
    must(allot_problems_commit(&w, "make_long_run", 1, NULL, &err), &err);
}

static void write_manifest(const char *dir, int pool, char cfg[17])
{
    static const char *const names[] = {"single", "majority@4", "majority@32"};
    allot_err err = {0};
    allot_rundir r = {.schema = ALLOT_RUN_SCHEMA, .pool = pool, .runs = 8, .seed = 1};
    for (int i = 0; i < 3; i++) {
        allot_strategy s;
        must(allot_strategy_parse(names[i], &s, &err), &err);
        if (s.n <= pool) must(allot_strategies_add(&r.strategies, &s, &err), &err);
    }
    r.fingerprint = cJSON_Parse("{\"generator\":\"tinymath\",\"grader\":\"0\"}");
    allot_fingerprint_id(r.fingerprint, cfg);
    must(allot_rundir_save(dir, &r, &err), &err);
    allot_rundir_clear(&r);
}

/* Fills text[n] with steps that end in an answer, right in two of three cases. */
static void make_text(char *text, size_t n, long q, uint32_t draw)
{
    size_t at = 0;
    char end[64];
    size_t n_end = (size_t)snprintf(end, sizeof end, "The answer is \\boxed{%ld}",
                                    q + q % 97 + (draw % 3 == 0 ? (long)(draw % 7) : 0));
    while (at + n_end + 40 < n)
        at += (size_t)snprintf(text + at, n - at, "Step %u: we add %u.\n\n", draw % 1000, draw);
    memcpy(text + at, end, n_end + 1);
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    long n = atol(argv[2]), pool = atol(argv[3]), bytes = atol(argv[4]);
    char path[4096], cfg[17], problem[64], *text = malloc((size_t)bytes + 100);
    if (n < 1 || pool < 1 || bytes < 100 || !text) return 2;
    write_manifest(argv[1], (int)pool, cfg);
    snprintf(path, sizeof path, "%s/problems.h5", argv[1]);
    write_problems(path, n);
    snprintf(path, sizeof path, "%s/journal.jsonl", argv[1]);
    FILE *f = fopen(path, "w");
    if (!f) return 1;
    allot_buf line = {0};
    for (long q = 0; q < n; q++) {
        allot_key key = key_of(q, problem);
        for (int slot = 0; slot < pool; slot++) {
            allot_rng rng = allot_rng_start(1, (uint64_t)q, (uint64_t)slot, 0);
            make_text(text, (size_t)bytes, q, allot_rng_u32(&rng));
            allot_generation gen = {.text = text, .n = strlen(text), .n_tokens = bytes / 4};
            allot_record rec = {.type = ALLOT_REC_SAMPLE,
                                .key = key,
                                .source = "pool",
                                .slot = slot,
                                .gen = &gen,
                                .n_gen = 1,
                                .n_tokens = bytes / 4,
                                .t_start = 1.7e9 + (double)q,
                                .seconds = 1,
                                .gen_s = 1,
                                .prm_s = NAN,
                                .ttft_s = NAN};
            memcpy(rec.cfg, cfg, sizeof cfg);
            allot_buf_reset(&line);
            must(allot_record_print(&rec, &line, NULL), NULL);
            allot_buf_add(&line, "\n", 1);
            fwrite(line.at, 1, line.n, f);
        }
    }
    free(text);
    allot_buf_clear(&line);
    return fclose(f) != 0;
}
