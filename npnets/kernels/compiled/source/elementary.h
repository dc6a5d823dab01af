/* Elementary functions of vectors. */

#ifndef NPNETS_ELEMENTARY_H
#define NPNETS_ELEMENTARY_H

#include "vector.h"

#if NUMBER_BITS == 32
#define OF_LANES(name, function)                                                                                       \
    INLINE vec name(vec x)                                                                                             \
    {                                                                                                                  \
        vec y;                                                                                                         \
        for (int lane = 0; lane < LANES; lane++)                                                                       \
            y[lane] = function##f(x[lane]);                                                                            \
        return y;                                                                                                      \
    }
#else
#define OF_LANES(name, function)                                                                                       \
    INLINE vec name(vec x)                                                                                             \
    {                                                                                                                  \
        vec y;                                                                                                         \
        for (int lane = 0; lane < LANES; lane++)                                                                       \
            y[lane] = function(x[lane]);                                                                               \
        return y;                                                                                                      \
    }
#endif

OF_LANES(vec_exp, exp)
OF_LANES(vec_expm1, expm1)
OF_LANES(vec_tanh, tanh)
OF_LANES(vec_log, log)
OF_LANES(vec_log1p, log1p)
OF_LANES(vec_erf, erf)

INLINE vec vec_sigmoid(vec x)
{
    vec power = vec_exp(-absolute(x));
    return choose(x >= 0, broadcast(1), power) / (1 + power);
}

#endif
