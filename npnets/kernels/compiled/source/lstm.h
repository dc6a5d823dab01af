/* One layer of an LSTM over a sequence.

       z = u W,  u = [x_t, 1, h],  W = [W_x; b_x + b_h; W_h]

   and from z to the next h and c as in lstm_step.h. Rows are independent through all steps: tasks are blocks of rows,
   each through the whole sequence. Where a step is reset the states that enter it are zero; where it is not valid its x
   is not read, and the states pass through. The paths depend on the sizes of the call alone. */

#ifndef NPNETS_LSTM_H
#define NPNETS_LSTM_H

#include "lstm_call.h"
#include "lstm_step.h"
#include "product.h"
#include "threads.h"
#include "workspace.h"

enum {
    ROWS_OF_SEQUENCES = 32, /* of a block */
    LEAST_STACKED = 8,      /* fewer rows of all steps take less time than packing W */
};

/* Some rows of the batch, and their residuals: those of a block lie together, (steps, rows, ...). Where nothing is
   differentiated there is u alone, of one step. */
struct sequences {
    ptrdiff_t first, rows;
    real *u, *gates, *c;
    ptrdiff_t u_step;
};

INLINE ptrdiff_t blocks_of_sequences(ptrdiff_t rows) { return (rows + ROWS_OF_SEQUENCES - 1) / ROWS_OF_SEQUENCES; }

INLINE struct sequences block_of(const struct lstm_call *call, ptrdiff_t index)
{
    ptrdiff_t blocks = blocks_of_sequences(call->rows), first = call->rows * index / blocks;
    ptrdiff_t rows = call->rows * (index + 1) / blocks - first, size = call->steps * rows;
    struct sequences block = {first, rows, NULL, NULL, NULL, 0};
    if (call->residuals != NULL) {
        block.u = (real *)call->residuals + call->steps * first * width_of_residuals(call);
        block.gates = block.u + size * width_of_u(call);
        block.c = block.gates + size * 4 * call->hidden;
        block.u_step = rows * width_of_u(call);
    }
    return block;
}

INLINE void copy_row(real *to, const real *from, ptrdiff_t count) { memcpy(to, from, (size_t)count * sizeof(real)); }

INLINE void zero_row(real *to, ptrdiff_t count) { memset(to, 0, (size_t)count * sizeof(real)); }

INLINE void copy_strided_row(real *to, const struct sequence *from, ptrdiff_t t, ptrdiff_t i, ptrdiff_t count)
{
    const real *row = (const real *)from->data + t * from->step + i * from->row;
    if (from->column == 1)
        copy_row(to, row, count);
    else
        for (ptrdiff_t j = 0; j < count; j++)
            to[j] = row[j * from->column];
}

INLINE double lstm_operations(const struct lstm_call *call)
{
    return 8.0 * (double)call->hidden * (double)width_of_u(call) * (double)call->rows * (double)call->steps;
}

/* -- z = u W ------------------------------------------------------------------------------------------------------- */

/* Whether rows are multiplied by W as one packed matrix; else W_x and W_h are used as they lie, row by row. */
INLINE int is_stacked(const struct lstm_call *call)
{
    return call->rows > 2 && call->rows * call->steps >= LEAST_STACKED;
}

INLINE size_t stacked_size(const struct lstm_call *call)
{
    return is_stacked(call) ? packed_size(width_of_u(call), 4 * call->hidden) : 0;
}

static void add_biases(const struct lstm_call *call, real *bias)
{
    const real *b_x = call->b_x, *b_h = call->b_h;
    for (ptrdiff_t j = 0; j < 4 * call->hidden; j++)
        bias[j] = b_x[j] + b_h[j];
}

/* Row k of W. */
INLINE const real *row_of_w(const struct lstm_call *call, const real *bias, ptrdiff_t k)
{
    ptrdiff_t columns = 4 * call->hidden, of_h = k - call->inputs - 1;
    if (k == call->inputs)
        return bias;
    return of_h < 0 ? (const real *)call->w_x + k * columns : (const real *)call->w_h + of_h * columns;
}

/* Packs W as `pack` does. */
static void pack_stacked(const struct lstm_call *call, const real *bias, real *packed)
{
    ptrdiff_t depth = width_of_u(call), columns = 4 * call->hidden;
    for (ptrdiff_t block = 0; block < depth; block += BLOCK)
        for (ptrdiff_t j = 0; j < columns; j += PANEL)
            for (ptrdiff_t k = block; k < smaller(block + BLOCK, depth); k++, packed += PANEL)
                pack_rows(packed, row_of_w(call, bias, k) + j, 0, 1, smaller(PANEL, columns - j));
}

static void multiply_by_w(const struct lstm_call *call, ptrdiff_t rows, const real *u, const real *packed,
                          const real *bias, real *z)
{
    ptrdiff_t width = width_of_u(call), columns = 4 * call->hidden;
    struct product product = {rows, columns, width, {u, width, 1}, packed, NULL, 0, NULL, z, columns, NULL, NULL, 0};
    if (packed != NULL) {
        compute_product(&product);
        return;
    }
    for (ptrdiff_t i = 0; i < rows; i++, u += width, z += columns) {
        struct product by_w_x = {1, columns, call->inputs, {u, 0, 1}, NULL, call->w_x, columns, bias,
                                 z, columns, NULL, NULL, 0};
        struct product by_w_h = {1, columns, call->hidden, {u + call->inputs + 1, 0, 1}, NULL, call->w_h, columns, NULL,
                                 z, columns, NULL, NULL, 1};
        compute_product(&by_w_x);
        compute_product(&by_w_h);
    }
}

/* -- forward ------------------------------------------------------------------------------------------------------- */

struct lstm_forward {
    const struct lstm_call *call;
    const real *packed, *bias;
    real *buffers; /* of each worker: z, and u where nothing is differentiated */
    ptrdiff_t buffer;
};

/* Writes u of a step from the states that leave the step before, and makes c zero where the step is reset. */
static void enter_step(const struct lstm_call *call, const struct sequences *block, ptrdiff_t t, const real *h, real *c)
{
    ptrdiff_t inputs = call->inputs, hidden = call->hidden, width = width_of_u(call);
    real *u = block->u + t * block->u_step;
    for (ptrdiff_t i = 0; i < block->rows; i++, u += width, h += hidden, c += hidden) {
        ptrdiff_t row = block->first + i;
        if (is_valid(call, t, row))
            copy_strided_row(u, &call->x, t, row, inputs);
        else
            zero_row(u, inputs);
        u[inputs] = 1;
        if (is_reset(call, t, row)) {
            zero_row(u + inputs + 1, hidden);
            zero_row(c, hidden);
        } else {
            copy_row(u + inputs + 1, h, hidden);
        }
    }
}

/* Writes h', c' and the residuals of a step. */
static void leave_step(const struct lstm_call *call, const struct sequences *block, ptrdiff_t t, const real *z, real *c,
                       real *new_h)
{
    ptrdiff_t hidden = call->hidden, width = width_of_u(call);
    const real *h = block->u + t * block->u_step + call->inputs + 1;
    for (ptrdiff_t i = 0; i < block->rows; i++, z += 4 * hidden, h += width, c += hidden, new_h += hidden) {
        ptrdiff_t place = t * block->rows + i;
        if (!is_valid(call, t, block->first + i))
            copy_row(new_h, h, hidden);
        else if (block->gates == NULL)
            step_forward(hidden, z, c, new_h, NULL, NULL);
        else
            step_forward(hidden, z, c, new_h, block->gates + place * 4 * hidden, block->c + place * hidden);
    }
}

static void lstm_block(void *context, ptrdiff_t task, int worker)
{
    const struct lstm_forward *its = context;
    const struct lstm_call *call = its->call;
    struct sequences block = block_of(call, task);
    ptrdiff_t hidden = call->hidden, numbers = block.rows * hidden, start = block.first * hidden;
    real *z = its->buffers + worker * its->buffer, *c = (real *)call->new_c + start;
    const real *h = (const real *)call->h + start;
    if (block.u == NULL)
        block.u = z + padded((size_t)(4 * numbers));
    copy_row(c, (const real *)call->c + start, numbers);
    for (ptrdiff_t t = 0; t < call->steps; t++) {
        real *new_h = (real *)call->outputs + t * call->rows * hidden + start;
        enter_step(call, &block, t, h, c);
        multiply_by_w(call, block.rows, block.u + t * block.u_step, its->packed, its->bias, z);
        leave_step(call, &block, t, z, c, new_h);
        h = new_h;
    }
    copy_row((real *)call->new_h + start, h, numbers);
}

/* Computes outputs, states and residuals; returns 0, or -1 without memory. */
KERNEL int lstm_forward(const struct lstm_call *call)
{
    ptrdiff_t tasks = blocks_of_sequences(call->rows), rows = smaller(ROWS_OF_SEQUENCES, call->rows);
    int threads = threads_for(lstm_operations(call), tasks);
    size_t stacked = padded(stacked_size(call)), bias = padded((size_t)(4 * call->hidden));
    size_t buffer = padded((size_t)(4 * rows * call->hidden)) + padded((size_t)(rows * width_of_u(call)));
    real *memory = workspace((stacked + bias + (size_t)threads * buffer) * sizeof(real));
    if (memory == NULL)
        return -1;
    struct lstm_forward forward = {call, stacked ? memory : NULL, memory + stacked, memory + stacked + bias,
                                   (ptrdiff_t)buffer};
    add_biases(call, memory + stacked);
    if (stacked)
        pack_stacked(call, forward.bias, memory);
    run_tasks(lstm_block, &forward, tasks, threads);
    return 0;
}

#endif
