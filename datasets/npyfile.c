/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/npyfile.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "liballot/mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are read as they lie");

enum { MAX_HEADER = 4096, BLOCK = 4096 };
#define REMEDY "(save it with numpy.save(path, x.astype('float32', order='C')))"

typedef struct {
    int size; /* bytes of a number: 4 or 8 */
    long rows, columns;
} npy_header;

static allot_code refuse(const char *path, const char *why, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT, "cannot read '%.250s': %s " REMEDY, path, why);
}

/* Magic, version and length of the header's text, which is read into text [MAX_HEADER + 1]. */
static allot_code read_text(FILE *file, const char *path, char *text, allot_err *err)
{
    unsigned char b[12];
    if (fread(b, 1, 10, file) != 10 || memcmp(b, "\x93NUMPY", 6) != 0)
        return refuse(path, "it does not begin as a .npy file", err);
    size_t n = b[8] | (size_t)b[9] << 8;
    if (b[6] == 2 || b[6] == 3) {
        if (fread(b + 10, 1, 2, file) != 2) return refuse(path, "it is cut short", err);
        n |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    } else if (b[6] != 1) {
        return refuse(path, "its version is not 1, 2 or 3", err);
    }
    if (n > MAX_HEADER) return refuse(path, "its header is longer than 4096 bytes", err);
    if (fread(text, 1, n, file) != n) return refuse(path, "it is cut short", err);
    text[n] = '\0';
    return strlen(text) == n ? ALLOT_OK : refuse(path, "its header holds a NUL byte", err);
}

/* What follows 'name': in the header, a Python literal of a dictionary; NULL if it is not there. */
static const char *value_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    if (!at || strstr(at + 1, name)) return NULL;
    at += strlen(name);
    at += strspn(at, " ");
    if (*at++ != ':') return NULL;
    return at + strspn(at, " ");
}

static int count(const char **at, long *out)
{
    char *end;
    if (**at < '0' || **at > '9') return 0;
    errno = 0;
    *out = strtol(*at, &end, 10);
    *at = end;
    return errno == 0 && *out < 1L << 40;
}

static allot_code parse_header(const char *text, const char *path, npy_header *h, allot_err *err)
{
    const char *type = value_of(text, "'descr'"), *order = value_of(text, "'fortran_order'"),
               *shape = value_of(text, "'shape'");
    if (!type || !order || !shape)
        return refuse(path, "its header does not name descr, fortran_order and shape once", err);
    h->size = strncmp(type, "'<f4'", 5) == 0 ? 4 : strncmp(type, "'<f8'", 5) == 0 ? 8 : 0;
    if (h->size == 0)
        return refuse(path, "its numbers are neither '<f4' nor '<f8' (float32, float64)", err);
    if (strncmp(order, "False", 5) != 0)
        return refuse(path, "it is stored column by column (fortran_order)", err);
    int ok = *shape++ == '(' && count(&shape, &h->rows) && *shape++ == ',';
    if (ok) shape += strspn(shape, " ");
    if (!ok || !count(&shape, &h->columns) || *shape != ')')
        return refuse(path, "its shape is not (rows, columns)", err);
    return ALLOT_OK;
}

static allot_code check_size(FILE *file, const char *path, const npy_header *h, long max_columns,
                             allot_err *err)
{
    struct stat st;
    if (h->rows < 1 || h->columns < 1 || h->columns > max_columns)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%.250s': it has %ld rows of %ld numbers, not at least one "
                          "row of 1 to %ld",
                          path, h->rows, h->columns, max_columns);
    if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode)) return refuse(path, "not a file", err);
    long there = (long)st.st_size - ftell(file), row = h->columns * h->size;
    if (there != h->rows * row)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%.250s': %ld rows of %ld numbers are %ld bytes, and %ld "
                          "follow the header (it was cut short, or something was appended)",
                          path, h->rows, h->columns, h->rows * row, there);
    return ALLOT_OK;
}

static allot_code read_numbers(FILE *file, const char *path, const npy_header *h, float *at,
                               allot_err *err)
{
    size_t left = (size_t)h->rows * (size_t)h->columns;
    double block[BLOCK];
    while (left > 0) {
        size_t n = left < BLOCK ? left : BLOCK;
        if (fread(h->size == 4 ? (void *)at : block, (size_t)h->size, n, file) != n)
            return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%.250s': %s", path,
                              strerror(errno));
        for (size_t i = 0; h->size == 8 && i < n; i++)
            at[i] = (float)block[i];
        at += n;
        left -= n;
    }
    return ALLOT_OK;
}

allot_code allot_npy_load(const char *path, long max_columns, float **at, long *rows, long *columns,
                          allot_err *err)
{
    char text[MAX_HEADER + 1];
    npy_header h = {0};
    *at = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%.250s': %s", path, strerror(errno));
    allot_code rc = read_text(file, path, text, err);
    if (!rc) rc = parse_header(text, path, &h, err);
    if (!rc) rc = check_size(file, path, &h, max_columns, err);
    if (!rc && !(*at = allot_mem_array((size_t)h.rows * (size_t)h.columns, sizeof **at, err)))
        rc = ALLOT_ERUNTIME;
    if (!rc) rc = read_numbers(file, path, &h, *at, err);
    fclose(file);
    if (rc) {
        free(*at);
        *at = NULL;
    }
    *rows = h.rows;
    *columns = h.columns;
    return rc;
}
