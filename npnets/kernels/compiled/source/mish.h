/* The factor of mish, y = z t with t = tanh(log(1 + exp(z))), and the derivative of y.

   With e = exp(-|z|) and p = exp(z): t = n / d, where n = p (p + 2) and d = n + 2; above zero both are multiplied by
   e e, so that nothing overflows. */

#ifndef NPNETS_MISH_H
#define NPNETS_MISH_H

#include "elementary.h"

struct mish {
    vec t, d, e;
    mask is_below;
};

INLINE struct mish mish_parts(vec z)
{
    vec e = exp_below(-absolute(z));
    mask is_below = z < 0;
    vec n = choose(is_below, e * (e + 2), 1 + 2 * e), d = n + choose(is_below, broadcast(2), 2 * e * e);
    return (struct mish){n / d, d, e, is_below};
}

INLINE vec mish_factor(vec z) { return mish_parts(z).t; }

/* t + z (1 - t t) sigmoid(z) */
INLINE vec mish_slope(vec z)
{
    struct mish its = mish_parts(z);
    vec rest = 4 * (1 + its.e) * choose(its.is_below, its.e, its.e * its.e) / (its.d * its.d);
    return its.t + z * rest;
}

#endif
