/* One call of a standard deviation that all rows share: what the binding hands over, contiguous arrays. */

#ifndef NPNETS_SHARED_SIGMA_CALL_H
#define NPNETS_SHARED_SIGMA_CALL_H

#include <stddef.h>

struct shared_sigma_call {
    ptrdiff_t rows, actions;
    const void *log_sigma; /* (actions,) */
    void *sigma;           /* (rows, actions) */
    const void *dsigma;    /* (rows, actions), the cotangent of sigma */
    void *dlog_sigma;      /* (actions,) */
};

#endif
