/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - the lines of a run's journal. Raw texts only: grading happens when labels are made.
 * Types ("t"): sample (one pool sample), score (reward-model scores of a pool sample), beam (one
 * whole beam-search run), timed (one timed whole strategy), error (will be tried again on resume).
 * Every record carries "cfg", the run's name of its generation fingerprint
 * (allot_rundir_cfg), so changed settings cannot mix. */
#ifndef ALLOT_RECORD_H
#define ALLOT_RECORD_H
#include "lib/core/buf.h"
#include "liballot/strategy.h"
#include "lib/store/querykey.h"

typedef enum {
    ALLOT_REC_SAMPLE,
    ALLOT_REC_SCORE,
    ALLOT_REC_BEAM,
    ALLOT_REC_TIMED,
    ALLOT_REC_ERROR
} allot_record_type;

typedef enum { ALLOT_FINISH_STOP, ALLOT_FINISH_LENGTH, ALLOT_FINISH_OTHER } allot_finish;

/* One generated text: a pool sample, or a finished beam. */
typedef struct {
    char *text;          /* owned, NUL-terminated UTF-8 */
    size_t n;            /* bytes */
    allot_finish finish; /* stop = end of sequence or stop string */
    long n_tokens;       /* generated tokens */
    double *scores;      /* owned [n_scores]: reward of each step; NULL when not scored */
    int n_scores;
    int prm_truncated; /* the reward model saw a shortened text */
    int cut;           /* ended for length below the limit asked for: by the server's context */
    int judged;        /* imported with a judgement: 1 = right, 2 = wrong; 0 = to be graded */
} allot_generation;

typedef struct {
    long n_tokens;   /* generated in this round, pruned beams included */
    long prm_tokens; /* read by the reward model */
    double gen_s, prm_s;
} allot_round;

typedef struct {
    allot_record_type type;
    char cfg[17];
    allot_key key;
    char source[ALLOT_STRATEGY_TEXT]; /* "pool", or the strategy's canonical text; a beam search is
                                         stored under its text with final=best (one run serves both)
                                       */
    int run;                          /* repeated runs of a beam or a timing; 0 for pool */
    int slot;                         /* index of the sample in the pool; 0 for others */
    uint64_t seed;                    /* sent to the server (sample) or base of the run (beam) */
    int attempt;    /* redraws of all its texts; a sample has the seed of this attempt */
    int draws;      /* attempts on which the server failed for good: error: at its text, so that
                       the next try begins with the attempt of this number; -1 = not told (an
                       older file). Others: in earlier calls, its own attempts follow */
    int retries;    /* HTTP retries that this took */
    double t_start; /* epoch seconds */
    allot_generation *gen; /* owned [n_gen]: 1 for sample; finished beams in finishing order; for
                              score: gen[0].scores only */
    int n_gen;
    allot_round *rounds; /* owned [n_rounds]; beam and timed */
    int n_rounds;
    long n_tokens; /* all generated tokens of the unit */
    long prompt_tokens, cached_tokens, prm_tokens;
    double seconds, gen_s, prm_s, ttft_s; /* wall-clock; ttft: to a text's first piece,
                                             the mean of all texts; NaN if unknown */
    double client_s;   /* timed: of `seconds`, this program's own; NaN if unknown */
    int load;          /* timed, and errors of timings: declared queries in flight; else 0 */
    int foreign;       /* timed: the server had other load */
    allot_code code;   /* error */
    char *message;     /* owned; error */
    uint64_t texts_id; /* not in the file: allot_record_texts_id of its line; 0 = not asked for */
    int n_texts, n_length, n_cut; /* not in the file: its texts, those that ended for length, those
                                     marked as cut; see allot_record_texts */
} allot_record;

void allot_record_clear(allot_record *r);
/* One JSON line without newline, appended to out. */
ALLOT_MUST_CHECK allot_code allot_record_print(const allot_record *r, allot_buf *out,
                                               allot_err *err);
ALLOT_MUST_CHECK allot_code allot_record_parse(const char *line, size_t n, const char *where,
                                               allot_record *out, allot_err *err);
/* The same without the generated texts (n_gen = 0), of which only allot_record_texts tells:
 * several times as fast, for those who only ask which units there are. */
ALLOT_MUST_CHECK allot_code allot_record_parse_head(const char *line, size_t n, const char *where,
                                                    allot_record *out, allot_err *err);
/* Sets texts_id and the numbers of texts from the record's line, as the skimming reader does. */
void allot_record_texts(allot_record *r, const char *line, size_t n);
/* A hash of the generated texts in a record's line, equal for equal texts; 0 if it has none. */
uint64_t allot_record_texts_id(const char *line, size_t n);
#endif
