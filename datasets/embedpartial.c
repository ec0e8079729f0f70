/* SPDX-License-Identifier: Apache-2.0 */
/* A head that says which vectors these are, then rows; a torn last row is cut off when reopened. */
#include "datasets/embedpartial.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/core/buf.h"
#include "lib/core/log.h"
#include "liballot/mem.h"

#define MAX_DIM 65536
#define MAX_HEAD 4096

/* What the vectors depend on, in one line. */
static allot_code head_of(const allot_embeddings *e, allot_buf *out, allot_err *err)
{
    allot_buf_printf(out, "allot-embeddings-partial 1 model=%s pooling=%s prefix=%zu:", e->model,
                     e->pooling, strlen(e->prefix));
    for (const char *c = e->prefix; *c; c++)
        allot_buf_printf(out, "%02x", (unsigned char)*c);
    allot_buf_str(out, "\n");
    if (out->failed) return allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    return out->n < MAX_HEAD ? ALLOT_OK
                             : allot_fail(err, ALLOT_EUSAGE, "--query-prefix is too long");
}

static allot_code check_head(allot_embedpartial *p, const allot_buf *head, allot_err *err)
{
    char line[MAX_HEAD + 2];
    if (fgets(line, sizeof line, p->file) != NULL && strcmp(line, head->at) == 0) return ALLOT_OK;
    return allot_fail(
        err, ALLOT_EMISMATCH,
        "cannot go on with '%s': it holds vectors of another model, pooling or prefix "
        "(remove it to begin again)",
        p->path);
}

static allot_code take_row(allot_embeddings *e, const allot_keyindex *index, const allot_key *key,
                           const float *row, long dim, unsigned char *have, allot_err *err)
{
    long at = allot_keyindex_find(index, key);
    if (e->at == NULL) {
        e->dim = dim;
        e->at = allot_mem_array((size_t)e->n, (size_t)dim * sizeof *e->at, err);
        if (e->at == NULL) return ALLOT_ERUNTIME;
    }
    for (long d = 0; d < dim; d++)
        if (!isfinite(row[d])) return ALLOT_EINPUT;
    if (dim != e->dim) return ALLOT_EINPUT;
    if (at < 0) return ALLOT_OK; /* of a query that is not asked for any more */
    memcpy(e->at + at * dim, row, (size_t)dim * sizeof *row);
    have[at] = 1;
    return ALLOT_OK;
}

/* Reads whole rows; *end: where the first torn or unreadable one begins. */
static allot_code read_rows(allot_embedpartial *p, allot_embeddings *e, unsigned char *have,
                            long *end, allot_err *err)
{
    allot_keyindex index = {0};
    float *row = allot_mem_array(MAX_DIM, sizeof *row, err);
    allot_code rc = row ? allot_keyindex_build(&index, e->keys, (size_t)e->n, "the problems", err)
                        : ALLOT_ERUNTIME;
    for (*end = ftell(p->file); !rc; *end = ftell(p->file)) {
        int32_t dim;
        allot_key key;
        if (fread(&dim, sizeof dim, 1, p->file) != 1 || dim < 1 || dim > MAX_DIM ||
            fread(&key, sizeof key, 1, p->file) != 1 ||
            fread(row, sizeof *row, (size_t)dim, p->file) != (size_t)dim)
            break;
        rc = take_row(e, &index, &key, row, dim, have, err);
        if (rc == ALLOT_EINPUT) {
            rc = ALLOT_OK;
            break;
        }
    }
    allot_keyindex_clear(&index);
    free(row);
    return rc;
}

static allot_code open_file(allot_embedpartial *p, allot_embeddings *e, unsigned char *have,
                            allot_err *err)
{
    allot_buf head = {0};
    long end = 0, found = 0;
    allot_code rc = head_of(e, &head, err);
    p->file = fopen(p->path, "r+b");
    if (!rc && p->file != NULL) {
        rc = check_head(p, &head, err);
        if (!rc) rc = read_rows(p, e, have, &end, err);
        if (!rc && (ftruncate(fileno(p->file), end) != 0 || fseek(p->file, end, SEEK_SET) != 0))
            rc = allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': %m", p->path);
        for (long i = 0; i < e->n; i++)
            found += have[i];
        if (!rc) allot_log_info("%ld of %ld vectors were in '%s'", found, e->n, p->path);
    } else if (!rc) {
        p->file = fopen(p->path, "wb");
        p->empty = 1;
        if (p->file == NULL || fwrite(head.at, head.n, 1, p->file) != 1 || fflush(p->file) != 0)
            rc = allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': %m", p->path);
    }
    allot_buf_clear(&head);
    return rc;
}

allot_code allot_embedpartial_open(allot_embedpartial *p, const char *output, allot_embeddings *e,
                                   unsigned char *have, allot_err *err)
{
    *p = (allot_embedpartial){0};
    size_t n = strlen(output) + sizeof ".partial";
    p->path = allot_mem_array(n, 1, err);
    if (p->path == NULL) return ALLOT_ERUNTIME;
    snprintf(p->path, n, "%s.partial", output);
    allot_code rc = open_file(p, e, have, err);
    if (rc) allot_embedpartial_close(p, 0);
    return rc;
}

allot_code allot_embedpartial_add(allot_embedpartial *p, const allot_key *key, const float *row,
                                  long dim, allot_err *err)
{
    int32_t d = (int32_t)dim;
    if (fwrite(&d, sizeof d, 1, p->file) == 1 && fwrite(key, sizeof *key, 1, p->file) == 1 &&
        fwrite(row, sizeof *row, (size_t)dim, p->file) == (size_t)dim && fflush(p->file) == 0) {
        p->empty = 0;
        return ALLOT_OK;
    }
    return allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': %m", p->path);
}

void allot_embedpartial_close(allot_embedpartial *p, int finished)
{
    if (p->file != NULL && (finished || p->empty)) unlink(p->path);
    if (p->file != NULL) fclose(p->file);
    free(p->path);
    *p = (allot_embedpartial){0};
}
