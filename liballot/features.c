/* SPDX-License-Identifier: Apache-2.0 */
#include "features.h"
#include <math.h>
#include <string.h>
#include "utf8.h"

/* The options that get a 0/1 feature when a strategy of the set has them. */
enum { N_OPTIONS = 4 };

static int has_option(const allot_strategy *s, int option)
{
    static const allot_agg agg[] = {ALLOT_AGG_MIN, ALLOT_AGG_PROD, ALLOT_AGG_MEAN};
    return option < 3 ? s->agg == agg[option] : s->final == ALLOT_FINAL_VOTE;
}

static int option_occurs(const allot_strategies *set, int option)
{
    for (int i = 0; i < set->count; i++)
        if (has_option(&set->at[i], option)) return 1;
    return 0;
}

/* The place of a method in the one-hot of a layout, or -1 where it has none. */
static int method_place(allot_feature_layout layout, allot_method m)
{
    if (m == ALLOT_NAMED) return -1;
    if (layout == ALLOT_FEATURES_DEFAULT) return (int)m;
    static const int paper[] = {[ALLOT_SINGLE] = -1,
                                [ALLOT_BEAM] = 0,
                                [ALLOT_MAJORITY] = 1,
                                [ALLOT_BON] = 2,
                                [ALLOT_WEIGHTED] = 3};
    return paper[m];
}

static int n_method_places(allot_feature_layout layout)
{
    return layout == ALLOT_FEATURES_DEFAULT ? 5 : 4;
}

size_t allot_features_codepoints(const char *text, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; count++) {
        int bytes = allot_utf8_length(text + i, n - i);
        i += bytes ? (size_t)bytes : 1;
    }
    return count;
}

float allot_features_length(allot_feature_layout layout, size_t codepoints)
{
    double n = (double)codepoints;
    return (float)(layout == ALLOT_FEATURES_PAPER ? n : log1p(n));
}

int allot_features_strategy_dim(allot_feature_layout layout, const allot_strategies *set)
{
    int dim = 3 + n_method_places(layout);
    for (int i = 0; i < set->count; i++)
        dim += set->at[i].method == ALLOT_NAMED;
    for (int option = 0; option < N_OPTIONS; option++)
        dim += option_occurs(set, option);
    return dim;
}

static float number_feature(allot_feature_layout layout, int value)
{
    return layout == ALLOT_FEATURES_PAPER ? (float)value : (float)log2(value < 1 ? 1 : value);
}

allot_code allot_features_strategy(allot_feature_layout layout, const allot_strategies *set,
                                   float *out, allot_err *err)
{
    int dim = allot_features_strategy_dim(layout, set);
    int n_named = 0;
    memset(out, 0, (size_t)set->count * (size_t)dim * sizeof *out);
    for (int i = 0; i < set->count; i++) {
        const allot_strategy *s = &set->at[i];
        float *row = out + (size_t)i * (size_t)dim;
        int place = method_place(layout, s->method);
        if (layout == ALLOT_FEATURES_PAPER && place < 0) {
            char text[ALLOT_STRATEGY_TEXT];
            allot_strategy_print(s, text);
            return allot_fail(err, ALLOT_EINPUT,
                              "strategy '%s' has no place in the paper's "
                              "features (leave it out, or train without --paper)",
                              text);
        }
        row[0] = number_feature(layout, s->n);
        row[1] = number_feature(layout, s->width);
        row[2] = number_feature(layout, s->depth);
        int at = 3 + n_method_places(layout);
        if (place >= 0) row[3 + place] = 1;
        else row[at + n_named++] = 1;
    }
    int at = dim;
    for (int option = N_OPTIONS - 1; option >= 0; option--) {
        if (!option_occurs(set, option)) continue;
        at--;
        for (int i = 0; i < set->count; i++)
            out[(size_t)i * (size_t)dim + (size_t)at] = (float)has_option(&set->at[i], option);
    }
    return ALLOT_OK;
}
