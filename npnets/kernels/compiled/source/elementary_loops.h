/* Each elementary function over an array: for the tests of their accuracy, and nothing else. */

#ifndef NPNETS_ELEMENTARY_LOOPS_H
#define NPNETS_ELEMENTARY_LOOPS_H

#include "elementary.h"
#include "elementary_call.h"

INLINE vec elementary_of(int kind, vec x)
{
    switch (kind) {
    case EXP: return vec_exp(x);
    case EXP_BELOW: return exp_below(x);
    case EXPM1_BELOW: return expm1_below(x);
    case TANH_OF: return vec_tanh(x);
    case SIGMOID_OF: return vec_sigmoid(x);
    case LOG: return vec_log(x);
    default: return log1p_of_unit(x);
    }
}

KERNEL int elementary(const struct elementary_call *call)
{
    const real *x = call->x;
    real *y = call->y;
    for (ptrdiff_t i = 0; i < call->size; i += LANES) {
        ptrdiff_t count = call->size - i;
        store_up_to(y + i, elementary_of(call->kind, load_up_to(x + i, count, 1)), count);
    }
    return 0;
}

#endif
