/* SPDX-License-Identifier: Apache-2.0 */
/* compare.h - several bundles (two embeddings, paper mode against default) on the same outcomes and
 * test queries: each against the hull, and each against the first, paired over the same resamples.
 */
#ifndef ALLOT_COMPARE_H
#define ALLOT_COMPARE_H
#include "eval/report.h"

enum { ALLOT_MAX_CANDIDATES = 16 };

typedef struct {
    char name[64];
    char *bundle; /* owned paths */
    char *embeddings;
} allot_candidate;

/* "name=model.safetensors:x.emb.h5" */
ALLOT_MUST_CHECK allot_code allot_candidate_parse(const char *text, allot_candidate *out,
                                                  allot_err *err);
void allot_candidate_clear(allot_candidate *c);

/* Writes compare.json, compare.csv, summary.txt and pictures into dir; files->embeddings is not
 * looked at: each candidate has its own. Results as in allot_report_write. */
ALLOT_MUST_CHECK allot_code allot_compare_write(const allot_candidate *c, int n,
                                                const allot_joined_files *files,
                                                const allot_report_settings *s, const char *dir,
                                                char **summary, cJSON **json, allot_err *err);
#endif
