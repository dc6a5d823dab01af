/* Activations that are linear between two points and constant beyond them, and their products with z.

   Symbols as in activations.h. At both points the derivative is zero, as PyTorch has it; NaN comes out where it goes
   in. */

#ifndef NPNETS_HARD_ACTIVATIONS_H
#define NPNETS_HARD_ACTIVATIONS_H

#include "vector.h"

INLINE vec hardtanh(vec z, vec low, vec high) { return choose(z <= low, low, choose(z >= high, high, z)); }

INLINE vec hardtanh_cotangent(vec g, vec z, vec low, vec high)
{
    return choose((z <= low) | (z >= high), (vec){0}, g);
}

INLINE vec hardsigmoid(vec z) { return choose(z <= -3, (vec){0}, choose(z >= 3, broadcast(1), (z + 3) / 6)); }

INLINE vec hardsigmoid_cotangent(vec g, vec z) { return choose((z <= -3) | (z >= 3), (vec){0}, g / 6); }

INLINE vec hardswish_cotangent(vec g, vec z)
{
    return choose(z <= -3, (vec){0}, choose(z >= 3, g, g * (z / 3 + (real)0.5)));
}

#endif
