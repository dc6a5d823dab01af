/* The backward of an LSTM's layer: from the cotangents of the outputs and of the last states to those of x, of the
   weights and biases, and of the first states.

   Symbols as in lstm.h. Each block of rows goes back through time; the dz of some steps together, while they lie in the
   caches, give their part of dW = sum u^T dz. Blocks in a group add to one sum, and the sums of the groups are added in
   their order. */

#ifndef NPNETS_LSTM_BACKWARD_H
#define NPNETS_LSTM_BACKWARD_H

#include "lstm.h"

enum {
    ROWS_OF_A_PART = 256,     /* of u and dz in one product */
    MOST_DOTTED_ROWS = 8,     /* up to so many rows, a product with a transposed weight is quicker unpacked */
    LEAST_TRANSPOSED = 64,    /* fewer rows of all steps take less time than packing it */
    FEWEST_GROUPS = 4,
    MOST_GROUPS = 16,
    NUMBERS_OF_SUMS = 1 << 22, /* of all groups: beyond them there are fewer groups */
};

struct lstm_backward {
    const struct lstm_call *call;
    ptrdiff_t groups, steps_of_a_part;
    const real *packed_h, *packed_x; /* W_h^T and W_x^T */
    real *sums;                      /* dW of each group but the first, which adds to its place */
    real *buffers;                   /* of each worker: dz of a part, dc, dh and the next dh */
    ptrdiff_t buffer;
};

INLINE ptrdiff_t numbers_of_dw(const struct lstm_call *call) { return width_of_u(call) * 4 * call->hidden; }

static ptrdiff_t groups_of(const struct lstm_call *call)
{
    ptrdiff_t blocks = blocks_of_sequences(call->rows), groups = MOST_GROUPS;
    if (call->dw != NULL && groups * numbers_of_dw(call) > NUMBERS_OF_SUMS) {
        groups = NUMBERS_OF_SUMS / numbers_of_dw(call);
        groups = groups < FEWEST_GROUPS ? FEWEST_GROUPS : groups;
    }
    return smaller(groups, blocks);
}

/* -- one step ------------------------------------------------------------------------------------------------------ */

/* c = dz W^T for some rows, with a weight of `columns` rows. */
static void multiply_transposed(const struct lstm_call *call, ptrdiff_t rows, const real *dz, const real *weight,
                                const real *packed, ptrdiff_t columns, real *c)
{
    ptrdiff_t depth = 4 * call->hidden;
    struct product product = {rows, columns, depth, {dz, depth, 1}, packed, weight, depth, NULL,
                              c, columns, NULL, NULL, 0};
    if (packed != NULL)
        compute_product(&product);
    else
        compute_dots(&product);
}

static void add_strided_row(real *to, const struct sequence *from, ptrdiff_t t, ptrdiff_t i, ptrdiff_t count)
{
    const real *row = (const real *)from->data + t * from->step + i * from->row;
    if (from->column == 1)
        for (ptrdiff_t j = 0; j < count; j++)
            to[j] += row[j];
    else
        for (ptrdiff_t j = 0; j < count; j++)
            to[j] += row[j * from->column];
}

/* From the cotangents of h' and c' to those of z and c. */
static void reenter_step(const struct lstm_call *call, const struct sequences *block, ptrdiff_t t, real *dh, real *dc,
                         real *dz)
{
    ptrdiff_t hidden = call->hidden;
    for (ptrdiff_t i = 0; i < block->rows; i++, dh += hidden, dc += hidden, dz += 4 * hidden) {
        ptrdiff_t place = t * block->rows + i;
        if (call->doutputs.data != NULL) /* outputs[t] = h' */
            add_strided_row(dh, &call->doutputs, t, block->first + i, hidden);
        if (is_valid(call, t, block->first + i)) /* i, f, g, o, c', h' */
            step_backward(hidden, block->gates + place * 4 * hidden, block->c + place * hidden, dh, dc, dz);
        else
            zero_row(dz, 4 * hidden);
    }
}

/* Completes the cotangents of h and c: where a step is not valid they pass through, and where it is reset they end. */
static void pass_masks(const struct lstm_call *call, const struct sequences *block, ptrdiff_t t, const real *new_dh,
                       real *dh, real *dc)
{
    ptrdiff_t hidden = call->hidden;
    if (call->reset.data == NULL && call->valid.data == NULL)
        return;
    for (ptrdiff_t i = 0; i < block->rows; i++, new_dh += hidden, dh += hidden, dc += hidden) {
        if (dh != new_dh && !is_valid(call, t, block->first + i))
            copy_row(dh, new_dh, hidden);
        if (is_reset(call, t, block->first + i)) {
            zero_row(dh, hidden);
            zero_row(dc, hidden);
        }
    }
}

/* -- all steps ----------------------------------------------------------------------------------------------------- */

static void copy_or_zero(real *to, const void *from, ptrdiff_t start, ptrdiff_t count)
{
    if (from != NULL)
        copy_row(to, (const real *)from + start, count);
    else
        zero_row(to, count);
}

/* Adds the steps from t on whose dz are in the buffer to a sum of dW. */
static void add_to_dw(const struct lstm_backward *its, const struct sequences *block, ptrdiff_t t, const real *dz,
                      real *dw, int adds)
{
    const struct lstm_call *call = its->call;
    ptrdiff_t width = width_of_u(call), columns = 4 * call->hidden;
    ptrdiff_t depth = smaller(its->steps_of_a_part, call->steps - t) * block->rows;
    struct product product = {width, columns, depth, {block->u + t * block->u_step, 1, width}, NULL, dz, columns, NULL,
                              dw, columns, NULL, NULL, adds};
    compute_product(&product);
}

static void backward_through_time(const struct lstm_backward *its, ptrdiff_t index, real *buffer, real *dw, int adds)
{
    const struct lstm_call *call = its->call;
    struct sequences block = block_of(call, index);
    ptrdiff_t hidden = call->hidden, numbers = block.rows * hidden, start = block.first * hidden;
    real *dz = buffer, *dc = dz + its->steps_of_a_part * 4 * numbers, *dh = dc + numbers, *next = dh + numbers;
    copy_or_zero(dh, call->dnew_h, start, numbers);
    copy_or_zero(dc, call->dnew_c, start, numbers);
    for (ptrdiff_t t = call->steps - 1; t >= 0; t--) {
        ptrdiff_t place = t % its->steps_of_a_part;
        real *dz_t = dz + place * 4 * numbers, *new_dh = dh;
        reenter_step(call, &block, t, dh, dc, dz_t);
        if (call->dx != NULL) /* z = u W */
            multiply_transposed(call, block.rows, dz_t, call->w_x, its->packed_x, call->inputs,
                                (real *)call->dx + (t * call->rows + block.first) * call->inputs);
        if (t > 0 || call->dh != NULL) {
            multiply_transposed(call, block.rows, dz_t, call->w_h, its->packed_h, hidden, next);
            dh = next;
            next = new_dh;
        }
        if (place == 0 && dw != NULL) {
            add_to_dw(its, &block, t, dz, dw, adds);
            adds = 1;
        }
        pass_masks(call, &block, t, new_dh, dh, dc);
    }
    if (call->dh != NULL)
        copy_row((real *)call->dh + start, dh, numbers);
    if (call->dc != NULL)
        copy_row((real *)call->dc + start, dc, numbers);
}

static void lstm_group(void *context, ptrdiff_t group, int worker)
{
    const struct lstm_backward *its = context;
    const struct lstm_call *call = its->call;
    ptrdiff_t blocks = blocks_of_sequences(call->rows), first = blocks * group / its->groups;
    real *dw = group == 0 || call->dw == NULL ? call->dw : its->sums + (group - 1) * numbers_of_dw(call);
    for (ptrdiff_t block = first; block < blocks * (group + 1) / its->groups; block++)
        backward_through_time(its, block, its->buffers + worker * its->buffer, dw, block > first);
}

static void add_sums(const struct lstm_backward *its)
{
    real *dw = its->call->dw;
    ptrdiff_t size = numbers_of_dw(its->call);
    for (ptrdiff_t group = 1; group < its->groups; group++)
        for (ptrdiff_t index = 0; index < size; index++)
            dw[index] += its->sums[(group - 1) * size + index];
}

/* Computes the cotangents that have a place; returns 0, or -1 without memory. */
KERNEL int lstm_backward(const struct lstm_call *call)
{
    ptrdiff_t groups = groups_of(call), hidden = call->hidden, columns = 4 * hidden;
    ptrdiff_t rows = smaller(ROWS_OF_SEQUENCES, call->rows);
    ptrdiff_t part = rows ? smaller(call->steps, ROWS_OF_A_PART / rows) : 0;
    int is_packed = call->rows > MOST_DOTTED_ROWS && call->rows * call->steps >= LEAST_TRANSPOSED;
    int threads = threads_for(3 * lstm_operations(call), groups);
    size_t by_h = is_packed ? padded(packed_size(columns, hidden)) : 0;
    size_t by_x = is_packed && call->dx != NULL ? padded(packed_size(columns, call->inputs)) : 0;
    size_t sums = call->dw != NULL && groups > 1 ? padded((size_t)((groups - 1) * numbers_of_dw(call))) : 0;
    size_t buffer = padded((size_t)(rows * (part * columns + 3 * hidden)));
    real *memory = workspace((by_h + by_x + sums + (size_t)threads * buffer) * sizeof(real));
    if (memory == NULL)
        return -1;
    struct lstm_backward backward = {call, groups, part, by_h ? memory : NULL, by_x ? memory + by_h : NULL,
                                     memory + by_h + by_x, memory + by_h + by_x + sums, (ptrdiff_t)buffer};
    if (by_h)
        pack(memory, call->w_h, 1, columns, columns, hidden);
    if (by_x)
        pack(memory + by_h, call->w_x, 1, columns, columns, call->inputs);
    run_tasks(lstm_group, &backward, groups, threads);
    if (call->dw != NULL && groups == 0)
        zero_row(call->dw, numbers_of_dw(call));
    if (sums)
        add_sums(&backward);
    return 0;
}

#endif
