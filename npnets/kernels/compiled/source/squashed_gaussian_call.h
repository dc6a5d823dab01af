/* One call of a squashed draw with its log-density: what the binding hands over, contiguous arrays. */

#ifndef NPNETS_SQUASHED_GAUSSIAN_CALL_H
#define NPNETS_SQUASHED_GAUSSIAN_CALL_H

#include <stddef.h>

struct squashed_gaussian_call {
    ptrdiff_t rows, actions;
    const void *mu, *sigma, *noise; /* (rows, actions) */
    const void *middle, *half;      /* (actions,) */
    double log_norm;
    void *action, *log_prob;            /* (rows, actions), (rows,) */
    void *t;                            /* (rows, actions), for the backward; NULL if there is none */
    const void *daction, *dlog_prob;    /* NULL where the output is not used */
    void *dmu, *dsigma, *dnoise;        /* NULL if nobody asks */
};

#endif
