/* SPDX-License-Identifier: Apache-2.0 */
/* Prints and parses one line; unknown, missing and impossible fields are refused by name. */
#include "lib/store/record.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/rng.h"
#include "liballot/mem.h"

#define MAX_COUNT 9007199254740992L /* 2^53: whole numbers that a JSON number holds */
#define MAX_SECONDS 1e10            /* also of an epoch time */

static const char *const TYPE[] = {"sample", "score", "beam", "timed", "error"};
static const char *const FINISH[] = {"stop", "length", "other"};
enum { N_TYPES = sizeof TYPE / sizeof *TYPE, N_FINISH = sizeof FINISH / sizeof *FINISH };

void allot_record_clear(allot_record *r)
{
    for (int i = 0; i < r->n_gen; i++) {
        free(r->gen[i].text);
        free(r->gen[i].scores);
    }
    free(r->gen);
    free(r->rounds);
    free(r->message);
    memset(r, 0, sizeof *r);
}

/* Non-finite numbers are unknown ones: null. */
static void put_number(allot_buf *out, const char *before, double x)
{
    if (isfinite(x)) allot_buf_printf(out, "%s%.17g", before, x);
    else allot_buf_printf(out, "%snull", before);
}

static void put_generation(allot_buf *out, const allot_generation *g)
{
    allot_buf_str(out, "{");
    if (g->text) {
        allot_buf_str(out, "\"text\":");
        allot_buf_json(out, g->text, g->n);
        allot_buf_printf(out, ",\"finish\":\"%s\",\"n_tokens\":%ld", FINISH[g->finish],
                         g->n_tokens);
        if (g->cut) allot_buf_str(out, ",\"cut\":1");
        if (g->judged) allot_buf_printf(out, ",\"judged\":%d", g->judged);
    }
    if (g->n_scores > 0) {
        allot_buf_str(out, g->text ? ",\"scores\":[" : "\"scores\":[");
        for (int i = 0; i < g->n_scores; i++)
            put_number(out, i ? "," : "", g->scores[i]);
        allot_buf_str(out, "]");
        if (g->prm_truncated) allot_buf_str(out, ",\"prm_truncated\":1");
    }
    allot_buf_str(out, "}");
}

static void put_costs(allot_buf *out, const allot_record *r)
{
    allot_buf_printf(out,
                     ",\"n_tokens\":%ld,\"prompt_tokens\":%ld,\"cached_tokens\":%ld"
                     ",\"prm_tokens\":%ld",
                     r->n_tokens, r->prompt_tokens, r->cached_tokens, r->prm_tokens);
    put_number(out, ",\"t_start\":", r->t_start);
    put_number(out, ",\"seconds\":", r->seconds);
    put_number(out, ",\"gen_s\":", r->gen_s);
    put_number(out, ",\"prm_s\":", r->prm_s);
    put_number(out, ",\"ttft_s\":", r->ttft_s);
    if (r->type != ALLOT_REC_TIMED) return;
    put_number(out, ",\"client_s\":", r->client_s);
    allot_buf_printf(out, ",\"load\":%d,\"foreign\":%d", r->load, r->foreign);
}

allot_code allot_record_print(const allot_record *r, allot_buf *out, allot_err *err)
{
    char hex[65];
    allot_key_hex(&r->key, hex);
    allot_buf_printf(out, "{\"t\":\"%s\",\"cfg\":\"%s\",\"key\":\"%s\",\"source\":", TYPE[r->type],
                     r->cfg, hex);
    allot_buf_json(out, r->source, strlen(r->source));
    allot_buf_printf(out,
                     ",\"run\":%d,\"slot\":%d,\"seed\":\"%" PRIu64 "\",\"attempt\":%d"
                     ",\"retries\":%d",
                     r->run, r->slot, r->seed, r->attempt, r->retries);
    if (r->draws > 0 || (r->draws == 0 && r->type == ALLOT_REC_ERROR))
        allot_buf_printf(out, ",\"draws\":%d", r->draws);
    put_costs(out, r);
    if (r->type == ALLOT_REC_ERROR) {
        if (r->load) allot_buf_printf(out, ",\"load\":%d", r->load);
        allot_buf_printf(out, ",\"code\":%d,\"message\":", r->code);
        allot_buf_json(out, r->message ? r->message : "", r->message ? strlen(r->message) : 0);
    }
    for (int i = 0; i < r->n_rounds; i++) {
        const allot_round *o = &r->rounds[i];
        allot_buf_printf(out, "%s[%ld,%ld", i ? "," : ",\"rounds\":[", o->n_tokens, o->prm_tokens);
        put_number(out, ",", o->gen_s);
        put_number(out, ",", o->prm_s);
        allot_buf_str(out, i + 1 < r->n_rounds ? "]" : "]]");
    }
    for (int i = 0; i < r->n_gen; i++) {
        allot_buf_str(out, i ? "," : ",\"gen\":[");
        put_generation(out, &r->gen[i]);
    }
    allot_buf_str(out, r->n_gen ? "]}" : "}");
    return allot_buf_check(out, err);
}

/* A field that may be absent (0). */
static allot_code get_long(const cJSON *o, const char *field, const char *where, long max,
                           long *out, allot_err *err)
{
    *out = 0;
    if (!cJSON_GetObjectItemCaseSensitive(o, field)) return ALLOT_OK;
    return allot_json_int(o, field, where, 0, max, out, err);
}

static allot_code get_int(const cJSON *o, const char *field, const char *where, int *out,
                          allot_err *err)
{
    long x;
    allot_code rc = get_long(o, field, where, 1L << 30, &x, err);
    if (!rc) *out = (int)x;
    return rc;
}

/* Seconds; null and absent are unknown. */
static allot_code get_seconds(const cJSON *o, const char *field, const char *where, double *out,
                              allot_err *err)
{
    *out = NAN;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, field);
    if (!item || cJSON_IsNull(item)) return ALLOT_OK;
    return allot_json_number(o, field, where, 0, MAX_SECONDS, out, err);
}

/* Position of the field's text in names[n]. */
static allot_code get_name(const cJSON *o, const char *field, const char *const *names, int n,
                           const char *where, int *out, allot_err *err)
{
    const char *text;
    allot_code rc = allot_json_string(o, field, where, &text, err);
    if (rc) return rc;
    for (*out = 0; *out < n; ++*out)
        if (strcmp(text, names[*out]) == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EINPUT, "%s: unknown %s '%.40s'", where, field, text);
}

static allot_code get_bounded_text(const cJSON *o, const char *field, const char *where, char *out,
                                   size_t capacity, allot_err *err)
{
    const char *text;
    allot_code rc = allot_json_string(o, field, where, &text, err);
    if (rc) return rc;
    if (strlen(text) >= capacity)
        return allot_fail(err, ALLOT_EINPUT, "%s: %s is longer than %zu bytes", where, field,
                          capacity - 1);
    strcpy(out, text);
    return ALLOT_OK;
}

/* Seeds have 64 bits, which a JSON number cannot hold: they are decimal strings. */
static allot_code get_seed(const cJSON *o, const char *where, uint64_t *out, allot_err *err)
{
    char text[21], *end;
    allot_code rc = get_bounded_text(o, "seed", where, text, sizeof text, err);
    if (rc) return rc;
    *out = strtoull(text, &end, 10);
    char again[21];
    snprintf(again, sizeof again, "%" PRIu64, *out);
    if (strcmp(text, again) != 0)
        return allot_fail(err, ALLOT_EINPUT, "%s: seed '%s' is not a 64-bit number", where, text);
    return ALLOT_OK;
}

static allot_code get_scores(const cJSON *o, const char *where, allot_generation *g, allot_err *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "scores"), *item;
    if (!list) return ALLOT_OK;
    int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (n < 1) return allot_fail(err, ALLOT_EINPUT, "%s: 'scores' is not a list of numbers", where);
    g->scores = allot_mem_array((size_t)n, sizeof *g->scores, err);
    if (!g->scores) return ALLOT_ERUNTIME;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
            return allot_fail(err, ALLOT_EINPUT, "%s: score %d is not a number", where,
                              g->n_scores);
        g->scores[g->n_scores++] = item->valuedouble;
    }
    return get_int(o, "prm_truncated", where, &g->prm_truncated, err);
}

static allot_code get_generation(const cJSON *o, const char *where, allot_generation *g,
                                 allot_err *err)
{
    if (!cJSON_IsObject(o)) return allot_fail(err, ALLOT_EINPUT, "%s: 'gen' is malformed", where);
    allot_code rc = get_scores(o, where, g, err);
    if (rc || !cJSON_GetObjectItemCaseSensitive(o, "text")) return rc;
    const char *text;
    int finish;
    rc = allot_json_string(o, "text", where, &text, err);
    if (!rc) rc = get_name(o, "finish", FINISH, N_FINISH, where, &finish, err);
    if (!rc) rc = get_long(o, "n_tokens", where, MAX_COUNT, &g->n_tokens, err);
    if (!rc) rc = get_int(o, "judged", where, &g->judged, err);
    if (!rc) rc = get_int(o, "cut", where, &g->cut, err);
    if (!rc && g->judged > 2)
        rc = allot_fail(err, ALLOT_EINPUT, "%s: 'judged' is %d, not 0 to 2", where, g->judged);
    if (rc) return rc;
    g->finish = (allot_finish)finish;
    g->n = strlen(text);
    g->text = allot_mem_text(text, g->n, err);
    return g->text ? ALLOT_OK : ALLOT_ERUNTIME;
}

static allot_code get_generations(const cJSON *o, const char *where, allot_record *r,
                                  allot_err *err)
{
    if (!cJSON_GetObjectItemCaseSensitive(o, "gen")) return ALLOT_OK;
    cJSON *list;
    const cJSON *item;
    allot_code rc = allot_json_array(o, "gen", where, &list, err);
    if (rc) return rc;
    r->gen = allot_mem_array((size_t)cJSON_GetArraySize(list), sizeof *r->gen, err);
    if (!r->gen) return ALLOT_ERUNTIME;
    cJSON_ArrayForEach(item, list)
    {
        rc = get_generation(item, where, &r->gen[r->n_gen++], err);
        if (rc) return rc;
    }
    return ALLOT_OK;
}

/* A round is [tokens, prm tokens, generation seconds, prm seconds]; unknown seconds are null. */
static allot_code get_round(const cJSON *o, const char *where, allot_round *out, allot_err *err)
{
    double x[4];
    int n = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, o)
    {
        int unknown = n >= 2 && cJSON_IsNull(item);
        if (n == 4 || !(unknown || (cJSON_IsNumber(item) && item->valuedouble >= 0 &&
                                    item->valuedouble <= MAX_SECONDS)))
            return allot_fail(err, ALLOT_EINPUT, "%s: 'rounds' is malformed", where);
        x[n++] = unknown ? NAN : item->valuedouble;
    }
    if (n != 4) return allot_fail(err, ALLOT_EINPUT, "%s: 'rounds' is malformed", where);
    *out = (allot_round){(long)x[0], (long)x[1], x[2], x[3]};
    return ALLOT_OK;
}

static allot_code get_rounds(const cJSON *o, const char *where, allot_record *r, allot_err *err)
{
    if (!cJSON_GetObjectItemCaseSensitive(o, "rounds")) return ALLOT_OK;
    cJSON *list;
    const cJSON *item;
    allot_code rc = allot_json_array(o, "rounds", where, &list, err);
    if (rc) return rc;
    r->rounds = allot_mem_array((size_t)cJSON_GetArraySize(list), sizeof *r->rounds, err);
    if (!r->rounds) return ALLOT_ERUNTIME;
    cJSON_ArrayForEach(item, list)
    {
        rc = get_round(item, where, &r->rounds[r->n_rounds++], err);
        if (rc) return rc;
    }
    return ALLOT_OK;
}

static allot_code get_head(const cJSON *o, const char *where, allot_record *r, allot_err *err)
{
    int type;
    char hex[65];
    allot_code rc = get_name(o, "t", TYPE, N_TYPES, where, &type, err);
    if (!rc) rc = get_bounded_text(o, "cfg", where, r->cfg, sizeof r->cfg, err);
    if (!rc) rc = get_bounded_text(o, "key", where, hex, sizeof hex, err);
    if (!rc && allot_key_parse(hex, &r->key, err)) return allot_fail_in(err, "%s", where);
    if (!rc) rc = get_bounded_text(o, "source", where, r->source, sizeof r->source, err);
    if (!rc) rc = get_seed(o, where, &r->seed, err);
    if (!rc) rc = get_int(o, "run", where, &r->run, err);
    if (!rc) rc = get_int(o, "slot", where, &r->slot, err);
    if (!rc) rc = get_int(o, "attempt", where, &r->attempt, err);
    if (!rc) rc = get_int(o, "retries", where, &r->retries, err);
    if (!rc) rc = get_int(o, "draws", where, &r->draws, err);
    if (!rc) r->type = (allot_record_type)type;
    if (!rc && r->type == ALLOT_REC_ERROR && !cJSON_GetObjectItemCaseSensitive(o, "draws"))
        r->draws = -1;
    return rc;
}

static allot_code get_costs(const cJSON *o, const char *where, allot_record *r, allot_err *err)
{
    allot_code rc = get_long(o, "n_tokens", where, MAX_COUNT, &r->n_tokens, err);
    if (!rc) rc = get_long(o, "prompt_tokens", where, MAX_COUNT, &r->prompt_tokens, err);
    if (!rc) rc = get_long(o, "cached_tokens", where, MAX_COUNT, &r->cached_tokens, err);
    if (!rc) rc = get_long(o, "prm_tokens", where, MAX_COUNT, &r->prm_tokens, err);
    if (!rc) rc = get_seconds(o, "t_start", where, &r->t_start, err);
    if (!rc) rc = get_seconds(o, "seconds", where, &r->seconds, err);
    if (!rc) rc = get_seconds(o, "gen_s", where, &r->gen_s, err);
    if (!rc) rc = get_seconds(o, "prm_s", where, &r->prm_s, err);
    if (!rc) rc = get_seconds(o, "ttft_s", where, &r->ttft_s, err);
    if (!rc) rc = get_seconds(o, "client_s", where, &r->client_s, err);
    if (!rc) rc = get_int(o, "load", where, &r->load, err);
    if (!rc) rc = get_int(o, "foreign", where, &r->foreign, err);
    return rc;
}

static allot_code get_error(const cJSON *o, const char *where, allot_record *r, allot_err *err)
{
    if (r->type != ALLOT_REC_ERROR) return ALLOT_OK;
    const char *text;
    int code;
    allot_code rc = get_int(o, "code", where, &code, err);
    if (!rc) rc = allot_json_string(o, "message", where, &text, err);
    if (rc) return rc;
    r->code = (allot_code)code;
    r->message = allot_mem_text(text, strlen(text), err);
    return r->message ? ALLOT_OK : ALLOT_ERUNTIME;
}

/* What a reader may rely on without looking: samples and finished beams have texts, scores scores.
 */
static allot_code check_shape(const allot_record *r, const char *where, allot_err *err)
{
    if ((r->type == ALLOT_REC_SAMPLE || r->type == ALLOT_REC_SCORE) && r->n_gen != 1)
        return allot_fail(err, ALLOT_EINPUT, "%s: %d generations, not 1", where, r->n_gen);
    for (int i = 0; i < r->n_gen; i++) {
        if (r->type == ALLOT_REC_SCORE && !r->gen[i].scores)
            return allot_fail(err, ALLOT_EINPUT, "%s: no scores", where);
        if (r->type != ALLOT_REC_SCORE && !r->gen[i].text)
            return allot_fail(err, ALLOT_EINPUT, "%s: generation %d has no text", where, i);
    }
    return ALLOT_OK;
}

static allot_code parse(const char *line, size_t n, const char *where, int with_texts,
                        allot_record *out, allot_err *err)
{
    cJSON *o;
    allot_record r = {0};
    allot_code rc = allot_json_parse(line, n, where, &o, err);
    if (rc) return rc;
    rc = get_head(o, where, &r, err);
    if (!rc) rc = get_costs(o, where, &r, err);
    if (!rc) rc = get_error(o, where, &r, err);
    if (!rc) rc = get_rounds(o, where, &r, err);
    if (!rc && with_texts) rc = get_generations(o, where, &r, err);
    if (!rc && with_texts) rc = check_shape(&r, where, err);
    cJSON_Delete(o);
    if (rc) allot_record_clear(&r);
    else *out = r;
    return rc;
}

allot_code allot_record_parse(const char *line, size_t n, const char *where, allot_record *out,
                              allot_err *err)
{
    return parse(line, n, where, 1, out, err);
}

/* The texts are the last field, and its name with its quotes cannot stand inside a text, where
 * quotes are escaped. */
static const char *find_texts(const char *line, size_t n)
{
    static const char texts[] = ",\"gen\":[";
    return memmem(line, n, texts, sizeof texts - 1);
}

uint64_t allot_record_texts_id(const char *line, size_t n)
{
    enum { CHUNK = 512 };
    uint64_t words[CHUNK / 8 + 2], id = 0; /* the id so far, the chunk, and a word to fill it up */
    const char *at = find_texts(line, n);
    if (!at) return 0;
    for (size_t left = n - (size_t)(at - line), take; left > 0; left -= take, at += take) {
        take = left < CHUNK ? left : CHUNK;
        words[take / 8 + 1] = 0;
        words[0] = id ^ take;
        memcpy(words + 1, at, take);
        id = allot_rng_mix(words, (int)((take + 7) / 8) + 1);
    }
    return id;
}

/* How often this stands in line[n]; not within texts, where quotes are escaped. */
static int count_of(const char *field, const char *line, size_t n)
{
    int count = 0;
    const char *end = line + n;
    size_t length = strlen(field);
    for (; (line = memmem(line, (size_t)(end - line), field, length)); line += length)
        count++;
    return count;
}

void allot_record_texts(allot_record *r, const char *line, size_t n)
{
    const char *at = find_texts(line, n);
    r->texts_id = allot_record_texts_id(line, n);
    r->n_texts = r->n_length = r->n_cut = 0;
    if (!at) return;
    n -= (size_t)(at - line);
    r->n_texts = count_of(",\"finish\":\"", at, n);
    r->n_length = count_of(",\"finish\":\"length\"", at, n);
    r->n_cut = count_of(",\"cut\":1", at, n);
}

/* A line in another order is parsed whole. */
allot_code allot_record_parse_head(const char *line, size_t n, const char *where, allot_record *out,
                                   allot_err *err)
{
    char head[4096];
    const char *at = find_texts(line, n);
    size_t length = at ? (size_t)(at - line) : n;
    if (!at || length > sizeof head - 1 || memcmp(line + n - 2, "]}", 2) != 0)
        return parse(line, n, where, 0, out, err);
    memcpy(head, line, length);
    head[length++] = '}';
    allot_code rc = parse(head, length, where, 0, out, err);
    if (!rc) allot_record_texts(out, at, n - (size_t)(at - line));
    return rc;
}
