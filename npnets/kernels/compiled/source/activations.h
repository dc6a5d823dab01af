/* Activations of tiles: y = f(z), and the cotangent of z from that of y.

   Symbols: y = f(z), g the cotangent of y, dz = g f'(z). Each is the formula of the Python kernel of the same name. */

#ifndef NPNETS_ACTIVATIONS_H
#define NPNETS_ACTIVATIONS_H

#include "activations_call.h"
#include "elementary.h"
#include "gelu.h"
#include "hard_activations.h"
#include "mish.h"
#include "threads.h"

INLINE vec relu(vec z) { return choose(z <= 0, (vec){0}, z); }

INLINE vec leaky_relu(vec z, vec slope) { return choose(z > 0, z, z * slope); }

INLINE vec softplus(vec z, vec beta, vec threshold)
{
    vec scaled = z * beta;
    vec smooth = log1p_of_unit(exp_below(-absolute(scaled))) + at_least(scaled, (vec){0});
    return choose(scaled > threshold, z, smooth / beta);
}

INLINE vec elu(vec z, vec alpha) { return choose(z > 0, z, alpha * expm1_below(at_most(z, (vec){0}))); }

INLINE vec celu(vec z, vec alpha) { return choose(z > 0, z, alpha * expm1_below(at_most(z, (vec){0}) / alpha)); }

#define SELU_SCALE (real)1.0507009873554804934
#define SELU_SCALE_BELOW (real)1.7580993408473766 /* with its alpha, 1.6732632423543772848 */

INLINE vec selu(vec z) { return choose(z > 0, SELU_SCALE * z, SELU_SCALE_BELOW * expm1_below(at_most(z, (vec){0}))); }

INLINE vec logsigmoid(vec z) { return at_most(z, (vec){0}) - log1p_of_unit(exp_below(-absolute(z))); }

INLINE vec clip(vec z, vec low, vec high) { return at_most(at_least(z, low), high); }

INLINE vec activation_of(const int kind, vec z, vec first, vec second)
{
    switch (kind) {
    case RELU: return relu(z);
    case LEAKY_RELU: return leaky_relu(z, first);
    case TANH: return vec_tanh(z);
    case SIGMOID: return vec_sigmoid(z);
    case SILU: return z * vec_sigmoid(z);
    case SOFTPLUS: return softplus(z, first, second);
    case ELU: return elu(z, first);
    case CLIPPED_EXP: return vec_exp(clip(z, first, second));
    case GELU: return z * normal_cdf(z);
    case GELU_TANH: return z * tanh_cdf(z);
    case SELU: return selu(z);
    case CELU: return celu(z, first);
    case MISH: return z * mish_factor(z);
    case RELU6: return hardtanh(z, (vec){0}, broadcast(6));
    case HARDTANH: return hardtanh(z, first, second);
    case SOFTSIGN: return z / (1 + absolute(z));
    case HARDSIGMOID: return hardsigmoid(z);
    case HARDSWISH: return z * hardsigmoid(z);
    case LOGSIGMOID: return logsigmoid(z);
    default: return z;
    }
}

INLINE vec silu_cotangent(vec g, vec y, vec z)
{
    vec s = vec_sigmoid(z);
    return g * (s + y * (1 - s));
}

INLINE vec softplus_cotangent(vec g, vec z, vec beta, vec threshold)
{
    vec scaled = z * beta;
    return choose(scaled > threshold, g, g * vec_sigmoid(scaled));
}

INLINE vec elu_cotangent(vec g, vec z, vec alpha)
{
    return choose(z > 0, g, g * (alpha * exp_below(at_most(z, (vec){0}))));
}

INLINE vec celu_cotangent(vec g, vec z, vec alpha)
{
    return choose(z > 0, g, g * exp_below(at_most(z, (vec){0}) / alpha));
}

INLINE vec selu_cotangent(vec g, vec z)
{
    return choose(z > 0, SELU_SCALE * g, g * (SELU_SCALE_BELOW * exp_below(at_most(z, (vec){0}))));
}

INLINE vec softsign_cotangent(vec g, vec z)
{
    vec d = 1 + absolute(z);
    return g / d / d;
}

INLINE vec cotangent_of(const int kind, vec g, vec y, vec z, vec first, vec second)
{
    switch (kind) {
    case RELU: return choose(y <= 0, (vec){0}, g);
    case LEAKY_RELU: return choose(z > 0, g, g * first);
    case TANH: return g * (1 - y * y);
    case SIGMOID: return g * y * (1 - y);
    case SILU: return silu_cotangent(g, y, z);
    case SOFTPLUS: return softplus_cotangent(g, z, first, second);
    case ELU: return elu_cotangent(g, z, first);
    case CLIPPED_EXP: return choose((z < first) | (z > second), (vec){0}, g * y);
    case GELU: return g * normal_slope(z);
    case GELU_TANH: return g * tanh_slope(z);
    case SELU: return selu_cotangent(g, z);
    case CELU: return celu_cotangent(g, z, first);
    case MISH: return g * mish_slope(z);
    case RELU6: return hardtanh_cotangent(g, z, (vec){0}, broadcast(6));
    case HARDTANH: return hardtanh_cotangent(g, z, first, second);
    case SOFTSIGN: return softsign_cotangent(g, z);
    case HARDSIGMOID: return hardsigmoid_cotangent(g, z);
    case HARDSWISH: return hardswish_cotangent(g, z);
    case LOGSIGMOID: return g * vec_sigmoid(-z);
    default: return g;
    }
}

/* -- tiles: `rows` x `columns` entries, rows of all arrays `row` apart ------------------------------------------------

   One function for each activation, so that the choice is made once for a tile. Missing lanes hold ones: no formula
   divides by zero there. */

struct tile {
    ptrdiff_t rows, columns, row;
    vec first, second;
};

typedef void activate_function(struct tile t, const real *z, real *y);
typedef void cotangent_function(struct tile t, const real *g, const real *y, const real *z, real *dz);

INLINE void activate_lanes(const int kind, const struct tile *t, const real *z, real *y, ptrdiff_t count)
{
    store_up_to(y, activation_of(kind, load_up_to(z, count, 1), t->first, t->second), count);
}

INLINE void cotangent_lanes(const int kind, const int needs, const struct tile *t, const real *g, const real *y,
                            const real *z, real *dz, ptrdiff_t count)
{
    vec its_z = needs ? load_up_to(z, count, 1) : (vec){0}, its_y = load_up_to(y, count, 1);
    store_up_to(dz, cotangent_of(kind, load_up_to(g, count, 1), its_y, its_z, t->first, t->second), count);
}

#define ACTIVATION(kind, needs)                                                                                        \
    static void activate_##kind(struct tile t, const real *z, real *y)                                                 \
    {                                                                                                                  \
        for (ptrdiff_t i = 0; i < t.rows; i++, z += t.row, y += t.row) {                                               \
            ptrdiff_t j = 0;                                                                                           \
            for (; j + LANES <= t.columns; j += LANES)                                                                 \
                activate_lanes(kind, &t, z + j, y + j, LANES);                                                         \
            if (j < t.columns)                                                                                         \
                activate_lanes(kind, &t, z + j, y + j, t.columns - j);                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    static void cotangent_##kind(struct tile t, const real *g, const real *y, const real *z, real *dz)                 \
    {                                                                                                                  \
        for (ptrdiff_t i = 0; i < t.rows; i++, g += t.row, y += t.row, dz += t.row) {                                  \
            const real *its_z = needs ? z + i * t.row : NULL;                                                          \
            ptrdiff_t j = 0;                                                                                           \
            for (; j + LANES <= t.columns; j += LANES)                                                                 \
                cotangent_lanes(kind, needs, &t, g + j, y + j, needs ? its_z + j : NULL, dz + j, LANES);               \
            if (j < t.columns)                                                                                         \
                cotangent_lanes(kind, needs, &t, g + j, y + j, needs ? its_z + j : NULL, dz + j, t.columns - j);       \
        }                                                                                                              \
    }

ACTIVATION(RELU, 0)
ACTIVATION(LEAKY_RELU, 1)
ACTIVATION(TANH, 0)
ACTIVATION(SIGMOID, 0)
ACTIVATION(SILU, 1)
ACTIVATION(SOFTPLUS, 1)
ACTIVATION(ELU, 1)
ACTIVATION(CLIPPED_EXP, 1)
ACTIVATION(GELU, 1)
ACTIVATION(GELU_TANH, 1)
ACTIVATION(SELU, 1)
ACTIVATION(CELU, 1)
ACTIVATION(MISH, 1)
ACTIVATION(RELU6, 1)
ACTIVATION(HARDTANH, 1)
ACTIVATION(SOFTSIGN, 1)
ACTIVATION(HARDSIGMOID, 1)
ACTIVATION(HARDSWISH, 1)
ACTIVATION(LOGSIGMOID, 1)

static activate_function *const activate[ACTIVATIONS] = {
    NULL, activate_RELU, activate_LEAKY_RELU, activate_TANH, activate_SIGMOID, activate_SILU, activate_SOFTPLUS,
    activate_ELU, activate_CLIPPED_EXP, activate_GELU, activate_GELU_TANH, activate_SELU, activate_CELU, activate_MISH,
    activate_RELU6, activate_HARDTANH, activate_SOFTSIGN, activate_HARDSIGMOID, activate_HARDSWISH, activate_LOGSIGMOID,
};

static cotangent_function *const cotangent[ACTIVATIONS] = {
    NULL, cotangent_RELU, cotangent_LEAKY_RELU, cotangent_TANH, cotangent_SIGMOID, cotangent_SILU,
    cotangent_SOFTPLUS, cotangent_ELU, cotangent_CLIPPED_EXP, cotangent_GELU, cotangent_GELU_TANH, cotangent_SELU,
    cotangent_CELU, cotangent_MISH, cotangent_RELU6, cotangent_HARDTANH, cotangent_SOFTSIGN, cotangent_HARDSIGMOID,
    cotangent_HARDSWISH, cotangent_LOGSIGMOID,
};

INLINE struct tile tile_of(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t row, struct activation f)
{
    return (struct tile){rows, columns, row, broadcast((real)f.first), broadcast((real)f.second)};
}

/* -- an activation by itself --------------------------------------------------------------------------------------- */

enum { NUMBERS_OF_A_TASK = 1 << 14, OPERATIONS_OF_A_NUMBER = 30 };

static void activation_task(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct activation_call *call = context;
    ptrdiff_t first = task * NUMBERS_OF_A_TASK, rest = call->size - first;
    struct tile tile = tile_of(1, rest < NUMBERS_OF_A_TASK ? rest : NUMBERS_OF_A_TASK, 0, call->f);
    const real *z = (const real *)call->z + first;
    real *y = (real *)call->y + first;
    if (call->g == NULL)
        activate[call->f.kind](tile, z, y);
    else
        cotangent[call->f.kind](tile, (const real *)call->g + first, y, z, (real *)call->dz + first);
}

KERNEL int activation(const struct activation_call *call)
{
    ptrdiff_t tasks = (call->size + NUMBERS_OF_A_TASK - 1) / NUMBERS_OF_A_TASK;
    int threads = threads_for((double)call->size * OPERATIONS_OF_A_NUMBER, tasks);
    run_tasks(activation_task, (void *)call, tasks, threads);
    return 0;
}

#endif
