/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of strings and short texts, made of what h5.h gives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/h5.h"
#include "liballot/mem.h"

#define MAX_NAME 256

typedef struct {
    char bytes[MAX_NAME], offsets[MAX_NAME];
} names;

static names names_of(const char *column)
{
    names out;
    snprintf(out.bytes, sizeof out.bytes, "%s/bytes", column);
    snprintf(out.offsets, sizeof out.offsets, "%s/offsets", column);
    return out;
}

/* Offsets come from a file: each string must lie within the bytes. */
static allot_code check_offsets(const allot_h5 *h, const char *column, const allot_strings *s,
                                long n_bytes, allot_err *err)
{
    for (long i = 0; i < s->n; i++)
        if (s->offsets[i] > s->offsets[i + 1])
            return allot_fail(err, ALLOT_EINPUT,
                              "cannot read '%s': '/%s/offsets' goes down after "
                              "row %ld (the file is damaged; make it again)",
                              allot_h5_path(h), column, i);
    if (s->offsets[0] != 0 || s->offsets[s->n] != n_bytes)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%s': '/%s/offsets' covers %lld..%lld of "
                          "%ld bytes (the file is damaged; make it again)",
                          allot_h5_path(h), column, (long long)s->offsets[0],
                          (long long)s->offsets[s->n], n_bytes);
    return ALLOT_OK;
}

allot_code allot_h5_read_strings(allot_h5 *h, const char *name, long n, allot_strings *out,
                                 allot_err *err)
{
    names at = names_of(name);
    long n_offsets = n == ALLOT_H5_ANY ? ALLOT_H5_ANY : n + 1, n_bytes = ALLOT_H5_ANY;
    void *p = NULL;
    *out = (allot_strings){0};
    allot_code rc = allot_h5_read(h, at.offsets, ALLOT_H5_I64, 1, &n_offsets, &p, err);
    if (rc) return rc;
    out->offsets = p;
    if (n_offsets < 1)
        rc = allot_fail(err, ALLOT_EINPUT, "cannot read '%s': '/%s' is empty, it needs a first 0",
                        allot_h5_path(h), at.offsets);
    if (!rc) rc = allot_h5_read(h, at.bytes, ALLOT_H5_U8, 1, &n_bytes, &p, err);
    if (!rc) {
        out->bytes = p;
        out->n = n_offsets - 1;
        rc = check_offsets(h, name, out, n_bytes, err);
    }
    if (rc) allot_strings_clear(out);
    return rc;
}

allot_code allot_h5_write_strings(allot_h5 *h, const char *name, const allot_strings *s,
                                  allot_err *err)
{
    static const int64_t none[1] = {0};
    names at = names_of(name);
    const int64_t *offsets = s->n ? s->offsets : none;
    long n_offsets = s->n + 1, n_bytes = (long)offsets[s->n];
    allot_code rc = allot_h5_write(h, at.offsets, ALLOT_H5_I64, 1, &n_offsets, offsets, err);
    if (!rc) rc = allot_h5_write(h, at.bytes, ALLOT_H5_U8, 1, &n_bytes, s->bytes, err);
    return rc;
}

allot_code allot_h5_append_strings(allot_h5 *h, const char *name, const allot_strings *s,
                                   allot_err *err)
{
    names at = names_of(name);
    long before = 0;
    int first = !allot_h5_has(h, at.bytes);
    if (!first) {
        allot_code rc = allot_h5_shape(h, at.bytes, ALLOT_H5_U8, 1, &before, err);
        if (rc) return rc;
    }
    /* The first block brings the leading 0, later ones only the end of each string. */
    int64_t *ends = allot_mem_array((size_t)s->n + 1, sizeof *ends, err);
    if (!ends) return ALLOT_ERUNTIME;
    for (long i = 0; i < s->n; i++)
        ends[i + 1] = before + s->offsets[i + 1];
    allot_code rc = allot_h5_append(h, at.bytes, ALLOT_H5_U8, 1, NULL,
                                    s->n ? (long)s->offsets[s->n] : 0, s->bytes, err);
    if (!rc)
        rc = allot_h5_append(h, at.offsets, ALLOT_H5_I64, 1, NULL, first ? s->n + 1 : s->n,
                             first ? ends : ends + 1, err);
    free(ends);
    return rc;
}

void allot_strings_clear(allot_strings *s)
{
    free(s->bytes);
    free(s->offsets);
    *s = (allot_strings){0};
}

allot_code allot_strings_add(allot_strings *s, size_t *capacity_n, size_t *capacity_bytes,
                             const char *text, size_t n, allot_err *err)
{
    size_t used = s->n ? (size_t)s->offsets[s->n] : 0;
    void *offsets = s->offsets, *bytes = s->bytes;
    allot_code rc = allot_mem_grow(&offsets, capacity_n, (size_t)s->n + 2, sizeof(int64_t), err);
    s->offsets = offsets;
    if (!rc) {
        rc = allot_mem_grow(&bytes, capacity_bytes, used + n, 1, err);
        s->bytes = bytes;
    }
    if (rc) return rc;
    s->offsets[0] = 0;
    if (n) memcpy(s->bytes + used, text, n);
    s->offsets[++s->n] = (int64_t)(used + n);
    return ALLOT_OK;
}

const char *allot_strings_at(const allot_strings *s, long i, size_t *n)
{
    *n = (size_t)(s->offsets[i + 1] - s->offsets[i]);
    return s->bytes + s->offsets[i];
}

allot_code allot_h5_get_short(allot_h5 *h, const char *name, char *out, size_t size, allot_err *err)
{
    char *text;
    allot_code rc = allot_h5_get_text(h, name, &text, err);
    if (rc) return rc;
    if (strlen(text) >= size)
        rc = allot_fail(err, ALLOT_EINPUT,
                        "cannot read '%s': attribute '%s' is longer than %zu "
                        "bytes",
                        allot_h5_path(h), name, size - 1);
    else memcpy(out, text, strlen(text) + 1);
    free(text);
    return rc;
}
