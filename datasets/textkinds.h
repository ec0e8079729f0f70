/* SPDX-License-Identifier: Apache-2.0 */
/* textkinds.h - problems that a grader of final answers cannot use, told by their wording. Pure. */
#ifndef ALLOT_TEXTKINDS_H
#define ALLOT_TEXTKINDS_H
#include <stddef.h>

/* 1 if the text asks for a proof: the word "prove" or "disprove", or a sentence or clause that
 * begins with "show that" or "demonstrate that", in any case. */
int allot_text_is_proof(const char *text, size_t n);

/* 1 if options to choose from are listed: (A), (B), (C) in this order (also as \textbf{(A)}), or
 * lines that begin with A), A. or A: and so on. Small letters name parts of a question: not these.
 */
int allot_text_is_choice(const char *text, size_t n);
#endif
