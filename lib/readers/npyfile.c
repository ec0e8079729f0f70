/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the header strictly, then checks the size of the file against its shape before reading. */
#include "lib/readers/npyfile.h"
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/core/atomicfile.h"
#include "liballot/mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are read as they lie");

enum { MAX_HEADER = 4096, BLOCK = 4096 };
#define REMEDY "(save it with numpy.save(path, x.astype('float32', order='C')))"

typedef struct {
    int size; /* bytes of a number: 2, 4 or 8 */
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

/* Steps over `token` and the blanks before it, if it is there. */
static int eat(const char **at, const char *token)
{
    const char *from = *at + strspn(*at, " ");
    size_t n = strlen(token);
    if (strncmp(from, token, n) != 0) return 0;
    *at = from + n;
    return 1;
}

static int count(const char **at, long *out)
{
    char *end;
    *at += strspn(*at, " ");
    if (**at < '0' || **at > '9') return 0;
    errno = 0;
    *out = strtol(*at, &end, 10);
    *at = end;
    return errno == 0 && *out < 1L << 40;
}

enum { N_KEYS = 3 };

static allot_code parse_type(const char **at, const char *path, npy_header *h, allot_err *err)
{
    if (eat(at, "'<f2'")) h->size = 2;
    else if (eat(at, "'<f4'")) h->size = 4;
    else if (eat(at, "'<f8'")) h->size = 8;
    else if (eat(at, "'>")) return refuse(path, "its numbers are big-endian", err);
    else return refuse(path, "its numbers are not '<f2', '<f4' or '<f8' (float16, 32, 64)", err);
    return ALLOT_OK;
}

static allot_code parse_shape(const char **at, const char *path, npy_header *h, allot_err *err)
{
    if (!eat(at, "(") || !count(at, &h->rows) || !eat(at, ",") || !count(at, &h->columns) ||
        (eat(at, ","), !eat(at, ")")))
        return refuse(path, "its shape is not (rows, columns)", err);
    return ALLOT_OK;
}

static allot_code parse_order(const char **at, const char *path, npy_header *h, allot_err *err)
{
    (void)h;
    if (eat(at, "True")) return refuse(path, "it is stored column by column (fortran_order)", err);
    return eat(at, "False") ? ALLOT_OK : refuse(path, "its fortran_order is not a bool", err);
}

static const char no_dictionary[] =
    "its header is not a dictionary of descr, fortran_order and shape, once each";

/* One key, which *seen has not, and its value; *seen is the sum of 1 << row. */
static allot_code parse_entry(const char **at, const char *path, npy_header *h, int *seen,
                              allot_err *err)
{
    static const struct {
        const char *key;
        allot_code (*parse)(const char **at, const char *path, npy_header *h, allot_err *err);
    } rows[N_KEYS] = {
        {"'descr'", parse_type}, {"'fortran_order'", parse_order}, {"'shape'", parse_shape}};
    int i = 0;
    while (i < N_KEYS && !eat(at, rows[i].key))
        i++;
    if (i == N_KEYS || (*seen & 1 << i) || !eat(at, ":")) return refuse(path, no_dictionary, err);
    *seen |= 1 << i;
    return rows[i].parse(at, path, h, err);
}

/* A Python literal of a dictionary with just these three keys, then blanks and a line end. */
static allot_code parse_header(const char *text, const char *path, npy_header *h, allot_err *err)
{
    const char *at = text;
    int seen = 0, more = eat(&at, "{");
    while (more && !eat(&at, "}")) {
        allot_code rc = parse_entry(&at, path, h, &seen, err);
        if (rc) return rc;
        more = eat(&at, ",");
        if (!more && !eat(&at, "}")) return refuse(path, no_dictionary, err);
    }
    if (seen != (1 << N_KEYS) - 1 || !eat(&at, "\n") || *at)
        return refuse(path, no_dictionary, err);
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

/* IEEE 754 binary16: exact in a float. */
static float of_half(uint16_t x)
{
    int exponent = x >> 10 & 31, fraction = x & 1023;
    float size = exponent == 31 ? (fraction ? NAN : INFINITY)
                 : exponent     ? ldexpf((float)(fraction + 1024), exponent - 25)
                                : ldexpf((float)fraction, -24);
    return x & 0x8000 ? -size : size;
}

static allot_code read_numbers(FILE *file, const char *path, const npy_header *h, float *at,
                               allot_err *err)
{
    size_t left = (size_t)h->rows * (size_t)h->columns;
    union {
        uint16_t half[BLOCK];
        double wide[BLOCK];
    } block;
    while (left > 0) {
        size_t n = left < BLOCK ? left : BLOCK;
        if (fread(h->size == 4 ? (void *)at : &block, (size_t)h->size, n, file) != n)
            return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%.250s': %s", path,
                              strerror(errno));
        for (size_t i = 0; h->size != 4 && i < n; i++)
            at[i] = h->size == 2 ? of_half(block.half[i]) : (float)block.wide[i];
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
    allot_input_note(path);
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
