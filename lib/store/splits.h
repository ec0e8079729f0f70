/* SPDX-License-Identifier: Apache-2.0 */
/* splits.h - splits.h5: which query is for what. Arrays: key uint8 [Q,32], split uint8 [Q].
 * Attributes: seed, fractions (text), split_id. A query in two splits cannot be written. */
#ifndef ALLOT_SPLITS_H
#define ALLOT_SPLITS_H
#include "lib/store/querykey.h"

#define ALLOT_SPLITS_SCHEMA "allot-splits"
typedef enum {
    ALLOT_TRAIN,
    ALLOT_VALIDATION,
    ALLOT_CALIBRATION,
    ALLOT_TEST,
    ALLOT_N_SPLITS
} allot_split;

const char *allot_split_name(allot_split s); /* "train", "validation", "calibration", "test" */
ALLOT_MUST_CHECK allot_code allot_split_parse(const char *text, allot_split *out, allot_err *err);

typedef struct {
    long n;
    allot_key *keys; /* owned [n], unique */
    uint8_t *split;  /* owned [n], allot_split */
    char id[17];     /* split id: of (rule, seed, fractions); of all rows when stratified */
    long seed;
    char fractions[128];  /* e.g. "0.6,0.1,0.1,0.2" and, if any, ";by=source;near=0.8" */
    allot_keyindex index; /* of keys */
} allot_splits;

ALLOT_MUST_CHECK allot_code allot_splits_load(const char *path, allot_splits *out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_splits_save(const char *path, const allot_splits *s,
                                              const char *tool, const char *const *inputs,
                                              allot_err *err);
void allot_splits_clear(allot_splits *s);
/* split_of[n] for the keys of another file; a missing key is refused (another data set's split). */
ALLOT_MUST_CHECK allot_code allot_splits_join(const allot_splits *s, const char *splits_file,
                                              const allot_key *keys, long n, const char *keys_file,
                                              uint8_t *split_of, allot_err *err);
#endif
