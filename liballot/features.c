/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths and one-hot places of the strategy part, taken from the table of methods. */
#include "features.h"
#include <limits.h>
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

static int place_of(allot_feature_layout layout, allot_method m)
{
    const allot_method_row *row = allot_method_of(m);
    return layout == ALLOT_FEATURES_PAPER ? row->place_paper : row->place_default;
}

/* The first places of the one-hot are there for every set, whether it uses their methods or not. */
static int n_always(allot_feature_layout layout)
{
    return layout == ALLOT_FEATURES_PAPER ? 4 : 5;
}

/* Methods of the set whose place is one of those behind, and below `place`. */
static int n_later(allot_feature_layout layout, const allot_strategies *set, int place)
{
    int n = 0;
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        int at = place_of(layout, (allot_method)m);
        n += at >= n_always(layout) && at < place && allot_strategies_use(set, (allot_method)m);
    }
    return n;
}

static int n_places(allot_feature_layout layout, const allot_strategies *set)
{
    return n_always(layout) + n_later(layout, set, INT_MAX);
}

int allot_features_always(allot_method m)
{
    return place_of(ALLOT_FEATURES_DEFAULT, m) < n_always(ALLOT_FEATURES_DEFAULT);
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
    int dim = 3 + n_places(layout, set);
    for (int i = 0; i < set->count; i++)
        dim += place_of(layout, set->at[i].method) == ALLOT_PLACE_EACH;
    for (int option = 0; option < N_OPTIONS; option++)
        dim += option_occurs(set, option);
    return dim;
}

static float number_feature(allot_feature_layout layout, int value)
{
    return layout == ALLOT_FEATURES_PAPER ? (float)value : (float)log2(value < 1 ? 1 : value);
}

static allot_code no_place(const allot_strategy *s, allot_err *err)
{
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(s, text);
    return allot_fail(err, ALLOT_EINPUT,
                      "strategy '%s' has no place in the paper's features (leave it out, or train "
                      "without --paper)",
                      text);
}

allot_code allot_features_strategy(allot_feature_layout layout, const allot_strategies *set,
                                   float *out, allot_err *err)
{
    int dim = allot_features_strategy_dim(layout, set);
    int n_hot = n_places(layout, set), n_each = 0;
    memset(out, 0, (size_t)set->count * (size_t)dim * sizeof *out);
    for (int i = 0; i < set->count; i++) {
        const allot_strategy *s = &set->at[i];
        float *row = out + (size_t)i * (size_t)dim;
        int place = place_of(layout, s->method);
        if (place == ALLOT_PLACE_NONE) return no_place(s, err);
        row[0] = number_feature(layout, s->n);
        row[1] = number_feature(layout, s->width);
        row[2] = number_feature(layout, s->depth);
        if (place >= n_always(layout)) place = n_always(layout) + n_later(layout, set, place);
        row[3 + (place == ALLOT_PLACE_EACH ? n_hot + n_each++ : place)] = 1;
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
