/* The log-density of a normal distribution whose dimensions are independent, summed over the last axis.

     log p(x) = sum_i (-z_i^2 / 2 - log sigma_i) - actions * log(2 pi) / 2,  z = (x - mu) / sigma

   Symbols: x, mu, sigma, z (rows, actions); g (rows,) the cotangent of log p, dmu that of mu, and so on. */

#ifndef NPNETS_GAUSSIAN_H
#define NPNETS_GAUSSIAN_H

#include "elementary.h"
#include "gaussian_call.h"
#include "rows.h"

#define LOG_ROOT_2PI 0.91893853320467274178
enum { OPERATIONS_OF_AN_ENTRY = 40 };

/* -- forward ------------------------------------------------------------------------------------------------------- */

INLINE void gaussian_entries(struct part p, const real *x, const real *mu, const real *sigma, real *entry)
{
    for (ptrdiff_t i = 0; i < p.count; i += LANES) {
        ptrdiff_t n = p.count - i;
        vec its_sigma = load_up_to(sigma + i, n, 1);
        vec z = (load_up_to(x + i, n, 0) - load_up_to(mu + i, n, 0)) / its_sigma;
        store(entry + i, (real)-0.5 * z * z - vec_log(its_sigma));
    }
}

static void gaussian_forward_task(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct gaussian_call *call = context;
    const real *x = call->x, *mu = call->mu, *sigma = call->sigma;
    real *log_p = call->log_p, entry[NUMBERS_OF_A_PART + LANES];
    ptrdiff_t each = rows_of_a_task(call->actions), row = task * each, end = smaller(row + each, call->rows);
    for (ptrdiff_t i = row; i < end; i++)
        log_p[i] = 0;
    for (struct part p = part_at(row, 0, end, call->actions); p.row < end; p = next_part(p, end, call->actions)) {
        gaussian_entries(p, x + p.first, mu + p.first, sigma + p.first, entry);
        add_to_rows(p, call->actions, entry, log_p);
    }
    for (ptrdiff_t i = row; i < end; i++)
        log_p[i] -= (real)((double)call->actions * LOG_ROOT_2PI);
}

/* -- backward ------------------------------------------------------------------------------------------------------ */

INLINE void gaussian_cotangents(const struct gaussian_call *call, struct part p, const real *g)
{
    const real *x = (const real *)call->x + p.first, *mu = (const real *)call->mu + p.first;
    const real *sigma = (const real *)call->sigma + p.first;
    for (ptrdiff_t i = 0; i < p.count; i += LANES) {
        ptrdiff_t n = p.count - i;
        vec its_sigma = load_up_to(sigma + i, n, 1);
        vec z = (load_up_to(x + i, n, 0) - load_up_to(mu + i, n, 0)) / its_sigma;
        vec scale = load(g + i) / its_sigma; /* log p = -z z / 2 ..., z = (x - mu) / sigma */
        if (call->dx != NULL)
            store_up_to((real *)call->dx + p.first + i, -scale * z, n);
        if (call->dmu != NULL)
            store_up_to((real *)call->dmu + p.first + i, scale * z, n);
        if (call->dsigma != NULL)
            store_up_to((real *)call->dsigma + p.first + i, scale * (z * z - 1), n); /* ... - log sigma */
    }
}

static void gaussian_backward_task(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct gaussian_call *call = context;
    real g[NUMBERS_OF_A_PART + LANES] = {0};
    ptrdiff_t each = rows_of_a_task(call->actions), row = task * each, end = smaller(row + each, call->rows);
    for (struct part p = part_at(row, 0, end, call->actions); p.row < end; p = next_part(p, end, call->actions)) {
        spread_rows(p, call->g, g);
        gaussian_cotangents(call, p, g);
    }
}

KERNEL int gaussian(const struct gaussian_call *call)
{
    ptrdiff_t tasks = tasks_of_rows(call->rows, call->actions);
    int threads = threads_for((double)(call->rows * call->actions) * OPERATIONS_OF_AN_ENTRY, tasks);
    run_tasks(call->g == NULL ? gaussian_forward_task : gaussian_backward_task, (void *)call, tasks, threads);
    return 0;
}

#endif
