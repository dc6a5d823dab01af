/* Linear layers and their activations, one after the other, for one network or the members of an ensemble.

       y = f(z),  z = x W + b

   Symbols as in linear.py: g is the cotangent of y, dz that of z. Rows are independent on the way forward, and on the
   way back from g to the dz of every layer: tasks are blocks of rows, which go through all layers while they lie in the
   caches. Then each dW and db is a sum over all rows: tasks are its panels. The paths depend on the sizes alone, so
   that bits are the same on any number of threads. */

#ifndef NPNETS_LINEAR_H
#define NPNETS_LINEAR_H

#include "activations.h"
#include "linear_call.h"
#include "product.h"
#include "threads.h"
#include "workspace.h"

enum {
    ROWS_OF_A_BLOCK = 64,
    LEAST_PACKED_ROWS = 48, /* fewer rows take less time than packing a weight */
    MOST_DOTS = 8,          /* up to so many rows, a product with a transposed weight is quicker unpacked */
};

/* -- one layer ----------------------------------------------------------------------------------------------------- */

/* Completes a tile of a layer's output: z on the way forward, the cotangent of the layer before on the way back. */
struct finishing {
    struct activation f;
    ptrdiff_t row;
    real *z, *y, *dz;
};

static void finish_forward(const void *context, ptrdiff_t i, ptrdiff_t j, ptrdiff_t rows, ptrdiff_t columns)
{
    const struct finishing *its = context;
    ptrdiff_t at = i * its->row + j;
    activate[its->f.kind](tile_of(rows, columns, its->row, its->f), its->z + at, its->y + at);
}

static void finish_backward(const void *context, ptrdiff_t i, ptrdiff_t j, ptrdiff_t rows, ptrdiff_t columns)
{
    const struct finishing *its = context;
    ptrdiff_t at = i * its->row + j;
    real *dz = its->dz + at;
    cotangent[its->f.kind](tile_of(rows, columns, its->row, its->f), dz, its->y + at, its->z ? its->z + at : NULL, dz);
}

/* Whether a layer's outputs are scalar products: for so few columns a tile would be nearly empty. */
INLINE int is_narrow(ptrdiff_t outputs) { return outputs <= FEW_COLUMNS; }

/* Returns how many numbers a layer's weight takes packed for the way forward; zero where it is used as it lies. */
INLINE size_t forward_packed_size(const struct layer *layer, ptrdiff_t rows)
{
    if (is_narrow(layer->outputs))
        return layer->outputs > 1 ? (size_t)(layer->inputs * layer->outputs) : 0;
    return rows >= LEAST_PACKED_ROWS ? packed_size(layer->inputs, layer->outputs) : 0;
}

static void pack_forward(const struct layer *layer, const real *weight, real *packed)
{
    if (!is_narrow(layer->outputs)) {
        pack(packed, weight, layer->outputs, 1, layer->inputs, layer->outputs);
        return;
    }
    for (ptrdiff_t k = 0; k < layer->inputs; k++)
        for (ptrdiff_t j = 0; j < layer->outputs; j++)
            packed[j * layer->inputs + k] = weight[k * layer->outputs + j];
}

/* y = f(x W + b) for some rows; z may be y. */
static void layer_forward(const struct layer *layer, ptrdiff_t rows, const real *x, const real *weight,
                          const real *bias, const real *packed, real *z, real *y)
{
    ptrdiff_t inputs = layer->inputs, outputs = layer->outputs;
    struct finishing finishing = {layer->f, outputs, z, y, NULL};
    struct product product = {rows, outputs, inputs, {x, inputs, 1}, packed, weight, outputs, bias, z, outputs,
                              layer->f.kind != NONE ? finish_forward : NULL, &finishing, 0};
    if (is_narrow(outputs)) {
        product.b = packed != NULL ? packed : weight;
        product.b_row = inputs;
        compute_dots(&product);
    } else {
        compute_product(&product);
    }
}

/* Returns how many numbers a layer's transposed weight takes packed; zero where it is used as it lies. */
INLINE size_t backward_packed_size(const struct layer *layer, ptrdiff_t rows)
{
    return layer->outputs > 1 && rows > MOST_DOTS ? packed_size(layer->outputs, layer->inputs) : 0;
}

/* dx = dz W^T for some rows; with an activation before the layer, dx f'(z) of that one. */
static void layer_backward(const struct layer *layer, ptrdiff_t rows, const real *dz, const real *weight,
                           const real *packed, real *dx, struct finishing *before)
{
    ptrdiff_t inputs = layer->inputs, outputs = layer->outputs;
    struct product product = {rows, inputs, outputs, {dz, outputs, 1}, packed, weight, inputs, NULL, dx, inputs,
                              before != NULL && before->f.kind != NONE ? finish_backward : NULL, before, 0};
    if (packed != NULL || outputs == 1) { /* a weight with one column lies as its transposed does */
        compute_product(&product);
    } else {
        product.b_row = outputs;
        compute_dots(&product);
    }
}

/* -- forward ------------------------------------------------------------------------------------------------------- */

INLINE ptrdiff_t blocks_of(ptrdiff_t rows) { return rows > 0 ? (rows + ROWS_OF_A_BLOCK - 1) / ROWS_OF_A_BLOCK : 0; }

INLINE double operations_of(const struct chain *chain)
{
    double weights = 0;
    for (int index = 0; index < chain->layers; index++)
        weights += (double)chain->layer[index].inputs * (double)chain->layer[index].outputs;
    return 2 * weights * (double)chain->rows * (double)chain->members;
}

INLINE const real *member_of(const void *parameter, ptrdiff_t member, ptrdiff_t size)
{
    return parameter != NULL ? (const real *)parameter + member * size : NULL;
}

INLINE real *rows_of(void *array, ptrdiff_t row, ptrdiff_t width)
{
    return array != NULL ? (real *)array + row * width : NULL;
}

/* The widest output of the layers before the last: where nothing is differentiated, they share two buffers. */
INLINE ptrdiff_t widest(const struct chain *chain)
{
    ptrdiff_t width = 0;
    for (int index = 0; index + 1 < chain->layers; index++)
        if (chain->layer[index].outputs > width)
            width = chain->layer[index].outputs;
    return (ptrdiff_t)padded((size_t)width);
}

/* A call under way: the buffers of each worker follow the packed weights. */
struct forward {
    const struct chain *chain;
    ptrdiff_t blocks, width;
    real *buffers;
};

static void forward_block(void *context, ptrdiff_t task, int worker)
{
    const struct forward *call = context;
    const struct chain *chain = call->chain;
    ptrdiff_t member = task / call->blocks, block = task % call->blocks;
    ptrdiff_t first = chain->rows * block / call->blocks, rows = chain->rows * (block + 1) / call->blocks - first;
    ptrdiff_t row = member * chain->rows + first, rows_of_x = chain->is_shared ? first : row;
    const real *x = (const real *)chain->x + rows_of_x * chain->layer[0].inputs;
    for (int index = 0; index < chain->layers; index++) {
        const struct layer *layer = chain->layer + index;
        const real *weight = member_of(layer->weight, member, layer->inputs * layer->outputs);
        const real *bias = member_of(layer->bias, member, layer->outputs);
        size_t size = forward_packed_size(layer, chain->rows);
        const real *packed = size ? (const real *)layer->packed + (size_t)member * size : NULL;
        real *buffer = call->buffers + (2 * worker + index % 2) * call->width * ROWS_OF_A_BLOCK;
        real *y = layer->y != NULL ? rows_of(layer->y, row, layer->outputs) : buffer;
        real *z = layer->z != NULL ? rows_of(layer->z, row, layer->outputs) : y;
        layer_forward(layer, rows, x, weight, bias, packed, z, y);
        x = y;
    }
}

/* Gives each weight its place in the workspace, packed, and returns the end of them; without memory only counts. */
static size_t place_packed(const struct chain *chain, real *memory, int is_forward)
{
    size_t total = 0;
    for (int index = 0; index < chain->layers; index++) {
        struct layer *layer = chain->layer + index;
        size_t size = is_forward ? forward_packed_size(layer, chain->rows) : backward_packed_size(layer, chain->rows);
        if (!is_forward && index == 0 && chain->dx == NULL)
            size = 0;
        layer->packed = memory != NULL && size ? memory + total : NULL;
        for (ptrdiff_t member = 0; layer->packed != NULL && member < chain->members; member++) {
            const real *weight = member_of(layer->weight, member, layer->inputs * layer->outputs);
            real *packed = (real *)layer->packed + (size_t)member * size;
            if (is_forward)
                pack_forward(layer, weight, packed);
            else
                pack(packed, weight, 1, layer->outputs, layer->outputs, layer->inputs);
        }
        total += padded(size * (size_t)chain->members);
    }
    return total;
}

/* Computes each layer's output; returns 0, or -1 without memory. */
KERNEL int linear_forward(const struct chain *chain)
{
    ptrdiff_t blocks = blocks_of(chain->rows), tasks = blocks * chain->members;
    int threads = threads_for(operations_of(chain), tasks);
    size_t packed = place_packed(chain, NULL, 1);
    ptrdiff_t width = widest(chain);
    real *memory = workspace((packed + (size_t)(threads * 2 * width * ROWS_OF_A_BLOCK) + 16) * sizeof(real));
    if (memory == NULL)
        return -1;
    place_packed(chain, memory, 1);
    struct forward call = {chain, blocks, width, memory + packed};
    run_tasks(forward_block, &call, tasks, threads);
    return 0;
}

#endif
