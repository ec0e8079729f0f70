/* SPDX-License-Identifier: Apache-2.0 */
/* Scores that were made elsewhere, from a file of JSON lines: {"key": the query's key, "text": the
 * SHA-256 of the text, both in hex, "scores": one for each step, or one}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/hash.h"
#include "lib/store/journal.h"
#include "lib/core/json.h"
#include "lib/store/querykey.h"
#include "lib/engine/job.h"
#include "liballot/mem.h"
#include "lib/engine/prompt.h"

typedef struct {
    const char *path;
    allot_key *keys; /* owned [n]: of query and text */
    size_t *ends;    /* owned [n]: where the scores of an entry end */
    double *scores;  /* owned, of all entries */
    size_t n, key_capacity, end_capacity, n_scores, score_capacity;
    allot_keyindex index;
} replay;

static void close_file(void *state)
{
    replay *f = state;
    if (!f) return;
    allot_keyindex_clear(&f->index);
    free(f->keys);
    free(f->ends);
    free(f->scores);
    free(f);
}

static allot_code joint_key(const allot_key *query, const allot_key *text, allot_key *out,
                            allot_err *err)
{
    uint8_t both[2 * sizeof(allot_key)];
    memcpy(both, query, sizeof *query);
    memcpy(both + sizeof *query, text, sizeof *text);
    return allot_sha256(both, sizeof both, out->b, err);
}

static allot_code take_scores(replay *f, const cJSON *list, const char *where, allot_err *err)
{
    const cJSON *v;
    size_t n = (size_t)cJSON_GetArraySize(list);
    if (n == 0) return allot_fail(err, ALLOT_EINPUT, "%s: \"scores\" is empty", where);
    allot_code rc = allot_mem_grow((void **)&f->scores, &f->score_capacity, f->n_scores + n,
                                   sizeof *f->scores, err);
    cJSON_ArrayForEach(v, list)
    {
        if (rc) break;
        if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 1))
            return allot_fail(err, ALLOT_EINPUT, "%s: a score is not a number within 0 and 1",
                              where);
        f->scores[f->n_scores++] = v->valuedouble;
    }
    return rc;
}

static allot_code take_entry(replay *f, const cJSON *o, const char *where, allot_err *err)
{
    const char *key, *text;
    allot_key query, of_text;
    cJSON *list;
    allot_code rc = allot_json_string(o, "key", where, &key, err);
    if (!rc) rc = allot_json_string(o, "text", where, &text, err);
    if (!rc) rc = allot_json_array(o, "scores", where, &list, err);
    if (!rc && (allot_key_parse(key, &query, err) || allot_key_parse(text, &of_text, err)))
        rc = allot_fail_in(err, "%s", where);
    if (!rc) rc = take_scores(f, list, where, err);
    if (!rc)
        rc = allot_mem_grow((void **)&f->keys, &f->key_capacity, f->n + 1, sizeof *f->keys, err);
    if (!rc)
        rc = allot_mem_grow((void **)&f->ends, &f->end_capacity, f->n + 1, sizeof *f->ends, err);
    if (!rc) rc = joint_key(&query, &of_text, &f->keys[f->n], err);
    if (!rc) f->ends[f->n++] = f->n_scores;
    return rc;
}

static allot_code take_line(const char *line, size_t n, long number, void *user, allot_err *err)
{
    replay *f = user;
    char where[400];
    cJSON *o;
    snprintf(where, sizeof where, "line %ld of '%.300s'", number, f->path);
    allot_code rc = allot_json_parse(line, n, where, &o, err);
    if (rc) return rc;
    rc = take_entry(f, o, where, err);
    cJSON_Delete(o);
    return rc;
}

static allot_code open_file(allot_engine *e, allot_err *err)
{
    int torn = 0;
    const char *path = e->config.prm_scores;
    if (!path)
        return allot_fail(err, ALLOT_EUSAGE,
                          "scores are to be replayed, but from where (give --prm-scores)");
    replay *f = allot_mem_array(1, sizeof *f, err);
    if (!f) return ALLOT_ERUNTIME;
    e->prm_state = f;
    f->path = path;
    allot_code rc = allot_journal_read(path, take_line, f, &torn, err);
    if (!rc && torn)
        rc = allot_fail(err, ALLOT_EINPUT, "the last line of '%s' has no end (is it whole?)", path);
    if (!rc && f->n == 0) rc = allot_fail(err, ALLOT_EINPUT, "'%s' has no scores", path);
    return rc ? rc : allot_keyindex_build(&f->index, f->keys, f->n, path, err);
}

/* A text's entry must have a score for each step, or one for all. */
static allot_code find_scores(const replay *f, const allot_prm_call *call, allot_prm_text *t,
                              allot_err *err)
{
    const allot_engine *e = call->engine;
    allot_key of_text, joint;
    char hex[65], query[65];
    allot_buf unused = {0};
    allot_code rc = allot_sha256(t->text, t->n, of_text.b, err);
    if (!rc) rc = joint_key(&t->query->key, &of_text, &joint, err);
    if (rc) return rc;
    long i = allot_keyindex_find(&f->index, &joint);
    allot_key_hex(&of_text, hex);
    allot_key_hex(&t->query->key, query);
    if (i < 0)
        return allot_fail(err, ALLOT_EINPUT, "'%s' has no scores for key %s and text %s", f->path,
                          query, hex);
    size_t from = i ? f->ends[i - 1] : 0;
    int n = (int)(f->ends[i] - from);
    int steps = allot_prompt_steps(t->text, t->n, e->config.step_separator, "\n", 0, &unused);
    allot_buf_clear(&unused);
    if (n != 1 && n != steps)
        return allot_fail(err, ALLOT_EINPUT, "'%s' has %d scores for the %d steps of text %s",
                          f->path, n, steps, hex);
    rc = allot_prm_room(t, n, err);
    if (!rc) memcpy(t->scores, f->scores + from, (size_t)n * sizeof *t->scores);
    return rc;
}

static allot_code start(allot_prm_call *call, allot_err *err)
{
    (void)err;
    allot_prm_reply *r = &call->reply;
    for (int i = 0; i < r->n && !r->failure.code; i++)
        (void)!find_scores(call->engine->prm_state, call, &r->texts[i], &r->failure);
    allot_prm_ready(call);
    return ALLOT_OK;
}

const allot_prm_backend allot_prm_replay = {.kind = "replay",
                                            .system_prompt = "",
                                            .no_server = 1,
                                            .open = open_file,
                                            .close = close_file,
                                            .start = start};
