/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts the statics by cost, keeps the corners that bend down, and interpolates between them. */
#include "eval/hull.h"

double allot_interpolate(const double *cost, const double *accuracy, int n, double at)
{
    if (at <= cost[0]) return accuracy[0];
    if (at >= cost[n - 1]) return accuracy[n - 1];
    int low = 0, high = n - 1;
    while (high - low > 1) {
        int mid = (low + high) / 2;
        if (cost[mid] <= at) low = mid;
        else high = mid;
    }
    double t = (at - cost[low]) / (cost[high] - cost[low]);
    return accuracy[low] + t * (accuracy[high] - accuracy[low]);
}

/* Gift wrapping from the cheapest point: the next corner is the point of steepest rise; the walk
 * ends where nothing is better. S is small, so the plain quadratic form serves. */
void allot_hull_make(const double *cost, const double *accuracy, int n, allot_hull *out)
{
    int at = 0;
    for (int i = 1; i < n; i++)
        if (cost[i] < cost[at] || (cost[i] == cost[at] && accuracy[i] > accuracy[at])) at = i;
    out->n = 0;
    while (at >= 0) {
        out->cost[out->n] = cost[at];
        out->accuracy[out->n] = accuracy[at];
        out->point[out->n++] = at;
        int next = -1;
        double best = 0;
        for (int i = 0; i < n; i++) {
            if (cost[i] <= cost[at] || accuracy[i] <= accuracy[at]) continue;
            double slope = (accuracy[i] - accuracy[at]) / (cost[i] - cost[at]);
            if (slope > best || (slope == best && next >= 0 && cost[i] > cost[next])) {
                best = slope;
                next = i;
            }
        }
        at = next;
    }
}

double allot_hull_at(const allot_hull *h, double cost)
{
    return allot_interpolate(h->cost, h->accuracy, h->n, cost);
}
