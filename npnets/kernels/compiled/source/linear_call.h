/* One call of the kernel of linear layers: what the binding hands over. Arrays are contiguous; members of an ensemble
   lie one after the other in each. */

#ifndef NPNETS_LINEAR_CALL_H
#define NPNETS_LINEAR_CALL_H

#include "activations_call.h"

/* A layer, y = f(x W + b): sizes, parameters, residuals, cotangents. A pointer is NULL where there is nothing. */
struct layer {
    ptrdiff_t inputs, outputs;
    struct activation f;
    const void *weight, *bias; /* (inputs, outputs), (outputs,) */
    void *y, *z;               /* (rows, outputs) */
    void *dweight, *dbias;
    void *dz; /* (rows, outputs), in the backward's workspace */
    void *packed;
};

struct chain {
    ptrdiff_t members, rows;
    int is_shared; /* all members take the same x */
    int layers;
    struct layer *layer;
    const void *x; /* (rows, inputs) */
    void *dx;
    const void *g; /* the cotangent of the last y */
};

#endif
