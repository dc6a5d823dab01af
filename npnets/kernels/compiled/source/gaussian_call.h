/* One call of the log-density of a normal distribution: what the binding hands over, contiguous arrays. */

#ifndef NPNETS_GAUSSIAN_CALL_H
#define NPNETS_GAUSSIAN_CALL_H

#include <stddef.h>

struct gaussian_call {
    ptrdiff_t rows, actions;
    const void *x, *mu, *sigma; /* (rows, actions) */
    void *log_p;                /* (rows,) */
    const void *g;              /* (rows,), the cotangent of log_p */
    void *dx, *dmu, *dsigma;    /* NULL if nobody asks */
};

#endif
