/* Layer normalization over the last axis.

     y = n * weight + bias,  n = (x - mean(x)) * r,  r = 1 / sqrt(var(x) + eps)

   Symbols: x, y, n (rows, features); mean, r (rows,); weight and bias (features,) or NULL; dy the cotangent of y, dn
   that of n, and so on. A row stays in the first cache from its mean to its y. */

#ifndef NPNETS_LAYER_NORM_H
#define NPNETS_LAYER_NORM_H

#include "layer_norm_call.h"
#include "rows.h"
#include "workspace.h"

enum { OPERATIONS_OF_A_FEATURE = 10 };

/* -- forward ------------------------------------------------------------------------------------------------------- */

INLINE real mean_of(const real *x, ptrdiff_t features)
{
    vec sums = {0};
    for (ptrdiff_t j = 0; j < features; j += LANES)
        sums += load_up_to(x + j, features - j, 0);
    return sum_of_lanes(sums) / (real)features;
}

INLINE real variance_of(const real *x, ptrdiff_t features, real mean)
{
    vec sums = {0};
    for (ptrdiff_t j = 0; j < features; j += LANES) {
        vec centred = load_up_to(x + j, features - j, mean) - mean;
        sums += centred * centred;
    }
    return sum_of_lanes(sums) / (real)features;
}

INLINE void normalize_row(const struct layer_norm_call *call, const real *x, real mean, real r, real *y)
{
    const real *weight = call->weight, *bias = call->bias;
    for (ptrdiff_t j = 0; j < call->features; j += LANES) {
        ptrdiff_t count = call->features - j;
        vec n = (load_up_to(x + j, count, 0) - mean) * r;
        if (weight != NULL)
            n *= load_up_to(weight + j, count, 0);
        store_up_to(y + j, bias != NULL ? n + load_up_to(bias + j, count, 0) : n, count);
    }
}

static void layer_norm_forward_task(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct layer_norm_call *call = context;
    ptrdiff_t each = rows_of_a_task(call->features), row = task * each, end = smaller(row + each, call->rows);
    for (ptrdiff_t i = row; i < end; i++) {
        const real *x = (const real *)call->x + i * call->features;
        real mean = mean_of(x, call->features);
        real r = (1 / square_root(broadcast(variance_of(x, call->features, mean) + (real)call->eps)))[0];
        normalize_row(call, x, mean, r, (real *)call->y + i * call->features);
        if (call->mean != NULL) {
            ((real *)call->mean)[i] = mean;
            ((real *)call->r)[i] = r;
        }
    }
}

KERNEL int layer_norm_forward(const struct layer_norm_call *call)
{
    ptrdiff_t tasks = tasks_of_rows(call->rows, call->features);
    int threads = threads_for((double)(call->rows * call->features) * OPERATIONS_OF_A_FEATURE, tasks);
    run_tasks(layer_norm_forward_task, (void *)call, tasks, threads);
    return 0;
}

/* -- backward ------------------------------------------------------------------------------------------------------ */

/* The means over one row through which x acts on all of it: of dn, and of dn * n. */
struct means {
    real through_mean, through_variance;
};

INLINE struct means means_of_row(const struct layer_norm_call *call, const real *x, const real *dy, real mean, real r)
{
    vec of_dn = {0}, of_dn_n = {0};
    for (ptrdiff_t j = 0; j < call->features; j += LANES) {
        ptrdiff_t count = call->features - j;
        vec n = (load_up_to(x + j, count, mean) - mean) * r, dn = load_up_to(dy + j, count, 0);
        if (call->weight != NULL)
            dn *= load_up_to((const real *)call->weight + j, count, 0); /* y = n * weight + bias */
        of_dn += dn;
        of_dn_n += dn * n;
    }
    return (struct means){sum_of_lanes(of_dn) / (real)call->features, sum_of_lanes(of_dn_n) / (real)call->features};
}

INLINE void input_cotangent_of_row(const struct layer_norm_call *call, const real *x, const real *dy, real mean, real r,
                                   real *dx)
{
    struct means means = means_of_row(call, x, dy, mean, r);
    for (ptrdiff_t j = 0; j < call->features; j += LANES) {
        ptrdiff_t count = call->features - j;
        vec n = (load_up_to(x + j, count, 0) - mean) * r, dn = load_up_to(dy + j, count, 0);
        if (call->weight != NULL)
            dn *= load_up_to((const real *)call->weight + j, count, 0); /* y = n * weight + bias */
        vec its_dx = (dn - means.through_mean - n * means.through_variance) * r; /* n = (x - mean(x)) * r */
        store_up_to(dx + j, its_dx, count);
    }
}

/* y = n * weight + bias */
INLINE void add_row(ptrdiff_t features, const real *x, const real *dy, real mean, real r, real *dweight, real *dbias)
{
    for (ptrdiff_t j = 0; j < features; j += LANES) {
        ptrdiff_t count = features - j;
        vec n = (load_up_to(x + j, count, 0) - mean) * r, its_dy = load_up_to(dy + j, count, 0);
        store_up_to(dweight + j, load_up_to(dweight + j, count, 0) + its_dy * n, count);
        store_up_to(dbias + j, load_up_to(dbias + j, count, 0) + its_dy, count);
    }
}

static void layer_norm_backward_task(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct layer_norm_call *call = context;
    ptrdiff_t each = rows_of_a_task(call->features), row = task * each, end = smaller(row + each, call->rows);
    real *dweight = call->sums, *dbias = NULL;
    if (dweight != NULL) {
        dweight += task * 2 * call->features;
        dbias = dweight + call->features;
        memset(dweight, 0, 2 * (size_t)call->features * sizeof(real));
    }
    for (ptrdiff_t i = row; i < end; i++) {
        const real *x = (const real *)call->x + i * call->features, *dy = (const real *)call->dy + i * call->features;
        real mean = ((const real *)call->mean)[i], r = ((const real *)call->r)[i];
        if (call->dx != NULL)
            input_cotangent_of_row(call, x, dy, mean, r, (real *)call->dx + i * call->features);
        if (dweight != NULL)
            add_row(call->features, x, dy, mean, r, dweight, dbias);
    }
}

/* Adds the sums of all tasks, in their order. */
static void add_tasks(ptrdiff_t features, ptrdiff_t tasks, const real *sums, real *total)
{
    memset(total, 0, (size_t)features * sizeof(real));
    for (ptrdiff_t task = 0; task < tasks; task++)
        for (ptrdiff_t j = 0; j < features; j++)
            total[j] += sums[task * 2 * features + j];
}

KERNEL int layer_norm_backward(const struct layer_norm_call *given)
{
    struct layer_norm_call call = *given;
    ptrdiff_t tasks = tasks_of_rows(call.rows, call.features);
    if (call.dweight != NULL || call.dbias != NULL) {
        call.sums = workspace(2 * (size_t)(tasks * call.features) * sizeof(real));
        if (call.sums == NULL)
            return -1;
    }
    int threads = threads_for((double)(call.rows * call.features) * 2 * OPERATIONS_OF_A_FEATURE, tasks);
    run_tasks(layer_norm_backward_task, &call, tasks, threads);
    if (call.dweight != NULL)
        add_tasks(call.features, tasks, call.sums, call.dweight);
    if (call.dbias != NULL)
        add_tasks(call.features, tasks, (const real *)call.sums + call.features, call.dbias);
    return 0;
}

#endif
