/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor that never passes the end of the file, and typed access to the values and tensors it
 * found. */
#include "demo/gguf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/atomicfile.h"
#include "liballot/mem.h"

#define MAX_BYTES ((size_t)1 << 30)
#define MAX_ITEMS 65536 /* metadata values, and tensors */

/* A reading position; left never grows. */
typedef struct {
    const uint8_t *at;
    size_t left;
} cursor;

static int take(cursor *c, void *out, size_t n)
{
    if (c->left < n) return 0;
    memcpy(out, c->at, n);
    c->at += n;
    c->left -= n;
    return 1;
}

static int skip(cursor *c, uint64_t n)
{
    if (c->left < n) return 0;
    c->at += n;
    c->left -= (size_t)n;
    return 1;
}

static int take_text(cursor *c, allot_gguf_text *out)
{
    uint64_t n;
    if (!take(c, &n, sizeof n) || c->left < n) return 0;
    out->at = (const char *)c->at;
    out->n = (size_t)n;
    return skip(c, n);
}

/* Bytes of one value of a scalar type; 0 for strings, arrays and unknown types. */
static size_t scalar_size(uint32_t type)
{
    static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < sizeof sizes ? sizes[type] : 0;
}

/* Steps over a value, noting where it is. Arrays of arrays have no use here and are refused, which
 * also bounds the depth. */
static int take_value(cursor *c, allot_gguf_value *v)
{
    uint32_t item;
    v->count = 1;
    if (!take(c, &v->type, sizeof v->type)) return 0;
    item = v->type;
    if (v->type == ALLOT_GGUF_ARRAY) {
        if (!take(c, &item, sizeof item) || !take(c, &v->count, sizeof v->count)) return 0;
        v->item_type = item;
    }
    v->at = c->at;
    if (item == ALLOT_GGUF_STRING) {
        allot_gguf_text text;
        for (uint64_t i = 0; i < v->count; i++) {
            if (!take_text(c, &text)) return 0;
        }
        return 1;
    }
    size_t size = scalar_size(item);
    return size != 0 && v->count <= c->left / size && skip(c, v->count * size);
}

static size_t tensor_value_size(uint32_t type)
{
    return type == 0 ? 4 : type == 1 || type == 30 ? 2 : 0;
}

static allot_code broken(const allot_gguf *g, allot_err *err, const char *what)
{
    return allot_fail(err, ALLOT_EINPUT,
                      "cannot read '%s': %s (truncated, damaged, or not a GGUF file)", g->path,
                      what);
}

/* Reads a tensor's row of the table; its offset is checked when the data's start is known. */
static allot_code take_tensor(allot_gguf *g, cursor *c, allot_gguf_tensor *t, uint64_t *offset,
                              allot_err *err)
{
    if (!take_text(c, &t->name) || !take(c, &t->n_dims, sizeof t->n_dims))
        return broken(g, err, "the tensor table ends early");
    if (t->n_dims < 1 || t->n_dims > 4)
        return broken(g, err, "a tensor does not have 1 to 4 dimensions");
    t->n_values = 1;
    for (uint32_t d = 0; d < 4; d++) {
        t->dims[d] = 1;
        if (d < t->n_dims && !take(c, &t->dims[d], sizeof t->dims[d]))
            return broken(g, err, "the tensor table ends early");
        if (t->dims[d] == 0 || t->dims[d] > MAX_BYTES / t->n_values)
            return broken(g, err, "a tensor's dimensions are out of range");
        t->n_values *= t->dims[d];
    }
    if (!take(c, &t->type, sizeof t->type) || !take(c, offset, sizeof *offset))
        return broken(g, err, "the tensor table ends early");
    if (tensor_value_size(t->type) == 0)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%s': tensor '%.*s' has type %u; float32, float16 and "
                          "bfloat16 are read (export the model unquantised)",
                          g->path, (int)(t->name.n < 80 ? t->name.n : 80), t->name.at, t->type);
    return ALLOT_OK;
}

static allot_code take_tensors(allot_gguf *g, cursor *c, allot_err *err)
{
    long alignment = 32;
    allot_code code = ALLOT_OK;
    if (allot_gguf_find(g, "general.alignment") != NULL) {
        code = allot_gguf_int(g, "general.alignment", 1, 65536, &alignment, err);
        if (code != ALLOT_OK) return code;
    }
    uint64_t *offsets = allot_mem_array(g->n_tensors, sizeof *offsets, err);
    if (offsets == NULL) return ALLOT_ERUNTIME;
    for (size_t i = 0; i < g->n_tensors && code == ALLOT_OK; i++)
        code = take_tensor(g, c, &g->tensors[i], &offsets[i], err);
    size_t start = g->n - c->left;
    start += ((size_t)alignment - start % (size_t)alignment) % (size_t)alignment;
    for (size_t i = 0; i < g->n_tensors && code == ALLOT_OK; i++) {
        allot_gguf_tensor *t = &g->tensors[i];
        size_t bytes = (size_t)t->n_values * tensor_value_size(t->type);
        if (start > g->n || offsets[i] > g->n - start || bytes > g->n - start - offsets[i])
            code = broken(g, err, "a tensor lies outside of the file");
        else t->at = g->bytes + start + offsets[i];
    }
    free(offsets);
    return code;
}

static allot_code parse(allot_gguf *g, allot_err *err)
{
    cursor c = {g->bytes, g->n};
    char magic[4];
    uint32_t version;
    uint64_t n_tensors, n_values;
    if (!take(&c, magic, 4) || memcmp(magic, "GGUF", 4) != 0)
        return broken(g, err, "it does not begin with 'GGUF'");
    if (!take(&c, &version, 4) || version < 2 || version > 3)
        return broken(g, err, "its version is not 2 or 3");
    if (!take(&c, &n_tensors, 8) || !take(&c, &n_values, 8) || n_tensors > MAX_ITEMS ||
        n_values > MAX_ITEMS)
        return broken(g, err, "the number of tensors or values is out of range");
    g->values = allot_mem_array((size_t)n_values, sizeof *g->values, err);
    g->tensors = allot_mem_array((size_t)n_tensors, sizeof *g->tensors, err);
    if (g->values == NULL || g->tensors == NULL) return ALLOT_ERUNTIME;
    for (; g->n_values < n_values; g->n_values++) {
        allot_gguf_value *v = &g->values[g->n_values];
        if (!take_text(&c, &v->key) || !take_value(&c, v))
            return broken(g, err, "the metadata end early or hold an unknown type");
    }
    g->n_tensors = (size_t)n_tensors;
    return take_tensors(g, &c, err);
}

allot_code allot_gguf_parse(uint8_t *bytes, size_t n, const char *path, allot_gguf *g,
                            allot_err *err)
{
    memset(g, 0, sizeof *g);
    g->path = allot_mem_text(path, strlen(path), err);
    if (g->path == NULL) return ALLOT_ERUNTIME;
    g->bytes = bytes;
    g->n = n;
    allot_code code = parse(g, err);
    if (code != ALLOT_OK) {
        g->bytes = NULL; /* stays with the caller */
        allot_gguf_clear(g);
    }
    return code;
}

allot_code allot_gguf_load(const char *path, allot_gguf *g, allot_err *err)
{
    char *bytes = NULL;
    size_t n = 0;
    memset(g, 0, sizeof *g);
    allot_code code = allot_file_read(path, MAX_BYTES, &bytes, &n, err);
    if (code != ALLOT_OK) return code;
    code = allot_gguf_parse((uint8_t *)bytes, n, path, g, err);
    if (code != ALLOT_OK) free(bytes);
    return code;
}

void allot_gguf_clear(allot_gguf *g)
{
    free(g->path);
    free(g->bytes);
    free(g->values);
    free(g->tensors);
    memset(g, 0, sizeof *g);
}

static int same(const allot_gguf_text *text, const char *name)
{
    return text->n == strlen(name) && memcmp(text->at, name, text->n) == 0;
}

const allot_gguf_value *allot_gguf_find(const allot_gguf *g, const char *key)
{
    for (size_t i = 0; i < g->n_values; i++) {
        if (same(&g->values[i].key, key)) return &g->values[i];
    }
    return NULL;
}

const allot_gguf_tensor *allot_gguf_find_tensor(const allot_gguf *g, const char *name)
{
    for (size_t i = 0; i < g->n_tensors; i++) {
        if (same(&g->tensors[i].name, name)) return &g->tensors[i];
    }
    return NULL;
}

static allot_code absent(const allot_gguf *g, const char *key, const char *kind, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT, "cannot use '%s': '%s' is missing or is not %s", g->path,
                      key, kind);
}

/* The value as a double: exact for all integers that the callers' ranges allow. */
static int scalar(const allot_gguf_value *v, int integer, double *out)
{
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        uint64_t u64;
        int64_t i64;
        float f32;
        double f64;
    } x;
    size_t size = scalar_size(v->type);
    if (size == 0 || v->type == ALLOT_GGUF_BOOL) return 0;
    memcpy(&x, v->at, size);
    switch (v->type) {
    case ALLOT_GGUF_U8:
        *out = x.u8;
        return 1;
    case ALLOT_GGUF_I8:
        *out = x.i8;
        return 1;
    case ALLOT_GGUF_U16:
        *out = x.u16;
        return 1;
    case ALLOT_GGUF_I16:
        *out = x.i16;
        return 1;
    case ALLOT_GGUF_U32:
        *out = x.u32;
        return 1;
    case ALLOT_GGUF_I32:
        *out = x.i32;
        return 1;
    case ALLOT_GGUF_U64:
        *out = (double)x.u64;
        return 1;
    case ALLOT_GGUF_I64:
        *out = (double)x.i64;
        return 1;
    case ALLOT_GGUF_F32:
        *out = (double)x.f32;
        return !integer;
    case ALLOT_GGUF_F64:
        *out = x.f64;
        return !integer;
    default:
        return 0;
    }
}

allot_code allot_gguf_int(const allot_gguf *g, const char *key, long min, long max, long *out,
                          allot_err *err)
{
    const allot_gguf_value *v = allot_gguf_find(g, key);
    double x;
    if (v == NULL || !scalar(v, 1, &x)) return absent(g, key, "an integer", err);
    if (x < (double)min || x > (double)max)
        return allot_fail(err, ALLOT_EINPUT, "cannot use '%s': '%s' is %.0f, not within %ld..%ld",
                          g->path, key, x, min, max);
    *out = (long)x;
    return ALLOT_OK;
}

allot_code allot_gguf_number(const allot_gguf *g, const char *key, double min, double max,
                             double *out, allot_err *err)
{
    const allot_gguf_value *v = allot_gguf_find(g, key);
    double x;
    if (v == NULL || !scalar(v, 0, &x)) return absent(g, key, "a number", err);
    if (!(x >= min && x <= max))
        return allot_fail(err, ALLOT_EINPUT, "cannot use '%s': '%s' is %g, not within %g..%g",
                          g->path, key, x, min, max);
    *out = x;
    return ALLOT_OK;
}

allot_code allot_gguf_bool(const allot_gguf *g, const char *key, int missing, int *out,
                           allot_err *err)
{
    const allot_gguf_value *v = allot_gguf_find(g, key);
    if (v != NULL && v->type != ALLOT_GGUF_BOOL) return absent(g, key, "a boolean", err);
    *out = v == NULL ? missing : *v->at != 0;
    return ALLOT_OK;
}

allot_code allot_gguf_string(const allot_gguf *g, const char *key, allot_gguf_text *out,
                             allot_err *err)
{
    const allot_gguf_value *v = allot_gguf_find(g, key);
    if (v == NULL || v->type != ALLOT_GGUF_STRING) return absent(g, key, "a string", err);
    cursor c = {v->at, (size_t)(g->bytes + g->n - v->at)};
    if (!take_text(&c, out)) return absent(g, key, "a string", err);
    return ALLOT_OK;
}

allot_code allot_gguf_strings(const allot_gguf *g, const char *key, allot_gguf_text **out,
                              size_t *n, allot_err *err)
{
    const allot_gguf_value *v = allot_gguf_find(g, key);
    if (v == NULL || v->type != ALLOT_GGUF_ARRAY || v->item_type != ALLOT_GGUF_STRING)
        return absent(g, key, "an array of strings", err);
    /* parse() has stepped over every item: count cannot exceed the bytes of the file */
    allot_gguf_text *texts = allot_mem_array((size_t)v->count, sizeof *texts, err);
    if (texts == NULL) return ALLOT_ERUNTIME;
    cursor c = {v->at, (size_t)(g->bytes + g->n - v->at)};
    for (uint64_t i = 0; i < v->count; i++) {
        if (!take_text(&c, &texts[i])) {
            free(texts);
            return absent(g, key, "an array of strings", err);
        }
    }
    *out = texts;
    *n = (size_t)v->count;
    return ALLOT_OK;
}

allot_code allot_gguf_int32s(const allot_gguf *g, const char *key, int32_t *out, size_t n,
                             allot_err *err)
{
    const allot_gguf_value *v = allot_gguf_find(g, key);
    if (v == NULL || v->type != ALLOT_GGUF_ARRAY || v->item_type != ALLOT_GGUF_I32 || v->count != n)
        return absent(g, key, "an array of int32 of the right length", err);
    memcpy(out, v->at, n * sizeof *out);
    return ALLOT_OK;
}

static float from_half(uint16_t h)
{
    int exponent = h >> 10 & 31, fraction = h & 1023;
    float x = exponent == 0    ? ldexpf((float)fraction, -24)
              : exponent == 31 ? (fraction != 0 ? NAN : INFINITY)
                               : ldexpf((float)(fraction | 1024), exponent - 25);
    return h >> 15 ? -x : x;
}

static float value_at(const allot_gguf_tensor *t, size_t i)
{
    float x;
    uint16_t h;
    uint32_t bits;
    if (t->type == 0) {
        memcpy(&x, t->at + i * 4, 4);
        return x;
    }
    memcpy(&h, t->at + i * 2, 2);
    if (t->type == 1) return from_half(h);
    bits = (uint32_t)h << 16;
    memcpy(&x, &bits, 4);
    return x;
}

allot_code allot_gguf_floats(const allot_gguf *g, const char *name, size_t rows, size_t columns,
                             float **out, allot_err *err)
{
    const allot_gguf_tensor *t = allot_gguf_find_tensor(g, name);
    if (t == NULL)
        return allot_fail(err, ALLOT_EINPUT, "cannot use '%s': tensor '%s' is missing", g->path,
                          name);
    if (t->dims[0] != columns || t->dims[1] != rows || t->dims[2] != 1 || t->dims[3] != 1)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot use '%s': tensor '%s' is %llu x %llu, the metadata say %zu x %zu",
                          g->path, name, (unsigned long long)t->dims[0],
                          (unsigned long long)t->dims[1], columns, rows);
    float *x = allot_mem_array(rows * columns, sizeof *x, err);
    if (x == NULL) return ALLOT_ERUNTIME;
    for (size_t i = 0; i < rows * columns; i++) {
        x[i] = value_at(t, i);
        if (!isfinite(x[i])) {
            free(x);
            return allot_fail(err, ALLOT_EINPUT,
                              "cannot use '%s': value %zu of tensor '%s' is not finite", g->path, i,
                              name);
        }
    }
    *out = x;
    return ALLOT_OK;
}
