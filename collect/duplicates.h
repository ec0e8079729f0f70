/* SPDX-License-Identifier: Apache-2.0 */
/* duplicates.h - finds a server that gives the same text to every seed: then votes agree because
 * nothing was drawn, and a pool says nothing of how sure a model is. Short texts may well agree, a
 * share of long ones that do, at a temperature above 0, does not come by chance. 16 bytes a query.
 */
#ifndef ALLOT_DUPLICATES_H
#define ALLOT_DUPLICATES_H
#include "lib/store/record.h"

#define ALLOT_DUPLICATES_MIN_SAMPLES 4  /* of a query, before it is looked at */
#define ALLOT_DUPLICATES_MIN_TOKENS 100 /* of each of its texts */
#define ALLOT_DUPLICATES_MIN_QUERIES 5  /* with one text only, before that is told */
#define ALLOT_DUPLICATES_MIN_SHARE 0.1  /* of the queries that were looked at */

typedef struct {
    uint64_t first;   /* texts_id of the first sample */
    uint32_t n;       /* samples */
    uint8_t is_short; /* a text was short or has no id: not looked at */
    uint8_t differs;  /* a text was another one */
} allot_duplicates_query;

typedef struct {
    allot_duplicates_query *at; /* owned [n_queries] */
    long n_compared;            /* queries with enough long texts */
    long n_identical;           /* of these, with one text only */
} allot_duplicates;

ALLOT_MUST_CHECK allot_code allot_duplicates_init(allot_duplicates *d, long n_queries,
                                                  allot_err *err);
void allot_duplicates_clear(allot_duplicates *d);
/* A sample of query q; each once, other records are left out. */
void allot_duplicates_add(allot_duplicates *d, long q, const allot_record *rec);
/* 1 if the server gives the same text again and again. */
int allot_duplicates_alarm(const allot_duplicates *d);
#endif
