/* SPDX-License-Identifier: Apache-2.0 */
/* valuemath.h - arithmetic on values, in floating point and modulo 2^61 - 1 at once. What returns
 * int gives 1, or 0 where there is no value (a division by zero); the first operand becomes the
 * result. */
#ifndef ALLOT_VALUEMATH_H
#define ALLOT_VALUEMATH_H
#include <complex.h>
#include <stdint.h>

typedef struct {
    double complex z;
    uint64_t m;   /* residue; meaningful if exact */
    int exact;    /* built from numbers and variables by + - * / and whole powers */
    int variable; /* holds a variable */
    int decimal;  /* holds a decimal fraction */
    int branch;   /* a root, power or logarithm of a negative number: one of several values */
} allot_value;

#define ALLOT_PRIME ((UINT64_C(1) << 61) - 1)

uint64_t allot_mod_multiply(uint64_t a, uint64_t b);
uint64_t allot_mod_power(uint64_t a, uint64_t k);

int allot_value_is_negative(const allot_value *v);
void allot_value_add(allot_value *a, const allot_value *b, int minus);
void allot_value_multiply(allot_value *a, const allot_value *b);
int allot_value_divide(allot_value *a, const allot_value *b);
/* Whole powers are exact; others are taken on the principal branch. */
int allot_value_raise(allot_value *a, const allot_value *k);
/* n over k of whole numbers up to 1000, or of variables and a whole k up to 20; n becomes it. */
int allot_value_choose(allot_value *n, const allot_value *k);
int allot_value_factorial(allot_value *v);

#endif
