/* Rules of optimizers on a part of a leaf, each in one pass. The symbols and formulas are those of npnets/optim, and
   every product and sum is rounded as there, so that all instruction sets and NumPy give the same bits.

   Where a formula divides by zero or a difference overflows, the processor notes it, and the caller computes the update
   again with the careful formulas in NumPy. */

#ifndef NPNETS_OPTIMIZERS_H
#define NPNETS_OPTIMIZERS_H

#include "optimizers_call.h"
#include "vector.h"

INLINE vec axpy(real factor, vec x, vec y) { return rounded(factor * x) + y; }

/* (1 - weight) x + weight y; at a weight of zero or one exactly x or y */
INLINE vec lerp(vec x, vec y, double weight)
{
    if (weight == 0)
        return x;
    if (weight == 1)
        return y;
    return weight < 0.5 ? rounded((y - x) * (real)weight) + x : rounded((y - x) * (real)(weight - 1)) + y;
}

/* (1 - weight) x + weight y y */
INLINE vec lerp_square(vec x, vec y, double weight)
{
    return rounded(x * (real)(1 - weight)) + rounded(rounded(y * y) * (real)weight);
}

/* x / (sqrt(square) + eps), zero where that is zero divided by zero */
INLINE vec ratio(vec x, vec square, real eps)
{
    vec root = square_root(square) + eps;
    return x / choose(root == 0, broadcast(1), root);
}

/* A loop over vectors, the last of which may be a part of one: `at` and `lanes` are known inside. */
#define FOR_LANES                                                                                                      \
    for (ptrdiff_t at = first, lanes; at < first + count && (lanes = first + count - at, 1); at += LANES)
#define IN(index) load_up_to((const real *)leaf->in[index] + at, lanes, 0)
#define OUT(index, x) store_up_to((real *)leaf->out[index] + at, x, lanes)
#define NUMBER(index) ((real)leaf->numbers[index])

/* numbers: decay, rate, momentum, whether Nesterov's; in: p, g, velocity; out: p, velocity */
static void update_sgd(const struct leaf *leaf, ptrdiff_t first, ptrdiff_t count)
{
    real decay = NUMBER(0), rate = NUMBER(1), momentum = NUMBER(2);
    int has_velocity = leaf->in[2] != NULL, is_nesterov = leaf->numbers[3] != 0;
    FOR_LANES
    {
        vec p = IN(0), g = IN(1), direction;
        g = decay != 0 ? axpy(decay, p, g) : g; /* g_t = gradient + decay p */
        direction = g;
        if (has_velocity) {
            vec velocity = axpy(momentum, IN(2), g); /* v_t = momentum v + g_t */
            OUT(1, velocity);
            direction = is_nesterov ? axpy(momentum, velocity, g) : velocity;
        }
        OUT(0, rate != 0 ? axpy(-rate, direction, p) : p); /* p_t = p - rate d_t */
    }
}

/* numbers: decay, rate, momentum, weight, eps; in: p, g, nu, velocity; out: p, nu, velocity */
static void update_rmsprop(const struct leaf *leaf, ptrdiff_t first, ptrdiff_t count)
{
    real decay = NUMBER(0), rate = NUMBER(1), momentum = NUMBER(2), eps = NUMBER(4);
    double weight = leaf->numbers[3];
    int has_velocity = leaf->in[3] != NULL;
    FOR_LANES
    {
        vec p = IN(0), g = IN(1), nu, direction;
        g = decay != 0 ? axpy(decay, p, g) : g;   /* g_t = gradient + decay p */
        nu = lerp_square(IN(2), g, weight);       /* nu_t = alpha nu + (1 - alpha) g_t^2 */
        OUT(1, nu);
        direction = ratio(g, nu, eps); /* d_t = g_t / (sqrt(nu_t) + eps) */
        if (has_velocity) {
            direction = axpy(momentum, IN(3), direction); /* v_t = momentum v + d_t */
            OUT(2, direction);
        }
        OUT(0, rate != 0 ? axpy(-rate, direction, p) : p); /* p_t = p - rate d_t */
    }
}

/* numbers: decay, alpha_t, eps_t, decay apart, weight, weight of squares; in: p, g, mu, nu;
   out: p, mu, nu */
static void update_adam(const struct leaf *leaf, ptrdiff_t first, ptrdiff_t count)
{
    real decay = NUMBER(0), alpha_t = NUMBER(1), eps_t = NUMBER(2), apart = NUMBER(3);
    double weight = leaf->numbers[4], weight_of_square = leaf->numbers[5];
    int has_rate = leaf->numbers[1] != 0;
    FOR_LANES
    {
        vec p = IN(0), g = IN(1), mu, nu;
        g = decay != 0 ? axpy(decay, p, g) : g;                       /* g_t = gradient + decay p */
        mu = lerp(IN(2), g, weight);                                  /* m_t = beta1 m + (1 - beta1) g_t */
        nu = lerp_square(IN(3), g, weight_of_square);                  /* v_t = beta2 v + (1 - beta2) g_t^2 */
        OUT(1, mu);
        OUT(2, nu);
        if (has_rate) { /* p_t = p - alpha_t m_t / (sqrt(v_t) + eps_t) - alpha decay p */
            vec change = rounded(-alpha_t * ratio(mu, nu, eps_t));
            p = (apart != 0 ? axpy(-apart, p, change) : change) + p;
        }
        OUT(0, p);
    }
}

/* numbers: weight; in: x, y; out: (1 - weight) x + weight y */
static void update_lerp(const struct leaf *leaf, ptrdiff_t first, ptrdiff_t count)
{
    double weight = leaf->numbers[0];
    FOR_LANES
    {
        OUT(0, lerp(IN(0), IN(1), weight));
    }
}

/* numbers: factor; in: x; out: factor x */
static void update_scale(const struct leaf *leaf, ptrdiff_t first, ptrdiff_t count)
{
    real factor = NUMBER(0);
    FOR_LANES
    {
        OUT(0, factor * IN(0));
    }
}

/* The sum of squares, in double precision, so that those of float32 neither overflow nor vanish. */
static double sum_of_squares(const void *array, ptrdiff_t size)
{
    enum { SUMS = 32 };
    const real *x = array;
    double sums[SUMS] = {0}, total = 0;
    ptrdiff_t i = 0;
    for (; i + SUMS <= size; i += SUMS)
        for (int j = 0; j < SUMS; j++)
            sums[j] += (double)x[i + j] * (double)x[i + j];
    for (; i < size; i++)
        total += (double)x[i] * (double)x[i];
    for (int j = 0; j < SUMS; j++)
        total += sums[j];
    return total;
}

#undef FOR_LANES
#undef IN
#undef OUT
#undef NUMBER

#endif
