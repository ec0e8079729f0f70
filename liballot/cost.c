/* SPDX-License-Identifier: Apache-2.0 */
#include "cost.h"
#include <stdlib.h>

void allot_costs_clear(allot_costs *c)
{
    free(c->at);
    *c = (allot_costs){0};
}
