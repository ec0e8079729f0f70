/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes runs of 1 to 4 bytes into signed places, damps the counts, and scales to length 1. */
#include "ngram.h"
#include <math.h>
#include <string.h>
#include "strategy.h"

enum { MAX_GRAM = 4 };

/* FNV-1a's low and high bits are weak for short inputs; this spreads them (MurmurHash3, fmix64). */
static uint64_t spread(uint64_t h)
{
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ (h >> 33);
}

/* Counts the n-grams that end with the last byte of the window. */
static void count_grams(const unsigned char *window, int filled, int dim, float *out)
{
    for (int n = 1; n <= filled; n++) {
        uint64_t h = spread(allot_fnv1a(ALLOT_FNV_START, window + MAX_GRAM - n, (size_t)n));
        out[(h >> 1) % (uint64_t)dim] += h & 1 ? 1.0f : -1.0f;
    }
}

static void damp_and_scale(int dim, float *out)
{
    double squares = 0;
    for (int i = 0; i < dim; i++) {
        out[i] = copysignf(log1pf(fabsf(out[i])), out[i]);
        squares += (double)out[i] * out[i];
    }
    if (squares > 0)
        for (int i = 0; i < dim; i++)
            out[i] = (float)(out[i] / sqrt(squares));
}

static int is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void allot_ngram_embed(const char *text, size_t n, int dim, float *out)
{
    unsigned char window[MAX_GRAM] = {0};
    int filled = 0;
    memset(out, 0, (size_t)dim * sizeof *out);
    while (n > 0 && is_blank((unsigned char)text[n - 1]))
        n--;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_blank(c)) {
            if (filled == 0 || window[MAX_GRAM - 1] == ' ') continue;
            c = ' ';
        } else if (c >= 'A' && c <= 'Z') {
            c = (unsigned char)(c - 'A' + 'a');
        }
        memmove(window, window + 1, MAX_GRAM - 1);
        window[MAX_GRAM - 1] = c;
        if (filled < MAX_GRAM) filled++;
        count_grams(window, filled, dim, out);
    }
    damp_and_scale(dim, out);
}
