/* SPDX-License-Identifier: Apache-2.0 */
/* From a query to a choice: its vector, the predicted accuracies, the rule. */
#include "lib/decide/decide.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "liballot/mem.h"

allot_code allot_decider_open(const allot_bundle *b, const allot_vectorsource_config *c,
                              allot_decider *out, allot_err *err)
{
    *out = (allot_decider){.bundle = b};
    allot_code rc = allot_vectorsource_open(b, c, &out->source, err);
    if (rc) return rc;
    out->scratch = allot_mem_array(allot_scratch_floats(b), sizeof *out->scratch, err);
    out->accuracy = allot_mem_array((size_t)b->strategies.count, sizeof *out->accuracy, err);
    if (out->scratch && out->accuracy) return ALLOT_OK;
    allot_decider_close(out);
    return ALLOT_ERUNTIME;
}

void allot_decider_close(allot_decider *d)
{
    allot_vectorsource_close(&d->source);
    free(d->scratch);
    free(d->accuracy);
    memset(d, 0, sizeof *d);
}

static allot_code choose(allot_decider *d, const float *vector, size_t codepoints,
                         const allot_rule *rule, allot_decision *out, allot_err *err)
{
    *out = (allot_decision){.chosen = -1, .accuracy = d->accuracy};
    if (rule)
        return allot_bundle_select(d->bundle, rule, vector, codepoints, d->scratch, d->accuracy,
                                   &out->chosen, err);
    return allot_bundle_predict(d->bundle, vector, codepoints, d->scratch, d->accuracy, err);
}

allot_code allot_decider_choose(allot_decider *d, const allot_decide_query *q,
                                const allot_rule *rule, allot_decision *out, allot_err *err)
{
    return choose(d, q->vector, q->codepoints, rule, out, err);
}

/* A query whose vector is on its way. */
typedef struct {
    allot_decider *decider;
    size_t codepoints;
    allot_rule rule;
    int has_rule;
    allot_decided done;
    void *user;
} pending;

static void embedded(const float *vector, const allot_err *failure, void *user)
{
    pending p = *(const pending *)user;
    allot_decision decision;
    allot_err err = {0};
    free(user);
    if (failure) err = *failure;
    else
        err.code =
            choose(p.decider, vector, p.codepoints, p.has_rule ? &p.rule : NULL, &decision, &err);
    p.done(err.code ? NULL : &decision, err.code ? &err : NULL, p.user);
}

allot_code allot_decider_begin(allot_decider *d, const allot_decide_query *q,
                               const allot_rule *rule, allot_decided done, void *user,
                               allot_err *err)
{
    pending *p = allot_mem_array(1, sizeof *p, err);
    if (!p) return ALLOT_ERUNTIME;
    *p = (pending){.decider = d, .codepoints = q->codepoints, .done = done, .user = user};
    p->has_rule = rule != NULL;
    if (rule) p->rule = *rule;
    allot_code rc = allot_vectorsource_begin(&d->source, q, embedded, free, p, err);
    if (rc) free(p);
    return rc;
}

double allot_decide_seconds(const allot_bundle *b, int strategy)
{
    return b->costs.has_seconds ? b->costs.at[strategy].seconds.mean : NAN;
}

void allot_decide_add_rate(cJSON *to, const allot_rule *rule)
{
    cJSON *rate = cJSON_AddObjectToObject(to, "exchange_rate");
    allot_json_add_number(rate, "accuracy", ALLOT_RATE_ACCURACY);
    allot_json_add_number(rate, "tokens", ALLOT_RATE_ACCURACY / rule->lambda_per_token);
    allot_json_add_number(rate, "seconds", ALLOT_RATE_ACCURACY / rule->lambda_per_second);
}
