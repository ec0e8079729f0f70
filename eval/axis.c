/* SPDX-License-Identifier: Apache-2.0 */
/* One axis of costs (tokens or seconds) from statics to band, and the verdict in words. */
#include <math.h>
#include <stdio.h>
#include "eval/report.h"

allot_code allot_axis_make(const allot_evaldata *d, int by_seconds, const allot_report_settings *s,
                           allot_axis_result *out, allot_err *err)
{
    *out = (allot_axis_result){.unit = by_seconds ? "seconds" : "tokens",
                               .realised = by_seconds ? d->seconds : d->tokens};
    const double *table = by_seconds ? d->table_seconds : d->table_tokens;
    allot_belief belief = {.name = "adaptive", .accuracy = d->p, .cost = table};
    allot_code rc =
        allot_trajectory_make(d, &belief, d->label, out->realised, s->max_lambdas, &out->rule, err);
    if (!rc && d->half[0])
        rc = allot_trajectory_crossfit(d, table, out->realised, s->max_lambdas, &out->oracle, err);
    if (!rc)
        rc = allot_band_make(d, out->realised, &out->rule, out->oracle.k ? &out->oracle : NULL,
                             s->resamples, s->seed, &out->band, err);
    if (rc) allot_axis_clear(out);
    return rc;
}

void allot_axis_clear(allot_axis_result *a)
{
    allot_trajectory_clear(&a->rule);
    allot_trajectory_clear(&a->oracle);
    allot_band_clear(&a->band);
    *a = (allot_axis_result){0};
}

void allot_axis_verdict(const allot_axis_result *a, char *out, size_t room)
{
    const allot_band *b = &a->band;
    char above[80], below[80];
    if (b->n_above)
        snprintf(above, sizeof above, "above it at %d of %d costs", b->n_above, ALLOT_BAND_POINTS);
    else snprintf(above, sizeof above, "nowhere significantly above it");
    if (b->n_below)
        snprintf(below, sizeof below, "significantly BELOW the hull at %d of %d costs", b->n_below,
                 ALLOT_BAND_POINTS);
    else snprintf(below, sizeof below, "never significantly below the hull");
    snprintf(out, room, "%s, %s", below, above);
}
