/* One call of layer normalization: what the binding hands over, contiguous arrays. */

#ifndef NPNETS_LAYER_NORM_CALL_H
#define NPNETS_LAYER_NORM_CALL_H

#include <stddef.h>

struct layer_norm_call {
    ptrdiff_t rows, features;
    double eps;
    const void *x;             /* (rows, features) */
    const void *weight, *bias; /* (features,), or NULL */
    void *y;                   /* (rows, features) */
    void *mean, *r;            /* (rows,) each, for the backward; NULL if there is none */
    const void *dy;            /* (rows, features), the cotangent of y */
    void *dx, *dweight, *dbias; /* NULL if nobody asks */
    void *sums; /* (tasks, 2, features), in the backward's workspace: parts of dweight and dbias */
};

#endif
