/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the journal once and counts records, failures by kind and times; prints them as text or
 * JSON. */
#include "collect/status.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "liballot/mem.h"

#define PAUSE_S 60.0  /* a longer silence in the journal is a pause, not work */
#define MAX_LISTED 20 /* failed queries shown to people; --json has them all */

static const char *const UNIT_NAMES[ALLOT_N_UNITS] = {"samples", "scores", "beams"};

/* What failed: a pool slot that has its sample failed to be scored. */
static allot_unit_kind failed_kind(const allot_status *s, const allot_record *rec, long q)
{
    if (strcmp(rec->source, "pool") != 0) return ALLOT_UNIT_SEARCH;
    int has_sample = rec->slot < s->plan.pool && allot_unitmap_done(&s->plan.map, q, rec->slot);
    return has_sample ? ALLOT_UNIT_SCORE : ALLOT_UNIT_SAMPLE;
}

static void count_error(allot_status *s, const allot_record *rec, long q)
{
    allot_unit_kind kind = failed_kind(s, rec, q);
    int i = 0;
    while (i < s->n_errors && (s->errors[i].unit != kind || s->errors[i].code != rec->code))
        i++;
    if (i == ALLOT_STATUS_MAX_ERRORS) return;
    if (i == s->n_errors) s->n_errors++;
    allot_status_error *e = &s->errors[i];
    e->unit = kind;
    e->code = rec->code;
    e->count++;
    snprintf(e->example, sizeof e->example, "%s", rec->message);
}

static void count_time(allot_status *s, const allot_record *rec)
{
    if (!isfinite(rec->t_start)) return;
    double gap = rec->t_start - s->last_start_s;
    if (gap > 0 && gap < PAUSE_S) s->active_s += gap;
    if (gap > 0) s->last_start_s = rec->t_start;
}

static allot_code take_record(allot_record *rec, void *user, allot_err *err)
{
    (void)err;
    allot_status *s = user;
    long q = allot_keyindex_find(&s->files.index, &rec->key);
    if (q < 0) return ALLOT_OK;
    count_time(s, rec);
    s->n_tokens += rec->n_tokens;
    s->prm_tokens += rec->prm_tokens;
    if (rec->type == ALLOT_REC_ERROR) {
        count_error(s, rec, q);
        free(s->failures[q]);
        s->failures[q] = rec->message;
        rec->message = NULL;
        return ALLOT_OK;
    }
    s->n_samples += rec->type == ALLOT_REC_SAMPLE;
    s->n_redrawn += rec->type == ALLOT_REC_SAMPLE && rec->attempt > 0;
    int unit = allot_sample_plan_unit(&s->plan, rec);
    if (unit < 0 || allot_unitmap_done(&s->plan.map, q, unit)) return ALLOT_OK;
    allot_unitmap_mark(&s->plan.map, q, unit);
    allot_cuts_add(&s->cuts, rec);
    if (s->temperature > 0) allot_duplicates_add(&s->duplicates, q, rec);
    return ALLOT_OK;
}

/* Errors that a later try has made good are no failures. */
static void settle_failures(allot_status *s)
{
    for (long q = 0; q < s->files.problems.n; q++) {
        int missing = 0;
        for (int unit = 0; unit < s->plan.map.per_query; unit++)
            missing |= !allot_unitmap_done(&s->plan.map, q, unit);
        if (!missing) {
            free(s->failures[q]);
            s->failures[q] = NULL;
        }
        s->n_failed += s->failures[q] != NULL;
    }
}

/* Samples that were drawn elsewhere do not tell; they were drawn at some temperature. */
static double temperature_of(const cJSON *fingerprint)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(fingerprint, "temperature");
    return cJSON_IsNumber(t) ? t->valuedouble : 1;
}

static void foretell(allot_status *s)
{
    long total = allot_sample_plan_total(&s->plan), done = allot_sample_plan_done(&s->plan);
    s->left_s = NAN;
    if (done > 0 && s->active_s > 0)
        s->left_s = (double)(total - done) * s->active_s / (double)done;
}

allot_code allot_status_read(const char *dir, allot_status *s, allot_err *err)
{
    *s = (allot_status){0};
    allot_code rc = allot_runfiles_load(dir, ALLOT_RUN_SCHEMA, &s->files, err);
    if (!rc)
        rc = allot_sample_plan_init(&s->plan, &s->files.manifest, s->files.problems.keys,
                                    s->files.problems.n, err);
    if (!rc &&
        !(s->failures = allot_mem_array((size_t)s->files.problems.n, sizeof *s->failures, err)))
        rc = ALLOT_ERUNTIME;
    if (!rc) rc = allot_duplicates_init(&s->duplicates, s->files.problems.n, err);
    if (!rc) allot_cuts_settings(&s->cuts, s->files.manifest.fingerprint);
    if (!rc) s->temperature = temperature_of(s->files.manifest.fingerprint);
    if (!rc) rc = allot_runfiles_skim(dir, &s->files, take_record, s, err);
    if (rc) {
        allot_status_clear(s);
        return rc;
    }
    settle_failures(s);
    s->units = allot_sample_plan_count(&s->plan);
    foretell(s);
    return ALLOT_OK;
}

void allot_status_clear(allot_status *s)
{
    for (long q = 0; s->failures && q < s->files.problems.n; q++)
        free(s->failures[q]);
    free(s->failures);
    allot_duplicates_clear(&s->duplicates);
    allot_sample_plan_clear(&s->plan);
    allot_runfiles_clear(&s->files);
    memset(s, 0, sizeof *s);
}

static cJSON *failures_json(const allot_status *s)
{
    cJSON *list = cJSON_CreateArray();
    for (long q = 0; q < s->files.problems.n; q++) {
        if (!s->failures[q]) continue;
        char hex[65];
        cJSON *o = cJSON_CreateObject();
        allot_key_hex(&s->files.problems.keys[q], hex);
        cJSON_AddStringToObject(o, "key", hex);
        cJSON_AddStringToObject(o, "message", s->failures[q]);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

cJSON *allot_status_json(const allot_status *s, const char *dir)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "run", dir);
    cJSON_AddNumberToObject(o, "queries", (double)(s->files.problems.n - s->plan.n_elsewhere));
    cJSON_AddNumberToObject(o, "pool", s->files.manifest.pool);
    cJSON_AddNumberToObject(o, "runs", s->files.manifest.runs);
    for (int k = 0; k < ALLOT_N_UNITS; k++) {
        cJSON *units = cJSON_AddObjectToObject(o, UNIT_NAMES[k]);
        cJSON_AddNumberToObject(units, "done", (double)s->units.done[k]);
        cJSON_AddNumberToObject(units, "total", (double)s->units.total[k]);
    }
    cJSON_AddNumberToObject(o, "tokens", (double)s->n_tokens);
    cJSON_AddNumberToObject(o, "prm_tokens", (double)s->prm_tokens);
    cJSON_AddNumberToObject(o, "redrawn_samples", (double)s->n_redrawn);
    cJSON_AddNumberToObject(o, "texts", (double)s->cuts.n_texts);
    cJSON_AddNumberToObject(o, "context_cuts", (double)s->cuts.n_cut);
    cJSON_AddNumberToObject(o, "compared_queries", (double)s->duplicates.n_compared);
    cJSON_AddNumberToObject(o, "identical_queries", (double)s->duplicates.n_identical);
    allot_json_add_number(o, "active_seconds", s->active_s);
    allot_json_add_number(o, "tokens_per_second",
                          s->active_s > 0 ? (double)s->n_tokens / s->active_s : NAN);
    allot_json_add_number(o, "seconds_left", s->left_s);
    cJSON *errors = cJSON_AddArrayToObject(o, "errors");
    for (int i = 0; i < s->n_errors; i++) {
        cJSON *e = cJSON_CreateObject();
        cJSON_AddStringToObject(e, "unit", UNIT_NAMES[s->errors[i].unit]);
        cJSON_AddNumberToObject(e, "code", s->errors[i].code);
        cJSON_AddNumberToObject(e, "count", (double)s->errors[i].count);
        cJSON_AddStringToObject(e, "example", s->errors[i].example);
        cJSON_AddItemToArray(errors, e);
    }
    cJSON_AddItemToObject(o, "failed_queries", failures_json(s));
    return o;
}

static void print_failures(const allot_status *s)
{
    if (s->n_failed == 0) return;
    printf("%ld queries failed (the 'sample' command that made the run tries them again):\n",
           s->n_failed);
    long shown = 0;
    for (long q = 0; q < s->files.problems.n && shown < MAX_LISTED; q++) {
        if (!s->failures[q]) continue;
        char hex[65];
        allot_key_hex(&s->files.problems.keys[q], hex);
        printf("  %.12s  %s\n", hex, s->failures[q]);
        shown++;
    }
    if (shown < s->n_failed) printf("  ... and %ld more (--json has all)\n", s->n_failed - shown);
}

static void print_cuts(const allot_status *s, const char *dir)
{
    char text[800];
    if (s->cuts.n_cut == 0) return;
    allot_cuts_tell(&s->cuts, dir, text, sizeof text);
    printf("  cut      %s\n", text);
}

void allot_status_print(const allot_status *s, const char *dir)
{
    printf("%s: %ld queries, %d strategies, pool %d, runs %d", dir,
           s->files.problems.n - s->plan.n_elsewhere, s->files.manifest.strategies.count,
           s->files.manifest.pool, s->files.manifest.runs);
    if (s->files.manifest.n_shards)
        printf(", shard %d of %d", s->files.manifest.shard, s->files.manifest.n_shards);
    printf("\n");
    for (int k = 0; k < ALLOT_N_UNITS; k++)
        if (s->units.total[k] > 0)
            printf("  %-8s %ld of %ld (%.1f %%)\n", UNIT_NAMES[k], s->units.done[k],
                   s->units.total[k], 100.0 * (double)s->units.done[k] / (double)s->units.total[k]);
    printf("  tokens   %ld generated, %ld read by the reward model", s->n_tokens, s->prm_tokens);
    if (s->active_s > 0) printf(", %.0f generated per second", (double)s->n_tokens / s->active_s);
    printf("\n");
    if (s->left_s > 0) printf("  left     about %.0f s, at the rate so far\n", s->left_s);
    if (s->n_redrawn > 0)
        printf("  redrawn  %ld of %ld samples (%.2f %%%s)\n", s->n_redrawn, s->n_samples,
               100.0 * (double)s->n_redrawn / (double)s->n_samples,
               s->n_redrawn * 100 > s->n_samples ? ": the server fails often" : "");
    print_cuts(s, dir);
    if (s->duplicates.n_identical > 0)
        printf("  same     on %ld of %ld queries with long texts all samples are one text%s\n",
               s->duplicates.n_identical, s->duplicates.n_compared,
               allot_duplicates_alarm(&s->duplicates)
                   ? ": the server takes no notice of seeds, or repeats stored answers"
                   : "");
    for (int i = 0; i < s->n_errors; i++)
        printf("  errors   %ld of %s (code %d), e.g. %s\n", s->errors[i].count,
               UNIT_NAMES[s->errors[i].unit], s->errors[i].code, s->errors[i].example);
    print_failures(s);
}
