/* SPDX-License-Identifier: Apache-2.0 */
/* tokencount.h - numbers of tokens as a server tells them. They become costs, so that what can be
 * no such number is an error and not a mean. */
#ifndef ALLOT_TOKENCOUNT_H
#define ALLOT_TOKENCOUNT_H
#include <cjson/cJSON.h>
#include "liballot/err.h"

/* The number in a field, at least 0; -1 where there is no such field, or null. ALLOT_ESERVER: it is
 * something else (negative, 1.5, a text, above 2^53). */
ALLOT_MUST_CHECK allot_code allot_tokencount_read(const cJSON *o, const char *field, long *out,
                                                  allot_err *err);
#endif
