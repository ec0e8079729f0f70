/* SPDX-License-Identifier: Apache-2.0 */
/* valuemath.c - arithmetic of values: complex numbers beside residues modulo a prime, as long as
 * these are exact. */
#include "lib/grade/valuemath.h"
#include <math.h>

__extension__ typedef unsigned __int128 wide;

uint64_t allot_mod_multiply(uint64_t a, uint64_t b)
{
    return (uint64_t)((wide)a * b % ALLOT_PRIME);
}

uint64_t allot_mod_power(uint64_t a, uint64_t k)
{
    uint64_t r = 1;
    for (; k; k >>= 1, a = allot_mod_multiply(a, a))
        if (k & 1) r = allot_mod_multiply(r, a);
    return r;
}

static void merge(allot_value *a, const allot_value *b)
{
    a->exact &= b->exact;
    a->variable |= b->variable;
    a->decimal |= b->decimal;
    a->branch |= b->branch;
}

int allot_value_is_negative(const allot_value *v)
{
    return cimag(v->z) == 0 && creal(v->z) < 0;
}

void allot_value_add(allot_value *a, const allot_value *b, int minus)
{
    a->z = minus ? a->z - b->z : a->z + b->z;
    a->m = (a->m + (minus ? ALLOT_PRIME - b->m : b->m)) % ALLOT_PRIME;
    merge(a, b);
}

void allot_value_multiply(allot_value *a, const allot_value *b)
{
    a->z *= b->z;
    a->m = allot_mod_multiply(a->m, b->m);
    merge(a, b);
}

int allot_value_divide(allot_value *a, const allot_value *b)
{
    if (b->z == 0 || (b->exact && b->m == 0)) return 0;
    a->z /= b->z; /* modulo a prime, b^(p-2) is 1/b */
    a->m = allot_mod_multiply(a->m, allot_mod_power(b->m, ALLOT_PRIME - 2));
    merge(a, b);
    return 1;
}

int allot_value_raise(allot_value *a, const allot_value *k)
{
    double e = creal(k->z);
    if (k->exact && !k->variable && cimag(k->z) == 0 && e == floor(e) && fabs(e) < 1e15) {
        if (e < 0 && (a->z == 0 || (a->exact && a->m == 0))) return 0;
        uint64_t m = allot_mod_power(a->m, (uint64_t)fabs(e));
        a->m = e < 0 ? allot_mod_power(m, ALLOT_PRIME - 2) : m;
        a->z = cimag(a->z) == 0 ? pow(creal(a->z), e) : cpow(a->z, e);
    } else if (allot_value_is_negative(a) && cimag(k->z) == 0 && !k->variable &&
               fabs(3 * e - round(3 * e)) < 1e-12) { /* (-8)^{1/3} is -2, as \sqrt[3]{-8} is */
        a->z = cpow(cbrt(creal(a->z)), round(3 * e));
        a->branch = 1;
        a->exact = 0;
    } else {
        a->branch |= allot_value_is_negative(a);
        a->z = a->z == 0 ? 0 : cpow(a->z, k->z);
        a->exact = 0;
    }
    merge(a, k);
    return 1;
}

/* n (n - 1) ... / k! of what holds variables. */
static int choose_of_variable(allot_value *n, int k)
{
    allot_value left = *n, one = {.z = 1, .m = 1, .exact = 1};
    *n = one;
    for (int i = 1; i <= k; i++) {
        allot_value down = {.z = i, .m = (uint64_t)i, .exact = 1};
        allot_value_multiply(n, &left);
        if (!allot_value_divide(n, &down)) return 0;
        allot_value_add(&left, &one, 1);
    }
    return 1;
}

int allot_value_choose(allot_value *n, const allot_value *k)
{
    enum { MOST = 20 };
    double a = creal(n->z), b = creal(k->z);
    if (n->variable && !k->variable && b == floor(b) && b >= 0 && b <= MOST)
        return choose_of_variable(n, (int)b);
    if (n->variable || k->variable || a != floor(a) || b != floor(b) || b < 0 || b > a || a > 1000)
        return 0;
    *n = (allot_value){.z = 1, .m = 1, .exact = 1};
    for (int i = 1; i <= (int)b; i++) {
        allot_value up = {.z = a - b + i, .m = (uint64_t)(a - b + i), .exact = 1};
        allot_value down = {.z = i, .m = (uint64_t)i, .exact = 1};
        allot_value_multiply(n, &up);
        if (!allot_value_divide(n, &down)) return 0;
    }
    return 1;
}

int allot_value_factorial(allot_value *v)
{
    double n = creal(v->z);
    if (v->variable) { /* (n+1) n! is (n+1)! */
        v->z = tgamma(n + 1);
        v->exact = 0;
        return cimag(v->z) == 0 && isfinite(n);
    }
    if (!v->exact || n != floor(n) || n < 0 || n > 170) return 0;
    *v = (allot_value){.z = 1, .m = 1, .exact = 1};
    for (uint64_t i = 2; i <= (uint64_t)n; i++) {
        v->z *= (double)i;
        v->m = allot_mod_multiply(v->m, i);
    }
    return 1;
}
