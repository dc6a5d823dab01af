/* A standard deviation that is a parameter, the same for each row: sigma[i, j] = exp(log_sigma[j]).

   Symbols: log_sigma (actions,); sigma (rows, actions); dsigma the cotangent of sigma. */

#ifndef NPNETS_SHARED_SIGMA_H
#define NPNETS_SHARED_SIGMA_H

#include "elementary.h"
#include "shared_sigma_call.h"

KERNEL int shared_sigma_forward(const struct shared_sigma_call *call)
{
    const real *log_sigma = call->log_sigma;
    real *sigma = call->sigma;
    ptrdiff_t actions = call->rows > 0 ? call->actions : 0;
    for (ptrdiff_t j = 0; j < actions; j += LANES)
        store_up_to(sigma + j, vec_exp(load_up_to(log_sigma + j, actions - j, 0)), actions - j);
    for (ptrdiff_t i = actions; i < call->rows * actions; i++)
        sigma[i] = sigma[i - actions];
    return 0;
}

KERNEL int shared_sigma_backward(const struct shared_sigma_call *call)
{
    const real *sigma = call->sigma, *dsigma = call->dsigma;
    real *dlog_sigma = call->dlog_sigma;
    for (ptrdiff_t j = 0; j < call->actions; j++)
        dlog_sigma[j] = 0;
    for (ptrdiff_t i = 0; i < call->rows; i++, sigma += call->actions, dsigma += call->actions)
        for (ptrdiff_t j = 0; j < call->actions; j++)
            dlog_sigma[j] += dsigma[j] * sigma[j]; /* sigma = exp(log_sigma) */
    return 0;
}

#endif
