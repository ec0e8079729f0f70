/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes each key to a place in [0, 1) and cuts at the fractions, stratified by rank; then like
 * queries are put together. */
#include "datasets/splitting.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/hash.h"
#include "lib/core/rng.h"
#include "datasets/minhash.h"
#include "liballot/mem.h"

enum { STREAM = 0x73706c74 }; /* "splt" */

void allot_split_defaults(allot_split_settings *s)
{
    *s = (allot_split_settings){.fraction = {0.6, 0.1, 0.1, 0.2}, .by = -1, .seed = 1};
}

allot_code allot_split_fractions(const char *text, allot_split_settings *s, allot_err *err)
{
    double sum = 0;
    const char *at = text;
    for (int i = 0; i < ALLOT_N_SPLITS; i++) {
        char *end;
        double x = strtod(at, &end);
        if (end == at || *end != (i == ALLOT_N_SPLITS - 1 ? '\0' : ',') || !(x > 0 && x <= 1))
            return allot_fail(err, ALLOT_EUSAGE,
                              "--fractions: '%s' is not four numbers above 0 "
                              "(train,validation,calibration,test)",
                              text);
        s->fraction[i] = x;
        sum += x;
        at = end + 1;
    }
    if (fabs(sum - 1) > 1e-9)
        return allot_fail(err, ALLOT_EUSAGE, "--fractions: '%s' add up to %g, not 1", text, sum);
    return ALLOT_OK;
}

static double place_of(const allot_key *key, long seed)
{
    uint64_t words[] = {(uint64_t)seed, STREAM, allot_key_u64(key)};
    return (double)(allot_rng_mix(words, 3) >> 11) * 0x1p-53;
}

static uint8_t split_at(const allot_split_settings *s, double u)
{
    double edge = 0;
    for (int i = 0; i < ALLOT_N_SPLITS - 1; i++)
        if (u < (edge += s->fraction[i])) return (uint8_t)i;
    return ALLOT_TEST;
}

typedef struct {
    const char *stratum;
    size_t n;
    double place;
    long row;
} ranked;

static int by_stratum(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int c = n ? memcmp(x->stratum, y->stratum, n) : 0;
    if (c) return c;
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int same_stratum(const ranked *x, const ranked *y)
{
    return x->n == y->n && (x->n == 0 || memcmp(x->stratum, y->stratum, x->n) == 0);
}

/* Within each stratum the queries are ranked by their place and cut at the fractions. */
static allot_code stratified(const allot_problems *p, const allot_split_settings *s, uint8_t *split,
                             allot_err *err)
{
    ranked *r = allot_mem_array((size_t)p->n, sizeof *r, err);
    if (!r) return ALLOT_ERUNTIME;
    for (long i = 0; i < p->n; i++) {
        r[i].stratum = allot_strings_at(&p->col[s->by], i, &r[i].n);
        r[i].place = place_of(&p->keys[i], s->seed);
        r[i].row = i;
    }
    qsort(r, (size_t)p->n, sizeof *r, by_stratum);
    for (long first = 0, end; first < p->n; first = end) {
        for (end = first + 1; end < p->n && same_stratum(&r[first], &r[end]);)
            end++;
        for (long i = first; i < end; i++)
            split[r[i].row] = split_at(s, ((double)(i - first) + 0.5) / (double)(end - first));
    }
    free(r);
    return ALLOT_OK;
}

/* Queries that are alike follow the first of them: a test query that training has seen in other
 * words would be no test. */
static allot_code keep_together(const allot_problems *p, double threshold, uint8_t *split,
                                allot_err *err)
{
    allot_minhash *text = allot_mem_array((size_t)p->n, sizeof *text, err);
    long *first = allot_mem_array((size_t)p->n, sizeof *first, err);
    allot_code rc = text && first ? ALLOT_OK : ALLOT_ERUNTIME;
    for (long i = 0; !rc && i < p->n; i++) {
        size_t n;
        const char *at = allot_strings_at(&p->col[ALLOT_COL_PROBLEM], i, &n);
        allot_minhash_make(at, n, &text[i]);
    }
    if (!rc) rc = allot_minhash_groups(text, p->n, threshold, first, err);
    for (long i = 0; !rc && i < p->n; i++)
        split[i] = split[first[i]];
    free(text);
    free(first);
    return rc;
}

/* The id names the rule; a split that depends on all rows has an id of all rows. */
static allot_code make_id(const allot_split_settings *s, allot_splits *out, allot_err *err)
{
    allot_buf text = {0};
    allot_buf_printf(&text, "hash;seed=%ld;%s", s->seed, out->fractions);
    if (s->by >= 0 || s->near > 0)
        for (long i = 0; i < out->n; i++) {
            char hex[65];
            allot_key_hex(&out->keys[i], hex);
            allot_buf_printf(&text, "\n%s %d", hex, out->split[i]);
        }
    allot_code rc = allot_buf_check(&text, err);
    if (!rc) allot_short_id(text.at, out->id);
    allot_buf_clear(&text);
    return rc;
}

allot_code allot_split_make(const allot_problems *p, const allot_split_settings *s,
                            allot_splits *out, allot_err *err)
{
    *out = (allot_splits){.n = p->n, .seed = s->seed};
    const double *f = s->fraction;
    int used = snprintf(out->fractions, sizeof out->fractions, "%.10g,%.10g,%.10g,%.10g%s", f[0],
                        f[1], f[2], f[3],
                        s->by < 0                   ? ""
                        : s->by == ALLOT_COL_SOURCE ? ";by=source"
                                                    : ";by=level");
    if (s->near > 0)
        snprintf(out->fractions + used, sizeof out->fractions - (size_t)used, ";near=%.10g",
                 s->near);
    out->keys = allot_mem_array((size_t)p->n, sizeof *out->keys, err);
    out->split = allot_mem_array((size_t)p->n, 1, err);
    allot_code rc = out->keys && out->split ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc) memcpy(out->keys, p->keys, (size_t)p->n * sizeof *out->keys);
    if (!rc && s->by >= 0) rc = stratified(p, s, out->split, err);
    for (long i = 0; !rc && s->by < 0 && i < p->n; i++)
        out->split[i] = split_at(s, place_of(&p->keys[i], s->seed));
    if (!rc && s->near > 0) rc = keep_together(p, s->near, out->split, err);
    if (!rc) rc = make_id(s, out, err);
    if (rc) allot_splits_clear(out);
    return rc;
}
