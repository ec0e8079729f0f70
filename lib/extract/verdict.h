/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h - texts that say "true", "false", "yes" or "no". Linear in the text. */
#ifndef ALLOT_VERDICT_H
#define ALLOT_VERDICT_H
#include <stddef.h>

/* "The claim is false, since 9 is not prime" with no digit before the verdict, "Yes, because ...",
 * "After all, true.": its word; 0: there is none. */
int allot_verdict(const char *text, size_t n, const char **start, size_t *len);

#endif
