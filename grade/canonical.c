/* SPDX-License-Identifier: Apache-2.0 */
/* canonical.c - the canonical form of an answer. */
#include <ctype.h>
#include <string.h>
#include "grade/grade.h"
#include "grade/normalize.h"
#include "grade/number.h"

size_t allot_canonical(const char *answer, size_t n, char *out, size_t cap)
{
    char text[ALLOT_NORMAL_SIZE], unit[ALLOT_UNIT_SIZE];
    if (cap == 0) return 0;
    out[0] = '\0';
    size_t len = allot_normalise(answer, n, text, unit);
    if (len == 0) return 0;
    mpq_t q;
    mpq_init(q);
    if (allot_number_parse(text, q) &&
        mpz_sizeinbase(mpq_numref(q), 10) + mpz_sizeinbase(mpq_denref(q), 10) + 3 < sizeof text) {
        mpq_get_str(text, 10, q);
        len = strlen(text);
    } else {
        for (char *c = text; *c; c++)
            *c = (char)tolower((unsigned char)*c);
    }
    mpq_clear(q);
    if (len >= cap) return 0;
    memcpy(out, text, len + 1);
    return len;
}
