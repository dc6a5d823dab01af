/* The factor of gelu, y = z Phi(z), and its approximation by tanh, lane by lane in double precision.

   Far below zero 1 + erf and 1 + tanh cancel, and the rounding error of a large exponent grows with it: there are the
   complement erfc, and exponents in two parts, a number and its rounding error. Symbols as in gelu.py. */

#ifndef NPNETS_GELU_H
#define NPNETS_GELU_H

#include "vector.h"

#define ROOT_HALF 0.70710678118654752440
#define ROOT_HALF_ERROR (-4.8336466567264567e-17) /* of ROOT_HALF as a double */
#define DENSITY_AT_ZERO 0.39894228040143267794
#define BEYOND_ALL 64.0 /* where the functions have long been zero or one */

INLINE double within(double x, double bound) { return x > bound ? bound : x < -bound ? -bound : x; }

/* exp(-z z / 2) / sqrt(2 pi) */
static double normal_density_of(double z)
{
    double near = within(z, BEYOND_ALL), square = near * near, error = fma(near, near, -square);
    double power = exp(-0.5 * square);
    return DENSITY_AT_ZERO * (power - 0.5 * error * power);
}

/* Phi(z) = erfc(t) / 2 with t = -z / sqrt(2) */
static double normal_cdf_of(double z)
{
    double near = within(z, BEYOND_ALL), t = -near * ROOT_HALF;
    double error = fma(-near, ROOT_HALF, -t) - near * ROOT_HALF_ERROR;
    return 0.5 * erfc(t) - error * 2 * ROOT_HALF * normal_density_of(near);
}

/* v = a z (1 + b z z) in two parts */
static double tanh_power(double z)
{
    long double near = within(z, BEYOND_ALL), v = 1.59576912160573071176L * near * (1 + 0.044715L * near * near);
    double rounded = (double)v, power = exp(-fabs(rounded));
    return power + power * (double)(z < 0 ? v - rounded : rounded - v);
}

/* 1 / (1 + exp(-v)) */
static double tanh_cdf_of(double z)
{
    double power = tanh_power(z); /* exp(-|v|) */
    return z < 0 ? power / (1 + power) : 1 / (1 + power);
}

static double tanh_slope_of(double z)
{
    double near = within(z, BEYOND_ALL), v_slope = 1.59576912160573071176 * (1 + 3 * 0.044715 * near * near);
    return tanh_cdf_of(z) + near * (tanh_cdf_of(z) * (tanh_cdf_of(-z) * v_slope));
}

static double normal_slope_of(double z) { return normal_cdf_of(z) + within(z, BEYOND_ALL) * normal_density_of(z); }

#define LANE_BY_LANE(name)                                                                                             \
    INLINE vec name(vec z)                                                                                             \
    {                                                                                                                  \
        vec y = {0};                                                                                                   \
        for (int lane = 0; lane < LANES; lane++)                                                                       \
            y[lane] = (real)name##_of(z[lane]);                                                                        \
        return y;                                                                                                      \
    }

LANE_BY_LANE(normal_cdf)
LANE_BY_LANE(normal_slope)
LANE_BY_LANE(tanh_cdf)
LANE_BY_LANE(tanh_slope)

#endif
