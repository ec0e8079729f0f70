/* SPDX-License-Identifier: Apache-2.0 */
/* gguf.h - a reader of GGUF model files (versions 2 and 3, little-endian). The file may be hostile:
 * every length is checked against the bytes that are left before it is used. */
#ifndef ALLOT_GGUF_H
#define ALLOT_GGUF_H
#include <stddef.h>
#include <stdint.h>
#include "liballot/err.h"

/* Types of metadata values, as numbered in the format. */
enum {
    ALLOT_GGUF_U8 = 0,
    ALLOT_GGUF_I8,
    ALLOT_GGUF_U16,
    ALLOT_GGUF_I16,
    ALLOT_GGUF_U32,
    ALLOT_GGUF_I32,
    ALLOT_GGUF_F32,
    ALLOT_GGUF_BOOL,
    ALLOT_GGUF_STRING,
    ALLOT_GGUF_ARRAY,
    ALLOT_GGUF_U64,
    ALLOT_GGUF_I64,
    ALLOT_GGUF_F64
};

/* Bytes inside the file, not NUL-terminated. */
typedef struct {
    const char *at;
    size_t n;
} allot_gguf_text;

typedef struct {
    allot_gguf_text key;
    uint32_t type;      /* ALLOT_GGUF_* */
    uint32_t item_type; /* of arrays */
    uint64_t count;     /* items of an array; 1 otherwise */
    const uint8_t *at;  /* the value, or the first item */
} allot_gguf_value;

typedef struct {
    allot_gguf_text name;
    uint32_t n_dims;  /* 1..4 */
    uint64_t dims[4]; /* fastest first; unused ones are 1 */
    uint32_t type;    /* 0 float32, 1 float16, 30 bfloat16 */
    uint64_t n_values;
    const uint8_t *at;
} allot_gguf_tensor;

typedef struct {
    char *path;     /* owned; for messages */
    uint8_t *bytes; /* owned [n]; what all the pointers point into */
    size_t n;
    allot_gguf_value *values; /* owned [n_values] */
    size_t n_values;
    allot_gguf_tensor *tensors; /* owned [n_tensors] */
    size_t n_tensors;
} allot_gguf;

ALLOT_MUST_CHECK allot_code allot_gguf_load(const char *path, allot_gguf *g, allot_err *err);
/* The same from memory: takes over bytes (malloc'd) on success; path is for messages. */
ALLOT_MUST_CHECK allot_code allot_gguf_parse(uint8_t *bytes, size_t n, const char *path,
                                             allot_gguf *g, allot_err *err);
void allot_gguf_clear(allot_gguf *g);

/* NULL when absent. */
const allot_gguf_value *allot_gguf_find(const allot_gguf *g, const char *key);
const allot_gguf_tensor *allot_gguf_find_tensor(const allot_gguf *g, const char *name);

/* An integer of any integer type within [min, max]; absent: an error. */
ALLOT_MUST_CHECK allot_code allot_gguf_int(const allot_gguf *g, const char *key, long min, long max,
                                           long *out, allot_err *err);
/* A finite number within [min, max]. */
ALLOT_MUST_CHECK allot_code allot_gguf_number(const allot_gguf *g, const char *key, double min,
                                              double max, double *out, allot_err *err);
/* A boolean; absent: the default. */
ALLOT_MUST_CHECK allot_code allot_gguf_bool(const allot_gguf *g, const char *key, int absent,
                                            int *out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_gguf_string(const allot_gguf *g, const char *key,
                                              allot_gguf_text *out, allot_err *err);
/* An array of strings: *out [*n], the caller frees; the texts lie in the file's bytes. */
ALLOT_MUST_CHECK allot_code allot_gguf_strings(const allot_gguf *g, const char *key,
                                               allot_gguf_text **out, size_t *n, allot_err *err);
/* An array of int32 with exactly n items, copied to out. */
ALLOT_MUST_CHECK allot_code allot_gguf_int32s(const allot_gguf *g, const char *key, int32_t *out,
                                              size_t n, allot_err *err);
/* A tensor of shape [rows][columns] (columns fastest; rows 1 for a vector) as float32: *out
 * [rows * columns], the caller frees. Refuses another shape and non-finite values. */
ALLOT_MUST_CHECK allot_code allot_gguf_floats(const allot_gguf *g, const char *name, size_t rows,
                                              size_t columns, float **out, allot_err *err);
#endif
