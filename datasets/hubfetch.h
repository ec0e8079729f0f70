/* SPDX-License-Identifier: Apache-2.0 */
/* hubfetch.h - the rows of a data set on the Hugging Face hub, by the HTTP interface of its dataset
 * viewer: GET /rows?dataset=&config=&split=&offset=&length= answers {features, rows: [{row_idx,
 * row, truncated_cells}], num_rows_total}. Rows come to OUTPUT.part, page by page, and under the
 * final name when all are there; the same call goes on where it was stopped. */
#ifndef ALLOT_HUBFETCH_H
#define ALLOT_HUBFETCH_H
#include "liballot/err.h"

#define ALLOT_HUB_URL "https://datasets-server.huggingface.co"
enum { ALLOT_HUB_PAGE = 100 }; /* rows of one request: the interface gives no more */

typedef struct {
    const char *url;                      /* of the dataset viewer's server */
    const char *dataset, *config, *split; /* "AI-MO/NuminaMath-CoT", "default", "train" */
    long offset, limit;                   /* first row, and how many; limit 0 = all */
    int max_retries;                      /* of each request */
    double timeout_s;                     /* of each try */
} allot_hub_settings;

void allot_hub_defaults(allot_hub_settings *s);

typedef struct {
    long total;   /* rows of the split */
    long rows;    /* in the output */
    long resumed; /* of these, there already */
    long retries;
} allot_hub_counts;

/* One row a line in output. The key in the environment variable HF_TOKEN, if any, is sent. A row
 * with truncated cells is refused: a short text would pass for the whole. */
ALLOT_MUST_CHECK allot_code allot_hub_fetch(const allot_hub_settings *s, const char *output,
                                            allot_hub_counts *counts, allot_err *err);
#endif
