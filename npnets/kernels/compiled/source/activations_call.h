/* The activations by their numbers, and one call of an activation by itself: what the binding hands over. */

#ifndef NPNETS_ACTIVATIONS_CALL_H
#define NPNETS_ACTIVATIONS_CALL_H

#include <stddef.h>

/* As Python numbers them (activations.py). */
enum {
    NONE, RELU, LEAKY_RELU, TANH, SIGMOID, SILU, SOFTPLUS, ELU, CLIPPED_EXP, GELU, GELU_TANH, SELU, CELU, MISH, RELU6,
    HARDTANH, SOFTSIGN, HARDSIGMOID, HARDSWISH, LOGSIGMOID, ACTIVATIONS
};

struct activation {
    int kind;
    double first, second; /* its arguments */
};

/* y = f(z), or with a cotangent g of y the cotangent dz of z; contiguous arrays of so many numbers. */
struct activation_call {
    struct activation f;
    ptrdiff_t size;
    const void *z, *g;
    void *y, *dz;
};

/* Whether an activation's derivative needs z beside y. */
static inline int needs_z(int kind) { return kind == LEAKY_RELU || kind >= SILU; }

#endif
