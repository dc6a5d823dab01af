/* A draw from a normal distribution squashed by tanh into an interval, together with its log-density.

     u = mu + sigma * noise,  t = tanh(u),  action = middle + half * t
     log p(action) = sum_i (-noise_i^2 / 2 - log sigma_i - log(1 - t_i^2) - log half_i) - actions * log(2 pi) / 2

   Symbols: mu, sigma, noise, u, t (rows, actions); middle, half (actions,); log_norm the terms of the density that
   depend on neither draw nor parameters; daction (rows, actions) and dlog_prob (rows,) the cotangents of both outputs,
   du that of u, and so on. As in Python, -log(1 - t^2) comes from u: it is 2 (|u| + log(1 + exp(-2 |u|))) - log 4. */

#ifndef NPNETS_SQUASHED_GAUSSIAN_H
#define NPNETS_SQUASHED_GAUSSIAN_H

#include "elementary.h"
#include "rows.h"
#include "squashed_gaussian_call.h"

enum { OPERATIONS_OF_A_DRAW = 100 };

/* Values of columns for a part: of a piece of a long row the row's own, of whole rows those repeated for each. */
INLINE const real *columns_of(struct part p, ptrdiff_t actions, const void *of_columns, const real *repeated)
{
    return actions > NUMBERS_OF_A_PART ? (const real *)of_columns + p.column : repeated;
}

INLINE void repeat_for(struct part p, ptrdiff_t actions, const void *of_columns, real *to)
{
    if (actions <= NUMBERS_OF_A_PART)
        repeat_columns(p.rows, actions, of_columns, to);
}

/* -- forward ------------------------------------------------------------------------------------------------------- */

INLINE void draw_part(const struct squashed_gaussian_call *call, struct part p, const real *middle, const real *half,
                      real *entry)
{
    const real *mu = (const real *)call->mu + p.first, *sigma = (const real *)call->sigma + p.first;
    const real *noise = (const real *)call->noise + p.first;
    for (ptrdiff_t i = 0; i < p.count; i += LANES) {
        ptrdiff_t n = p.count - i;
        vec its_sigma = load_up_to(sigma + i, n, 1), its_noise = load_up_to(noise + i, n, 0);
        vec u = load_up_to(mu + i, n, 0) + its_sigma * its_noise, size = absolute(u);
        vec e = expm1_below(-2 * size), t = with_sign_of(u, e / (2 + e)); /* tanh(u) */
        vec neg_log_det = 2 * (size + log1p_of_unit(1 + e));
        store(entry + i, neg_log_det - (real)0.5 * its_noise * its_noise - vec_log(its_sigma));
        vec action = load_up_to(middle + i, n, 0) + load_up_to(half + i, n, 0) * t;
        store_up_to((real *)call->action + p.first + i, action, n);
        if (call->t != NULL)
            store_up_to((real *)call->t + p.first + i, t, n);
    }
}

static void squashed_forward_task(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct squashed_gaussian_call *call = context;
    real *log_prob = call->log_prob, entry[NUMBERS_OF_A_PART + LANES];
    real middle[NUMBERS_OF_A_PART], half[NUMBERS_OF_A_PART];
    ptrdiff_t each = rows_of_a_task(call->actions), row = task * each, end = smaller(row + each, call->rows);
    struct part p = part_at(row, 0, end, call->actions);
    repeat_for(p, call->actions, call->middle, middle);
    repeat_for(p, call->actions, call->half, half);
    for (ptrdiff_t i = row; i < end; i++)
        log_prob[i] = 0;
    for (; p.row < end; p = next_part(p, end, call->actions)) {
        draw_part(call, p, columns_of(p, call->actions, call->middle, middle),
                  columns_of(p, call->actions, call->half, half), entry);
        add_to_rows(p, call->actions, entry, log_prob);
    }
    for (ptrdiff_t i = row; i < end; i++)
        log_prob[i] -= (real)call->log_norm;
}

/* -- backward ------------------------------------------------------------------------------------------------------ */

INLINE void squashed_cotangents(const struct squashed_gaussian_call *call, struct part p, const real *half,
                                const real *dlog_prob)
{
    const real *t = (const real *)call->t + p.first, *daction = call->daction;
    for (ptrdiff_t i = 0; i < p.count; i += LANES) {
        ptrdiff_t n = p.count - i, at = p.first + i;
        vec its_t = load_up_to(t + i, n, 0), its_dlog_prob = load(dlog_prob + i);
        vec du = 2 * its_dlog_prob * its_t; /* log_prob = -log(1 - t^2) + ... */
        if (daction != NULL)                /* action = middle + half * t */
            du += load_up_to(daction + at, n, 0) * load_up_to(half + i, n, 0) * (1 - its_t * its_t);
        vec sigma = load_up_to((const real *)call->sigma + at, n, 1);
        vec noise = load_up_to((const real *)call->noise + at, n, 0);
        if (call->dmu != NULL)
            store_up_to((real *)call->dmu + at, du, n); /* u = mu + sigma * noise */
        if (call->dsigma != NULL)
            store_up_to((real *)call->dsigma + at, du * noise - its_dlog_prob / sigma, n); /* ... - log(sigma) */
        if (call->dnoise != NULL)
            store_up_to((real *)call->dnoise + at, du * sigma - its_dlog_prob * noise, n); /* ... - noise^2 / 2 */
    }
}

static void squashed_backward_task(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct squashed_gaussian_call *call = context;
    real half[NUMBERS_OF_A_PART], dlog_prob[NUMBERS_OF_A_PART + LANES] = {0};
    ptrdiff_t each = rows_of_a_task(call->actions), row = task * each, end = smaller(row + each, call->rows);
    struct part p = part_at(row, 0, end, call->actions);
    repeat_for(p, call->actions, call->half, half);
    for (; p.row < end; p = next_part(p, end, call->actions)) {
        if (call->dlog_prob != NULL)
            spread_rows(p, call->dlog_prob, dlog_prob);
        squashed_cotangents(call, p, columns_of(p, call->actions, call->half, half), dlog_prob);
    }
}

KERNEL int squashed_gaussian(const struct squashed_gaussian_call *call)
{
    ptrdiff_t tasks = tasks_of_rows(call->rows, call->actions);
    int threads = threads_for((double)(call->rows * call->actions) * OPERATIONS_OF_A_DRAW, tasks);
    run_tasks(call->action != NULL ? squashed_forward_task : squashed_backward_task, (void *)call, tasks, threads);
    return 0;
}

#endif
