/* The elementwise part of one step of an LSTM for one row, forward and backward.

       i = sigmoid(z_i),  f = sigmoid(z_f),  g = tanh(z_g),  o = sigmoid(z_o)
       c' = f c + i g,  h' = o tanh(c')

   Symbols as in lstm.py: z = [z_i, z_f, z_g, z_o], and the gates [i, f, g, o] lie in the same order. */

#ifndef NPNETS_LSTM_STEP_H
#define NPNETS_LSTM_STEP_H

#include "elementary.h"

#if NUMBER_BITS == 32
#define EXP_IS_SUBNORMAL (-87.0f) /* from a little below on */
#else
#define EXP_IS_SUBNORMAL (-708.0)
#endif

/* -- forward: from z and c to h' and c', which goes over c. The backward needs the gates and c. -----------------------

   A division takes as long as ten multiplications: one serves i, f and g, and another o and tanh(c'). Their
   denominators lie between one and two. */

/* sigmoid(x) or tanh(x) */
struct fraction {
    vec numerator, denominator;
};

/* As vec_sigmoid, but never below the smallest normal number. */
INLINE struct fraction fraction_of_sigmoid(vec x)
{
    struct reduced reduced = reduce(at_least(-absolute(x), broadcast(EXP_IS_SUBNORMAL)));
    vec power = power_of_two(reduced.n), numerator = power + power * expm1_of_rest(reduced.r);
    return (struct fraction){choose(x < 0, numerator, broadcast(1)), 1 + numerator};
}

/* As vec_tanh. */
INLINE struct fraction fraction_of_tanh(vec x)
{
    vec e = expm1_below(-2 * absolute(x));
    return (struct fraction){with_sign_of(x, e), 2 + e};
}

struct gates {
    vec i, f, g;
    struct fraction o;
};

INLINE struct gates gates_of(vec z_i, vec z_f, vec z_g, vec z_o)
{
    struct fraction i = fraction_of_sigmoid(z_i), f = fraction_of_sigmoid(z_f), g = fraction_of_tanh(z_g);
    vec of_i_and_f = i.denominator * f.denominator, inverse = 1 / (of_i_and_f * g.denominator);
    vec inverse_of_i_and_f = inverse * g.denominator;
    return (struct gates){i.numerator * (inverse_of_i_and_f * f.denominator),
                          f.numerator * (inverse_of_i_and_f * i.denominator), g.numerator * (inverse * of_i_and_f),
                          fraction_of_sigmoid(z_o)};
}

INLINE void forward_lanes(const int keeps, ptrdiff_t hidden, const real *z, real *c, real *new_h, real *gates,
                          real *old_c, ptrdiff_t count)
{
    struct gates its = gates_of(load_up_to(z, count, 0), load_up_to(z + hidden, count, 0),
                                load_up_to(z + 2 * hidden, count, 0), load_up_to(z + 3 * hidden, count, 0));
    vec its_c = load_up_to(c, count, 0), new_c = its.f * its_c + its.i * its.g;
    struct fraction tanh_c = fraction_of_tanh(new_c);
    vec inverse = 1 / (its.o.denominator * tanh_c.denominator), o = its.o.numerator * (inverse * tanh_c.denominator);
    store_up_to(c, new_c, count);
    store_up_to(new_h, o * (tanh_c.numerator * (inverse * its.o.denominator)), count);
    if (keeps) {
        store_up_to(gates, its.i, count);
        store_up_to(gates + hidden, its.f, count);
        store_up_to(gates + 2 * hidden, its.g, count);
        store_up_to(gates + 3 * hidden, o, count);
        store_up_to(old_c, its_c, count);
    }
}

INLINE void forward_row(const int keeps, ptrdiff_t hidden, const real *z, real *c, real *new_h, real *gates,
                        real *old_c)
{
    ptrdiff_t j = 0;
    for (; j + LANES <= hidden; j += LANES)
        forward_lanes(keeps, hidden, z + j, c + j, new_h + j, gates + j, old_c + j, LANES);
    if (j < hidden)
        forward_lanes(keeps, hidden, z + j, c + j, new_h + j, gates + j, old_c + j, hidden - j);
}

static void step_forward(ptrdiff_t hidden, const real *z, real *c, real *new_h, real *gates, real *old_c)
{
    if (gates != NULL)
        forward_row(1, hidden, z, c, new_h, gates, old_c);
    else
        forward_row(0, hidden, z, c, new_h, c, c);
}

/* -- backward: from the cotangents of h' and c' to those of z and c; that of c goes over that of c' ---------------- */

INLINE void backward_lanes(ptrdiff_t hidden, const real *gates, const real *c, const real *dh, real *dc, real *dz,
                           ptrdiff_t count)
{
    vec i = load_up_to(gates, count, 0), f = load_up_to(gates + hidden, count, 0);
    vec g = load_up_to(gates + 2 * hidden, count, 0), o = load_up_to(gates + 3 * hidden, count, 0);
    vec its_c = load_up_to(c, count, 0), tanh_c = vec_tanh(f * its_c + i * g), its_dh = load_up_to(dh, count, 0);
    vec d_o = its_dh * tanh_c; /* h' = o tanh(c') */
    vec its_dc = load_up_to(dc, count, 0) + its_dh * o * (1 - tanh_c * tanh_c);
    vec d_i = its_dc * g, d_f = its_dc * its_c, d_g = its_dc * i; /* c' = f c + i g */
    store_up_to(dc, its_dc * f, count);
    store_up_to(dz, d_i * i * (1 - i), count); /* i, f, g, o = sigmoid(z_i), sigmoid(z_f), tanh(z_g), sigmoid(z_o) */
    store_up_to(dz + hidden, d_f * f * (1 - f), count);
    store_up_to(dz + 2 * hidden, d_g * (1 - g * g), count);
    store_up_to(dz + 3 * hidden, d_o * o * (1 - o), count);
}

static void step_backward(ptrdiff_t hidden, const real *gates, const real *c, const real *dh, real *dc, real *dz)
{
    ptrdiff_t j = 0;
    for (; j + LANES <= hidden; j += LANES)
        backward_lanes(hidden, gates + j, c + j, dh + j, dc + j, dz + j, LANES);
    if (j < hidden)
        backward_lanes(hidden, gates + j, c + j, dh + j, dc + j, dz + j, hidden - j);
}

#endif
