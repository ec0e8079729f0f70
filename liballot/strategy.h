/* SPDX-License-Identifier: Apache-2.0 */
/* strategy.h - a decoding strategy, its text form and the ordered set of them.
 *
 * Text form: method@N[xMxD][;key=value], e.g. "single", "majority@8", "bon@16;agg=min",
 * "beam@8x4x20;final=vote", or named:"any text" for strategies measured elsewhere.
 * It is canonical: parse(print(s)) = s and print(parse(text)) is the only spelling that is written
 * to files. Aliases on input: majority_vote, self_consistency, best_of_n, naive,
 * weighted_best_of_n, beam_search.
 * Source: arXiv:2509.09864, section 2.1 and table 1. */
#ifndef ALLOT_STRATEGY_H
#define ALLOT_STRATEGY_H
#include <stddef.h>
#include <stdint.h>
#include "err.h"

/* A new method is one value here (the order means nothing), one row in the table of strategy.c, and
 * what it does in lib/methods and lib/engine (CONTRIBUTING.md). */
typedef enum {
    ALLOT_SINGLE,   /* one sample at the run's temperature */
    ALLOT_MAJORITY, /* self-consistency: N samples, largest class of equal answers */
    ALLOT_BON,      /* best-of-N: N samples, the answer of the highest reward-model score */
    ALLOT_WEIGHTED, /* N samples, answer class with the largest sum of scores */
    ALLOT_BEAM,     /* reward-model guided beam search */
    ALLOT_DVTS,     /* diverse verifier tree search: N / M independent subtrees of width M */
    ALLOT_NAMED,    /* anything measured elsewhere; one-hot features only */
    ALLOT_N_METHODS /* so many does this build know */
} allot_method;

/* Where the answer of a method comes from. */
typedef enum {
    ALLOT_POOLED,   /* candidates drawn from the samples that all such methods of a query share */
    ALLOT_SEARCH,   /* runs of its own */
    ALLOT_ELSEWHERE /* measured elsewhere, not run here */
} allot_method_kind;

enum { ALLOT_TAKES_AGG = 1, ALLOT_TAKES_FINAL = 2, ALLOT_TAKES_NAME = 4 };

/* Where a method stands in the one-hot of a layout of features (features.h), if not at a number. */
enum { ALLOT_PLACE_NONE = -1, ALLOT_PLACE_EACH = -2 }; /* nowhere; one for each of its strategies */

/* What is known of a method as data. */
typedef struct {
    const char *name;       /* canonical; "single" */
    const char *aliases[3]; /* also read, never written; NULL-terminated */
    allot_method_kind kind;
    int needs_scores;    /* of a reward model */
    int n_numbers;       /* of its text: 0, 1 (N) or 3 (N x M x D) */
    int n_by_width;      /* N must be a multiple of M */
    int options;         /* of its text: ALLOT_TAKES_... */
    int place_default;   /* in the default layout... */
    int place_paper;     /* ...and in the paper's: a number or ALLOT_PLACE_... */
    const char *example; /* of its text */
} allot_method_row;

typedef enum { ALLOT_AGG_LAST, ALLOT_AGG_MIN, ALLOT_AGG_PROD, ALLOT_AGG_MEAN } allot_agg;
typedef enum { ALLOT_FINAL_BEST, ALLOT_FINAL_VOTE } allot_final;

#define ALLOT_STRATEGY_TEXT 128 /* longest text form with its NUL */
#define ALLOT_MAX_N 4096        /* most samples or beams */
#define ALLOT_MAX_DEPTH 1000    /* most beam-search rounds */
#define ALLOT_MAX_STRATEGIES 1024

typedef struct {
    allot_method method;
    int n;             /* samples or beams, 1..ALLOT_MAX_N; 1 for single and named */
    int width;         /* M: floor(n / width) texts survive a round; 1 unless a search */
    int depth;         /* D: most rounds, 1..ALLOT_MAX_DEPTH; 1 unless a search */
    allot_agg agg;     /* of step scores; last unless told; only where scores are needed */
    allot_final final; /* answer of a search; best unless told */
    char name[ALLOT_STRATEGY_TEXT -
              8]; /* named only: UTF-8 without '"', '\\' or control characters */
} allot_strategy;

/* The row of a method, and its name: for tables and one-hot names. */
const allot_method_row *allot_method_of(allot_method m);
const char *allot_method_name(allot_method m);

allot_method_kind allot_strategy_kind(const allot_strategy *s);
/* Needs a reward model? */
int allot_strategy_uses_prm(const allot_strategy *s);
/* The strategy whose runs serve s: one run of a search answers for each way of choosing among what
 * it finished, and is kept under the text without final. */
allot_strategy allot_strategy_source(const allot_strategy *s);
int allot_strategy_same(const allot_strategy *a, const allot_strategy *b);

/* Parses text (NUL-terminated, aliases allowed) into *out. */
ALLOT_MUST_CHECK allot_code allot_strategy_parse(const char *text, allot_strategy *out,
                                                 allot_err *err);

/* Writes the canonical text of a valid strategy into out[ALLOT_STRATEGY_TEXT]. */
void allot_strategy_print(const allot_strategy *s, char out[ALLOT_STRATEGY_TEXT]);

/* An ordered set without duplicates. The caller owns it: start from zero, clear after use. */
typedef struct {
    allot_strategy *at; /* [count] */
    int count;          /* 1..ALLOT_MAX_STRATEGIES when in use */
} allot_strategies;

ALLOT_MUST_CHECK allot_code allot_strategies_add(allot_strategies *set, const allot_strategy *s,
                                                 allot_err *err); /* refuses duplicates */
void allot_strategies_clear(allot_strategies *set);
/* Index of s in set, or -1. */
int allot_strategies_find(const allot_strategies *set, const allot_strategy *s);
/* Index of s, or else of one that is served by the same runs, or -1. */
int allot_strategies_find_source(const allot_strategies *set, const allot_strategy *s);
/* Does the set have a strategy of this method? */
int allot_strategies_use(const allot_strategies *set, allot_method m);
/* 64-bit FNV-1a of the canonical texts joined by '\n', in order. */
uint64_t allot_strategies_id(const allot_strategies *set);

/* 64-bit FNV-1a over n bytes, continuing from state (start: ALLOT_FNV_START). */
#define ALLOT_FNV_START UINT64_C(0xcbf29ce484222325)
uint64_t allot_fnv1a(uint64_t state, const void *bytes, size_t n);

#endif
