/* SPDX-License-Identifier: Apache-2.0 */
/* The cost table's numbers by name, and its end. */
#include "cost.h"
#include <stdlib.h>

#define FIELD(name, quantile)                                                                      \
    {                                                                                              \
#name, offsetof(allot_cost_stat, name), quantile                                           \
    }
const allot_cost_field allot_cost_fields[ALLOT_N_COST_FIELDS] = {
    FIELD(mean, 0),   FIELD(se, 0),     FIELD(p50, 0.50),
    FIELD(p90, 0.90), FIELD(p95, 0.95), FIELD(p99, 0.99),
};

double allot_cost_number(const allot_cost_stat *s, int i)
{
    return *(const double *)((const char *)s + allot_cost_fields[i].offset);
}

double *allot_cost_at(allot_cost_stat *s, int i)
{
    return (double *)((char *)s + allot_cost_fields[i].offset);
}

void allot_costs_clear(allot_costs *c)
{
    free(c->at);
    *c = (allot_costs){0};
}
