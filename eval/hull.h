/* SPDX-License-Identifier: Apache-2.0 */
/* hull.h - the honest baseline: the least concave non-decreasing function above the static
 * strategies, i.e. what random mixtures of them reach at each mean cost; flat beyond the most
 * accurate, and at the cheapest's accuracy below the cheapest. */
#ifndef ALLOT_HULL_H
#define ALLOT_HULL_H

typedef struct {
    int n;
    double *cost;     /* [n] ascending, owned by the caller of allot_hull_make */
    double *accuracy; /* [n] ascending */
    int *point;       /* [n] index of the static strategy at this corner */
} allot_hull;

/* Of the points (cost[i], accuracy[i]), i < n. The three arrays of *out hold room for n. */
void allot_hull_make(const double *cost, const double *accuracy, int n, allot_hull *out);
double allot_hull_at(const allot_hull *h, double cost);

/* Piecewise-linear interpolation through points sorted by cost, flat outside. */
double allot_interpolate(const double *cost, const double *accuracy, int n, double at);

#endif
