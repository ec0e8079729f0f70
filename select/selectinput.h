/* SPDX-License-Identifier: Apache-2.0 */
/* selectinput.h - queries and vectors that the caller gives: JSON lines, and JSON lists of numbers.
 */
#ifndef ALLOT_SELECTINPUT_H
#define ALLOT_SELECTINPUT_H
#include "lib/decide/queryvector.h"

/* Query from one JSONL line {"problem": text, "embedding": [dim]?}; where is for messages. */
ALLOT_MUST_CHECK allot_code allot_select_read_line(const char *line, size_t n, const char *where,
                                                   int dim, allot_decide_query *out,
                                                   allot_err *err);
/* q's vector from a JSON file with a list of dim numbers. */
ALLOT_MUST_CHECK allot_code allot_select_read_vector(const char *path, int dim,
                                                     allot_decide_query *q, allot_err *err);
#endif
