/* SPDX-License-Identifier: Apache-2.0 */
/* selectinput.h - the queries to decide about and their embeddings: built-in n-grams, given
 * numbers, an embeddings file or a server. */
#ifndef ALLOT_SELECTINPUT_H
#define ALLOT_SELECTINPUT_H
#include <cjson/cJSON.h>
#include "lib/net/embedclient.h"
#include "lib/store/embeddings.h"
#include "liballot/bundle.h"

typedef struct {
    char *text; /* owned; NULL when only key and length are known */
    size_t n;   /* bytes of text */
    size_t codepoints;
    allot_key key;
    float *embedding; /* owned [D]; NULL until found */
} allot_select_query;

void allot_select_query_clear(allot_select_query *q);

/* Where embeddings come from. At most one of vector, file and client.base_url is set; else n-grams
 * or, in JSONL, the field "embedding". */
typedef struct {
    const char *vector;       /* JSON file with D numbers */
    const char *file;         /* X.emb.h5, looked up by key */
    allot_embedclient client; /* model NULL = the bundle's */
} allot_select_source;

/* An embeddings file that was checked against the bundle. Zero when there is none. */
typedef struct {
    allot_embeddings at;
    allot_keyindex index;
} allot_select_file;

ALLOT_MUST_CHECK allot_code allot_select_open(const allot_select_source *s, const allot_bundle *b,
                                              allot_select_file *out, allot_err *err);
void allot_select_close(allot_select_file *f);

/* Query from text (copied) or from one JSONL line {"problem": text, "embedding": [D]?}. */
ALLOT_MUST_CHECK allot_code allot_select_read_text(const char *text, size_t n,
                                                   allot_select_query *out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_select_read_line(const char *line, size_t n, const char *where,
                                                   int dim, allot_select_query *out,
                                                   allot_err *err);

/* Fills the embeddings that are missing in q[n]. */
ALLOT_MUST_CHECK allot_code allot_select_embed(const allot_select_source *s,
                                               const allot_select_file *f, const allot_bundle *b,
                                               allot_select_query *q, long n, allot_err *err);
#endif
