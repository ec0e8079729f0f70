/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that the shards are parts of one run, then copies their journals record by record. */
#include "collect/merge.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/core/atomicfile.h"
#include "lib/store/fingerprint.h"
#include "lib/core/interrupt.h"
#include "lib/store/journal.h"
#include "lib/store/problems.h"
#include "liballot/mem.h"
#include "collect/sample_plan.h"

#define MAX_PROBLEMS (64UL << 30) /* bytes of a problems.h5 */

typedef struct {
    const char *dir; /* NULL: not there */
    allot_rundir manifest;
} shard;

typedef struct {
    const allot_merge_settings *s;
    allot_merge_result *r;
    shard *shards;           /* owned [n], by number */
    allot_problems problems; /* of all shards */
    allot_keyindex index;
    char cfg[17];
    allot_atomic journal;   /* of the output */
    const shard *at;        /* being read */
    const char *path;       /* its journal */
    allot_sample_plan plan; /* its units */
    int unchecked;          /* a shard's reward model was */
} merging;

/* Puts each manifest in its place: none twice, none missing. */
static allot_code place(merging *m, const char *dir, allot_err *err)
{
    allot_rundir r;
    allot_code rc = allot_rundir_load(dir, ALLOT_RUN_SCHEMA, &r, err);
    if (rc) return rc;
    if (r.n_shards == 0)
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "cannot merge '%s': it is a whole run, not a shard (see 'allot-collect "
                        "sample --shard')",
                        dir);
    else if (r.n_shards != m->s->n)
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "cannot merge %d directories: '%s' is shard %d of %d (give all %d)",
                        m->s->n, dir, r.shard, r.n_shards, r.n_shards);
    else if (m->shards[r.shard - 1].dir)
        rc = allot_fail(err, ALLOT_EMISMATCH, "cannot merge '%s' and '%s': both are shard %d of %d",
                        m->shards[r.shard - 1].dir, dir, r.shard, r.n_shards);
    if (rc) {
        allot_rundir_clear(&r);
        return rc;
    }
    m->shards[r.shard - 1].dir = dir;
    m->shards[r.shard - 1].manifest = r;
    return ALLOT_OK;
}

static allot_code agree(const shard *a, const shard *b, allot_err *err)
{
    const allot_rundir *x = &a->manifest, *y = &b->manifest;
    const struct {
        const char *what;
        long x, y;
    } numbers[] = {{"pool", x->pool, y->pool},
                   {"runs", x->runs, y->runs},
                   {"seed", x->seed, y->seed},
                   {"scored", x->scored, y->scored}};
    allot_code rc = allot_fingerprint_agree(x->fingerprint, a->dir, y->fingerprint, b->dir,
                                            "shards are made with the same settings", err);
    if (rc) return rc;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].x != numbers[i].y)
            return allot_fail(err, ALLOT_EMISMATCH,
                              "cannot merge '%s' and '%s': %s is %ld in the one and %ld in the "
                              "other (shards are made with the same settings)",
                              a->dir, b->dir, numbers[i].what, numbers[i].x, numbers[i].y);
    if (allot_strategies_id(&x->strategies) != allot_strategies_id(&y->strategies))
        return allot_fail(err, ALLOT_EMISMATCH,
                          "cannot merge '%s' and '%s': their strategies differ (shards are made "
                          "with the same --strategies)",
                          a->dir, b->dir);
    return ALLOT_OK;
}

static allot_code load_problems(const char *dir, allot_problems *out, allot_err *err)
{
    char *path = allot_rundir_path(dir, "problems.h5", err);
    allot_code rc = path ? allot_problems_load(path, 0, out, err) : ALLOT_ERUNTIME;
    free(path);
    return rc;
}

/* Every shard lists all queries of the run, so that what is whole is known from each. */
static allot_code same_queries(merging *m, const shard *other, allot_err *err)
{
    allot_problems p = {0};
    allot_code rc = load_problems(other->dir, &p, err);
    if (!rc && (p.n != m->problems.n ||
                memcmp(p.keys, m->problems.keys, (size_t)p.n * sizeof *p.keys) != 0))
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "cannot merge '%s' and '%s': they were made of different queries (give "
                        "each shard the same data set, --split and --limit)",
                        m->shards[0].dir, other->dir);
    allot_problems_clear(&p);
    return rc;
}

static allot_code load_shards(merging *m, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    m->shards = allot_mem_array((size_t)m->s->n, sizeof *m->shards, err);
    if (!m->shards) return ALLOT_ERUNTIME;
    for (int i = 0; !rc && i < m->s->n; i++)
        rc = place(m, m->s->dirs[i], err);
    if (!rc) rc = load_problems(m->shards[0].dir, &m->problems, err);
    for (int i = 1; !rc && i < m->s->n; i++) {
        rc = agree(&m->shards[0], &m->shards[i], err);
        if (!rc) rc = same_queries(m, &m->shards[i], err);
    }
    if (!rc)
        rc = allot_keyindex_build(&m->index, m->problems.keys, (size_t)m->problems.n,
                                  m->shards[0].dir, err);
    if (!rc) allot_rundir_cfg(&m->shards[0].manifest, m->cfg);
    return rc;
}

static allot_code check_record(merging *m, const allot_record *rec, const char *where,
                               allot_err *err)
{
    const shard *at = m->at;
    long q = allot_keyindex_find(&m->index, &rec->key);
    char cfg[17];
    allot_rundir_cfg(&at->manifest, cfg);
    if (strcmp(rec->cfg, cfg) != 0)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "%s was made with other settings (%s) than the manifest says (%s)", where,
                          rec->cfg, cfg);
    if (q < 0 || !allot_rundir_has(&at->manifest, &rec->key))
        return allot_fail(err, ALLOT_EMISMATCH, "%s is of a query that is not of shard %d of %d",
                          where, at->manifest.shard, at->manifest.n_shards);
    int unit = allot_sample_plan_unit(&m->plan, rec);
    if (unit >= 0) allot_unitmap_mark(&m->plan.map, q, unit);
    return ALLOT_OK;
}

/* Shards begun by different versions may name the same settings differently: their records get the
 * name in the output. The line was read as a record, so that the first "cfg" is its field. */
static allot_code write_line(merging *m, const char *line, size_t n, const char *cfg,
                             const char *where, allot_err *err)
{
    FILE *f = m->journal.file;
    char field[32];
    int len = snprintf(field, sizeof field, "\"cfg\":\"%s\"", cfg);
    size_t before = n, name = 0;
    if (strcmp(cfg, m->cfg) != 0) {
        const char *at = memmem(line, n, field, (size_t)len);
        if (!at)
            return allot_fail(err, ALLOT_EINPUT,
                              "%s: its \"cfg\" cannot be found in the text (it was not written by "
                              "allot-collect)",
                              where);
        name = strlen(cfg);
        before = (size_t)(at - line) + (size_t)len - 1 - name;
    }
    if (fwrite(line, 1, before, f) == before && fwrite(m->cfg, 1, name, f) == name &&
        fwrite(line + before + name, 1, n - before - name, f) == n - before - name &&
        putc('\n', f) != EOF)
        return ALLOT_OK;
    return allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': %s", m->journal.tmp,
                      strerror(errno));
}

static allot_code copy_line(const char *line, size_t n, long number, void *user, allot_err *err)
{
    merging *m = user;
    allot_record rec;
    char where[512];
    snprintf(where, sizeof where, "line %ld of '%.400s'", number, m->path);
    allot_code rc = allot_record_parse(line, n, where, &rec, err);
    if (rc) return rc;
    rc = check_record(m, &rec, where, err);
    m->r->n_records++;
    if (!rc) rc = write_line(m, line, n, rec.cfg, where, err);
    allot_record_clear(&rec);
    return rc;
}

static allot_code copy_shard(merging *m, const shard *at, allot_err *err)
{
    int torn;
    char *path = allot_rundir_path(at->dir, "journal.jsonl", err);
    if (!path) return ALLOT_ERUNTIME;
    m->at = at;
    m->path = path;
    allot_code rc =
        allot_sample_plan_init(&m->plan, &at->manifest, m->problems.keys, m->problems.n, err);
    if (!rc) rc = allot_journal_read(path, copy_line, m, &torn, err);
    long done = allot_sample_plan_done(&m->plan), total = allot_sample_plan_total(&m->plan);
    allot_sample_plan_clear(&m->plan);
    free(path);
    if (rc) return rc;
    m->r->n_torn += torn;
    m->r->done += done;
    m->r->total += total;
    m->unchecked |= total > 0 && !at->manifest.prm_checked;
    if (done == total || m->s->partial) return ALLOT_OK;
    return allot_fail(err, ALLOT_EINPUT,
                      "cannot merge '%s': %ld of its %ld units are missing (its 'allot-collect "
                      "sample' command makes them; or give --partial)",
                      at->dir, total - done, total);
}

/* A directory that holds a run already is never written into. */
static allot_code check_output(const char *dir, allot_err *err)
{
    static const char *const names[] = {"manifest.json", "journal.jsonl"};
    for (int i = 0; i < 2; i++) {
        char *path = allot_rundir_path(dir, names[i], err);
        if (!path) return ALLOT_ERUNTIME;
        int there = access(path, F_OK) == 0;
        free(path);
        if (there)
            return allot_fail(err, ALLOT_EUSAGE,
                              "cannot merge into '%s': it has a %s (give "
                              "another --output)",
                              dir, names[i]);
    }
    return ALLOT_OK;
}

static allot_code copy_problems(const merging *m, allot_err *err)
{
    char *from = allot_rundir_path(m->shards[0].dir, "problems.h5", err), *bytes = NULL;
    char *to = allot_rundir_path(m->s->output, "problems.h5", err);
    size_t n;
    allot_code rc =
        from && to ? allot_file_read(from, MAX_PROBLEMS, &bytes, &n, err) : ALLOT_ERUNTIME;
    if (!rc) rc = allot_file_write(to, &allot_kind_any, bytes, n, err);
    free(bytes);
    free(from);
    free(to);
    return rc;
}

/* The manifest comes last: where there is one, the rest is whole. A journal without it goes again,
 * or it would be in the way of the next try. */
static allot_code write_run(merging *m, allot_err *err)
{
    allot_code rc = allot_mkdir(m->s->output, err);
    char *path = allot_rundir_path(m->s->output, "journal.jsonl", err);
    if (!rc && !path) rc = ALLOT_ERUNTIME;
    if (!rc) rc = allot_interrupt_own(path, err);
    if (!rc) rc = allot_atomic_begin(&m->journal, path, &allot_kind_any, err);
    for (int i = 0; !rc && i < m->s->n; i++)
        rc = copy_shard(m, &m->shards[i], err);
    if (!rc) rc = allot_atomic_commit(&m->journal, err);
    else allot_atomic_abort(&m->journal);
    if (!rc) rc = copy_problems(m, err);
    allot_rundir whole = m->shards[0].manifest;
    whole.prm_checked = !m->unchecked;
    whole.shard = whole.n_shards = 0;
    if (!rc) rc = allot_rundir_save(m->s->output, &whole, err);
    if (rc) {
        allot_interrupt_remove(path);
        rmdir(m->s->output); /* if nothing is in it */
    }
    allot_interrupt_disown(path);
    free(path);
    return rc;
}

allot_code allot_merge_run(const allot_merge_settings *s, allot_merge_result *r, allot_err *err)
{
    merging m = {.s = s, .r = r};
    memset(r, 0, sizeof *r);
    allot_code rc = check_output(s->output, err);
    if (!rc) rc = load_shards(&m, err);
    r->n_queries = m.problems.n;
    if (!rc) rc = write_run(&m, err);
    for (int i = 0; m.shards && i < s->n; i++)
        allot_rundir_clear(&m.shards[i].manifest);
    free(m.shards);
    allot_keyindex_clear(&m.index);
    allot_problems_clear(&m.problems);
    return rc;
}
