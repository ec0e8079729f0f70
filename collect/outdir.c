/* SPDX-License-Identifier: Apache-2.0 */
/* What a directory holds is compared with what is wanted before anything in it is touched. */
#include "collect/outdir.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/core/atomicfile.h"
#include "lib/core/buf.h"
#include "lib/store/fingerprint.h"

#define MANIFEST "manifest.json"
#define JOURNAL "journal.jsonl"
#define QUERIES "problems.h5"
#define STAGED ".problems.h5.next"

static allot_code not_less(const char *what, int have, int wanted, const char *dir, allot_err *err)
{
    if (wanted >= have) return ALLOT_OK;
    return allot_fail(
        err, ALLOT_EMISMATCH,
        "cannot go on in '%s': it has %s %d, wanted are %d (a run only grows: ask for "
        "at least %d, or give another --output)",
        dir, what, have, wanted, have);
}

static allot_code keeps_strategies(const allot_rundir *have, const allot_rundir *wanted,
                                   const char *dir, allot_err *err)
{
    for (int i = 0; i < have->strategies.count; i++) {
        if (allot_strategies_find(&wanted->strategies, &have->strategies.at[i]) >= 0) continue;
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&have->strategies.at[i], text);
        return allot_fail(err, ALLOT_EMISMATCH,
                          "cannot go on in '%s': its strategy '%s' is not among the wanted ones (a "
                          "run only grows: add it, or give another --output)",
                          dir, text);
    }
    return ALLOT_OK;
}

static allot_code keeps_loads(const allot_rundir *have, const allot_rundir *wanted, const char *dir,
                              allot_err *err)
{
    for (int i = 0; i < have->n_loads; i++) {
        int found = 0;
        for (int k = 0; k < wanted->n_loads; k++)
            found |= wanted->loads[k] == have->loads[i];
        if (!found)
            return allot_fail(
                err, ALLOT_EMISMATCH,
                "cannot go on in '%s': its load %d is not among the wanted ones (a run "
                "only grows: add it, or give another --output)",
                dir, have->loads[i]);
    }
    return ALLOT_OK;
}

/* Seconds of two machines are not to be mixed; texts do not depend on the machine. */
static allot_code same_hardware(const cJSON *have, const cJSON *wanted, const char *dir,
                                allot_err *err)
{
    const char *a = cJSON_GetStringValue(cJSON_GetObjectItem(have, "hardware"));
    const char *b = cJSON_GetStringValue(cJSON_GetObjectItem(wanted, "hardware"));
    if (!a || !b || strcmp(a, b) == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EMISMATCH,
                      "cannot go on in '%s': it was timed on '%s', this is '%s' (give another "
                      "--output, or the same --hardware)",
                      dir, a, b);
}

allot_code allot_outdir_agree(const allot_rundir *have, const allot_rundir *wanted, const char *dir,
                              allot_err *err)
{
    if (have->seed != wanted->seed)
        return allot_fail(
            err, ALLOT_EMISMATCH,
            "cannot go on in '%s': it was made with --seed %ld, not %ld (give the same "
            "seed, or another --output)",
            dir, have->seed, wanted->seed);
    if (have->shard != wanted->shard || have->n_shards != wanted->n_shards)
        return allot_fail(
            err, ALLOT_EMISMATCH,
            "cannot go on in '%s': it holds shard %d/%d, wanted is %d/%d (0/0 is all; "
            "each shard has a directory of its own)",
            dir, have->shard, have->n_shards, wanted->shard, wanted->n_shards);
    allot_code rc = not_less("pool", have->pool, wanted->pool, dir, err);
    if (!rc) rc = not_less("runs", have->runs, wanted->runs, dir, err);
    if (!rc) rc = keeps_strategies(have, wanted, dir, err);
    return rc ? rc : keeps_loads(have, wanted, dir, err);
}

static int is_there(const char *dir, const char *name, off_t min_bytes, allot_err *err)
{
    struct stat st;
    char *path = allot_rundir_path(dir, name, err);
    int there = path && stat(path, &st) == 0 && st.st_size >= min_bytes;
    free(path);
    return there;
}

/* A journal without manifest belongs to nothing that could be named: never added to. */
static allot_code check_existing(allot_outdir *o, const allot_rundir *wanted, allot_err *err)
{
    if (!is_there(o->dir, MANIFEST, 0, err)) {
        if (!is_there(o->dir, JOURNAL, 1, err)) return ALLOT_OK;
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot go on in '%s': it has a journal, but no manifest.json (give "
                          "another --output)",
                          o->dir);
    }
    allot_rundir have = {0};
    allot_code rc = allot_rundir_load(o->dir, wanted->schema, &have, err);
    if (!rc) rc = allot_outdir_agree(&have, wanted, o->dir, err);
    if (!rc) {
        allot_rundir_cfg(&have, o->cfg);
        o->before = have.fingerprint;
        have.fingerprint = NULL;
        o->manifest.hardware = have.hardware; /* until it is settled */
        o->manifest.prm_checked = have.prm_checked;
        have.hardware = NULL;
    }
    allot_rundir_clear(&have);
    return rc;
}

/* The queries of the run as it will be, in a file aside: until it is settled the run stays as it
 * is. */
static allot_code stage_queries(allot_outdir *o, const allot_query_choice *c, allot_err *err)
{
    char *path = allot_rundir_path(o->dir, QUERIES, err);
    char *staged = allot_rundir_path(o->dir, STAGED, err);
    allot_code rc = path && staged ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc) rc = allot_queries_merge(c, path, staged, &o->problems, &o->asked, err);
    if (!rc)
        rc = allot_keyindex_build(&o->index, o->problems.keys, (size_t)o->problems.n, path, err);
    free(path);
    free(staged);
    return rc;
}

allot_code allot_outdir_open(allot_outdir *o, const char *dir, allot_rundir *wanted,
                             const allot_query_choice *c, allot_err *err)
{
    *o = (allot_outdir){.dir = dir};
    allot_code rc = allot_mkdir(dir, err);
    if (!rc && !(o->journal_path = allot_rundir_path(dir, JOURNAL, err))) rc = ALLOT_ERUNTIME;
    if (!rc) rc = allot_journal_open(o->journal_path, &o->journal, err);
    if (!rc) rc = check_existing(o, wanted, err);
    if (!rc) rc = stage_queries(o, c, err);
    if (rc) {
        (void)!allot_outdir_close(o, NULL);
        return rc;
    }
    cJSON *hardware = o->manifest.hardware;
    int prm_checked = o->manifest.prm_checked;
    o->manifest = *wanted;
    o->manifest.hardware = hardware;
    o->manifest.prm_checked = prm_checked;
    memset(wanted, 0, sizeof *wanted);
    return ALLOT_OK;
}

/* The manifest comes last: where there is one, the queries are there as well. */
static allot_code publish(allot_outdir *o, allot_err *err)
{
    char *path = allot_rundir_path(o->dir, QUERIES, err);
    char *staged = allot_rundir_path(o->dir, STAGED, err);
    allot_code rc = path && staged ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc && rename(staged, path) != 0)
        rc = allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': %s", path, strerror(errno));
    free(path);
    free(staged);
    return rc ? rc : allot_rundir_save(o->dir, &o->manifest, err);
}

allot_code allot_outdir_settle(allot_outdir *o, cJSON *fingerprint, cJSON *hardware, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    if (o->before) {
        rc = allot_fingerprint_agree(o->before, o->dir, fingerprint, "this command line",
                                     "use the settings of the run, or give another --output", err);
        if (!rc) rc = same_hardware(o->manifest.hardware, hardware, o->dir, err);
    }
    cJSON_Delete(o->manifest.hardware);
    o->manifest.hardware = hardware;
    o->manifest.fingerprint = fingerprint;
    if (!o->before) allot_fingerprint_id(fingerprint, o->cfg);
    memcpy(o->manifest.cfg, o->cfg, sizeof o->cfg);
    if (!rc) rc = publish(o, err);
    o->settled = !rc;
    return rc;
}

static void forget(const char *dir, const char *name)
{
    char *path = allot_rundir_path(dir, name, NULL);
    if (path) unlink(path);
    free(path);
}

allot_code allot_outdir_close(allot_outdir *o, allot_err *err)
{
    if (o->journal && !o->settled) {
        forget(o->dir, STAGED);
        if (!is_there(o->dir, JOURNAL, 1, NULL) && !is_there(o->dir, MANIFEST, 0, NULL)) {
            forget(o->dir, JOURNAL);
            rmdir(o->dir);
        }
    }
    allot_code rc = o->journal ? allot_journal_close(&o->journal, err) : ALLOT_OK;
    free(o->journal_path);
    cJSON_Delete(o->before);
    allot_keyindex_clear(&o->index);
    free(o->asked);
    allot_problems_clear(&o->problems);
    allot_rundir_clear(&o->manifest);
    memset(o, 0, sizeof *o);
    return rc;
}

static void add_quoted(allot_buf *b, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:=,@%+";
    if (*word && word[strspn(word, plain)] == '\0') {
        allot_buf_str(b, word);
        return;
    }
    allot_buf_str(b, "'");
    for (; *word; word++)
        if (*word == '\'') allot_buf_str(b, "'\\''");
        else allot_buf_add(b, word, 1);
    allot_buf_str(b, "'");
}

char *allot_outdir_command(void)
{
    char words[65536];
    FILE *f = fopen("/proc/self/cmdline", "re");
    size_t n = f ? fread(words, 1, sizeof words - 1, f) : 0;
    if (f) fclose(f);
    words[n] = '\0';
    allot_buf b = {0};
    for (size_t at = 0; at < n; at += strlen(words + at) + 1) {
        if (at > 0) allot_buf_str(&b, " ");
        add_quoted(&b, words + at);
    }
    return b.at;
}
