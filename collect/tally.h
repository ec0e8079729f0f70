/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h - what the records of a run say of its units: tokens, and how long each kept the servers.
 * A span's share of the servers at a moment is its requests in flight over all that are, as if they
 * were served equally; so what units took while many others ran can be added up, and idle time
 * between sessions counts for nothing. Rows are queries, columns kinds of units: samples, scores,
 * then each beam search. */
#ifndef ALLOT_TALLY_H
#define ALLOT_TALLY_H
#include "collect/sample_plan.h"

enum {
    ALLOT_TALLY_MAX_ROWS = 20000, /* queries; more would tell no more */
    ALLOT_TALLY_MAX_SPANS = 65536 /* the latest records, of which the seconds are taken */
};

/* Sums over units of one kind and one query. */
typedef struct {
    double n, tokens, read, rounds; /* read: prompt tokens, those of the reward model included */
    double n_timed;
    double server_s; /* of the servers: their time, shared among what ran */
    double least_s;  /* the same, if fewer requests than the run allows were as slow as all are */
} allot_seen;

/* One record while it ran. */
typedef struct {
    double from_s, to_s, requests; /* epoch; requests in flight, on average */
    long at;                       /* of seen[], -1 = no row */
    double server_s, least_s;
} allot_span;

typedef struct {
    const allot_sample_plan *plan; /* borrowed */
    int n_kinds;
    long *row_of;     /* owned [queries]: row + 1, 0 = none */
    allot_seen *seen; /* owned [n_rows][n_kinds] */
    long n_rows;
    int chosen;        /* rows are a random choice: only these queries' tokens count */
    allot_span *spans; /* owned [n_spans], the latest */
    long n_spans, n_records;
    size_t row_capacity, span_capacity;
    double busy_s;   /* time in which anything ran, once shared out */
    double excess_s; /* of it: what would have been saved by as many requests as allowed */
} allot_tally;

/* plan is borrowed. */
ALLOT_MUST_CHECK allot_code allot_tally_init(allot_tally *t, const allot_sample_plan *plan,
                                             allot_err *err);
void allot_tally_clear(allot_tally *t); /* safe on zero */
/* Gives a query of the random choice its row; before any record is added. */
ALLOT_MUST_CHECK allot_code allot_tally_choose(allot_tally *t, long q, allot_err *err);
/* Counts a record that fulfils `unit` of query q. On a zero tally nothing is done. */
ALLOT_MUST_CHECK allot_code allot_tally_add(allot_tally *t, long q, int unit,
                                            const allot_record *rec, allot_err *err);
/* Fills in the seconds, once all records are added. max_requests: in flight, as the run allows. */
ALLOT_MUST_CHECK allot_code allot_tally_share(allot_tally *t, int max_requests, allot_err *err);
#endif
