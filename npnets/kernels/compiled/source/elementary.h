/* Elementary functions of vectors: exp, log, tanh and the sigmoid, and the halves of expm1 and log1p that kernels need,
   within 4 units in the last place.

   No function branches: each lane goes through the same arithmetic, and is chosen from it in the end. Polynomials
   interpolate at Chebyshev points; beside each stands its largest relative error. NaN comes out where NaN goes in, and
   ordinary numbers and saturation raise no floating-point exception but underflow. */

#ifndef NPNETS_ELEMENTARY_H
#define NPNETS_ELEMENTARY_H

#include "vector.h"

#if NUMBER_BITS == 32
enum { DIGITS = 23, BIAS = 127 };
#define LOG2_E 1.44269504088896340736f
#define LN2_HIGH 0.693145751953125f /* with zeros at its end, so that multiples of it are exact */
#define LN2_LOW 1.428606820309417232e-6f
#define ROUNDING 0x1.8p23f      /* added and taken away again, it leaves the nearest integer */
#define EXP_VANISHES (-104.0f) /* exp is zero from here down */
#define EXP_OVERFLOWS 89.0f
#define SMALLEST_NORMAL 0x1p-126f
#define HALF_A_ROOT_BITS 0x3f3504f3 /* sqrt(1/2) */
#else
enum { DIGITS = 52, BIAS = 1023 };
#define LOG2_E 1.44269504088896340736
#define LN2_HIGH 0.6931471803691238164901733
#define LN2_LOW 1.908214929270587816e-10
#define ROUNDING 0x1.8p52
#define EXP_VANISHES (-746.0)
#define EXP_OVERFLOWS 710.0
#define SMALLEST_NORMAL 0x1p-1022
#define HALF_A_ROOT_BITS 0x3fe6a09e667f3bcd
#endif

/* -- exp -------------------------------------------------------------------------------------------------------------

   x = n ln 2 + r with an integer n and |r| <= ln 2 / 2, and exp(r) = 1 + r + r r q(r). */

struct reduced {
    integers n;
    vec r;
};

INLINE struct reduced reduce(vec x)
{
    vec shifted = x * LOG2_E + ROUNDING, n = shifted - ROUNDING;
    return (struct reduced){as_integers(shifted) - as_integers(broadcast(ROUNDING)), x - n * LN2_HIGH - n * LN2_LOW};
}

/* exp(r) - 1 */
INLINE vec expm1_of_rest(vec r)
{
#if NUMBER_BITS == 32 /* 7e-9 */
    vec q = 0.0013926250831497611718f * r + 0.0083632328836826182041f;
    q = q * r + 0.041666554212984150314f;
    q = q * r + 0.16666576666119928305f;
    q = q * r + 0.5f;
#else /* 2e-18 */
    vec q = 2.5100472505694996003e-8 * r + 2.7620201591031548792e-7;
    q = q * r + 2.7557268276905696187e-6;
    q = q * r + 0.000024801521057868205199;
    q = q * r + 0.00019841269863171556026;
    q = q * r + 0.0013888888917367080562;
    q = q * r + 0.0083333333333300381973;
    q = q * r + 0.041666666666623820532;
    q = q * r + 0.1666666666666666746;
    q = q * r + 0.50000000000000010314;
#endif
    return r + r * r * q;
}

/* 2^n for an exponent of a normal number */
INLINE vec power_of_two(integers n) { return as_reals((n + BIAS) << DIGITS); }

/* x 2^n, rounded once into the range of subnormal numbers */
INLINE vec scale(vec x, integers n)
{
    integers half = n >> 1;
    return x * power_of_two(half) * power_of_two(n - half);
}

/* exp(x) where x is not above zero */
INLINE vec exp_below(vec x)
{
    struct reduced reduced = reduce(at_least(x, broadcast(EXP_VANISHES)));
    return scale(1 + expm1_of_rest(reduced.r), reduced.n);
}

INLINE vec vec_exp(vec x)
{
    mask is_infinite = x == INFINITY;
    vec finite = choose(is_infinite, (vec){0}, at_most(x, broadcast(EXP_OVERFLOWS)));
    return choose(is_infinite, x, exp_below(finite));
}

/* exp(x) - 1 where x is not above zero: 2^n (exp(r) - 1) + (2^n - 1) */
INLINE vec expm1_below(vec x)
{
    struct reduced reduced = reduce(at_least(x, broadcast(-DIGITS)));
    vec power = power_of_two(reduced.n), y = power * expm1_of_rest(reduced.r) + (power - 1);
    return choose(x == 0, x, y); /* with its sign */
}

/* -- tanh and the sigmoid ------------------------------------------------------------------------------------------ */

/* tanh(|x|) = -e / (2 + e) with e = exp(-2 |x|) - 1 */
INLINE vec vec_tanh(vec x)
{
    vec e = expm1_below(-2 * at_most(absolute(x), broadcast(DIGITS))); /* bounded, as doubling may overflow */
    return with_sign_of(x, e / (2 + e));
}

/* 1 / (1 + exp(-x)), from exp(-|x|) */
INLINE vec vec_sigmoid(vec x)
{
    vec power = exp_below(-absolute(x));
    return choose(x < 0, power, broadcast(1)) / (1 + power);
}

/* -- logarithms ------------------------------------------------------------------------------------------------------

   log(1 + f) = 2 atanh(s) = s (2 + s s R(s s)) with s = f / (2 + f), for 1 + f from sqrt(1/2) to sqrt(2). */

INLINE vec twice_atanh(vec s)
{
    vec z = s * s;
#if NUMBER_BITS == 32 /* 2e-11 */
    vec R = 0.2333276180777989001f * z + 0.28550736405356217548f;
    R = R * z + 0.4000012258458412516f;
    R = R * z + 0.66666666553585538218f;
#else /* 5e-18 */
    vec R = 0.14619164777231928251 * z + 0.15331501721203058373;
    R = R * z + 0.18182895746801589228;
    R = R * z + 0.22222211043822483292;
    R = R * z + 0.28571428626533335885;
    R = R * z + 0.39999999999898273395;
    R = R * z + 0.66666666666666697293;
#endif
    return 2 * s + s * (z * R);
}

/* log(1 + e) for e from zero to one: beyond sqrt(2) - 1 it is ln 2 + log((1 + e) / 2) */
INLINE vec log1p_of_unit(vec e)
{
    mask is_far = e > (real)0.41421356237309504880;
    vec s = choose(is_far, e - 1, e) / choose(is_far, e + 3, e + 2);
    vec rest = choose(is_far, broadcast(LN2_LOW), (vec){0}) + twice_atanh(s);
    return choose(is_far, broadcast(LN2_HIGH), (vec){0}) + rest;
}

/* x = 2^k (1 + f). At zero s is -1 / 0 and below it 0 / 0, as which the processor notes them: the results are minus
   infinity and NaN. */
INLINE vec vec_log(vec x)
{
    mask is_small = x < SMALLEST_NORMAL, is_undefined = x <= 0;
    vec normal = x * opaque(choose(is_small, power_of_two((integers){0} + DIGITS), broadcast(1)));
    integers from_root = as_integers(normal) - (integer)HALF_A_ROOT_BITS;
    integers exponent = from_root >> DIGITS;
    vec f = as_reals(as_integers(normal) - (exponent << DIGITS)) - 1;
    vec k = __builtin_convertvector(exponent - (is_small & DIGITS), vec);
    vec above = choose(is_undefined, choose(x < 0, (vec){0}, broadcast(-1)), f);
    vec s = above / opaque(choose(is_undefined, (vec){0}, 2 + f));
    vec y = k * LN2_HIGH + (k * LN2_LOW + twice_atanh(s));
    return choose(x < INFINITY, y, x);
}

#endif
