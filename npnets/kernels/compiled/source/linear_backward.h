/* The backward of linear layers: from the cotangent of the last output to those of x, the weights and the biases.

   Symbols as in linear.h. */

#ifndef NPNETS_LINEAR_BACKWARD_H
#define NPNETS_LINEAR_BACKWARD_H

#include "linear.h"

/* A call under way: the layers from `lowest` on have cotangents. */
struct backward {
    const struct chain *chain;
    ptrdiff_t blocks;
    int lowest;
    real *dx; /* of each member, where they share x */
};

/* The first layer whose dz is needed. */
static int lowest_layer(const struct chain *chain)
{
    int index = 0;
    while (chain->dx == NULL && chain->layer[index].dweight == NULL && chain->layer[index].dbias == NULL)
        index++;
    return index;
}

/* The dz of every layer for a block of rows, from the last layer to the lowest. */
static void backward_block(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct backward *call = context;
    const struct chain *chain = call->chain;
    ptrdiff_t member = task / call->blocks, block = task % call->blocks;
    ptrdiff_t first = chain->rows * block / call->blocks, rows = chain->rows * (block + 1) / call->blocks - first;
    ptrdiff_t row = member * chain->rows + first;
    const struct layer *last = chain->layer + chain->layers - 1;
    if (last->f.kind != NONE) { /* y = f(z) */
        struct tile tile = tile_of(rows, last->outputs, last->outputs, last->f);
        cotangent[last->f.kind](tile, (const real *)chain->g + row * last->outputs,
                                rows_of(last->y, row, last->outputs), rows_of(last->z, row, last->outputs),
                                rows_of(last->dz, row, last->outputs));
    }
    for (int index = chain->layers - 1; index >= call->lowest; index--) { /* z = x W + b */
        const struct layer *layer = chain->layer + index, *before = index > 0 ? layer - 1 : NULL;
        if (index == call->lowest && (index > 0 || chain->dx == NULL))
            break;
        struct finishing finishing = {{NONE, 0, 0}, 0, NULL, NULL, rows_of(call->dx, row, layer->inputs)};
        if (before != NULL)
            finishing = (struct finishing){before->f, before->outputs, rows_of(before->z, row, before->outputs),
                                           rows_of(before->y, row, before->outputs),
                                           rows_of(before->dz, row, before->outputs)};
        size_t size = backward_packed_size(layer, chain->rows);
        layer_backward(layer, rows, rows_of(layer->dz, row, layer->outputs),
                       member_of(layer->weight, member, layer->inputs * layer->outputs),
                       size ? (const real *)layer->packed + (size_t)member * size : NULL, finishing.dz,
                       before != NULL ? &finishing : NULL);
    }
}

/* -- weights and biases -------------------------------------------------------------------------------------------- */

/* The input of a layer of one member: the output of the layer before. */
INLINE const real *input_of(const struct chain *chain, int index, ptrdiff_t member)
{
    ptrdiff_t row = index == 0 && chain->is_shared ? 0 : member * chain->rows;
    const struct layer *layer = chain->layer + index;
    return (const real *)(index == 0 ? chain->x : layer[-1].y) + row * layer->inputs;
}

/* db: sums over the rows, in blocks as those of a product. */
static void sum_rows(const real *dz, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t columns, real *sums)
{
    for (ptrdiff_t j = 0; j < columns; j += LANES) {
        vec total = {0};
        for (ptrdiff_t block = 0; block < rows; block += BLOCK) {
            vec sum = {0};
            for (ptrdiff_t i = block; i < smaller(block + BLOCK, rows); i++)
                sum += load_up_to(dz + i * row + j, columns - j, 0);
            total += sum;
        }
        store_up_to(sums + j, total, columns - j);
    }
}

/* dW = x^T dz for the columns of a panel. */
static void weight_panel(const real *x, const real *dz, const struct layer *layer, ptrdiff_t rows, ptrdiff_t j,
                         real *dweight)
{
    ptrdiff_t outputs = layer->outputs, columns = smaller(PANEL, outputs - j);
    struct product product = {layer->inputs, columns, rows, {x, 1, layer->inputs}, NULL, dz + j, outputs, NULL,
                              dweight + j, outputs, NULL, NULL, 0};
    compute_product(&product);
}

/* dW^T = dz^T x for the inputs of a panel, where there are few outputs, and then transposed. */
static void narrow_weight_panel(const real *x, const real *dz, const struct layer *layer, ptrdiff_t rows, ptrdiff_t k,
                                real *dweight)
{
    ptrdiff_t inputs = smaller(PANEL, layer->inputs - k), outputs = layer->outputs;
    real transposed[PANEL * PANEL];
    struct product product = {outputs, inputs, rows, {dz, 1, outputs}, NULL, x + k, layer->inputs, NULL, transposed,
                              PANEL, NULL, NULL, 0};
    compute_product(&product);
    for (ptrdiff_t i = 0; i < inputs; i++)
        for (ptrdiff_t j = 0; j < outputs; j++)
            dweight[(k + i) * outputs + j] = transposed[j * PANEL + i];
}

/* Panels of dW lie along the outputs, unless those are few. */
INLINE int is_transposed(const struct layer *layer) { return layer->outputs < LANES && layer->outputs < layer->inputs; }

INLINE ptrdiff_t panels_of(const struct layer *layer)
{
    if (layer->dweight == NULL)
        return layer->dbias != NULL;
    return in_panels(is_transposed(layer) ? layer->inputs : layer->outputs) / PANEL;
}

static void weight_task(const struct chain *chain, int index, ptrdiff_t member, ptrdiff_t panel)
{
    const struct layer *layer = chain->layer + index;
    ptrdiff_t outputs = layer->outputs, rows = chain->rows;
    const real *dz = (const real *)layer->dz + member * rows * outputs;
    int is_by_outputs = layer->dweight != NULL && !is_transposed(layer);
    if (layer->dbias != NULL && (is_by_outputs || panel == 0)) {
        ptrdiff_t j = is_by_outputs ? panel * PANEL : 0;
        ptrdiff_t columns = is_by_outputs ? smaller(PANEL, outputs - j) : outputs;
        sum_rows(dz + j, outputs, rows, columns, (real *)layer->dbias + member * outputs + j);
    }
    if (layer->dweight == NULL)
        return;
    real *dweight = (real *)layer->dweight + member * layer->inputs * outputs;
    const real *x = input_of(chain, index, member);
    if (is_transposed(layer))
        narrow_weight_panel(x, dz, layer, rows, panel * PANEL, dweight);
    else
        weight_panel(x, dz, layer, rows, panel * PANEL, dweight);
}

/* Tasks count the panels of all members of all layers. */
static void weight_panels(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct backward *call = context;
    for (int index = call->lowest; index < call->chain->layers; index++) {
        ptrdiff_t panels = panels_of(call->chain->layer + index), tasks = panels * call->chain->members;
        if (task < tasks) {
            weight_task(call->chain, index, task / panels, task % panels);
            return;
        }
        task -= tasks;
    }
}

/* -- the call ------------------------------------------------------------------------------------------------------ */

/* dx of an x that all members share: the sum of theirs, in their order. */
static void sum_members(const struct chain *chain, const real *dx)
{
    ptrdiff_t size = chain->rows * chain->layer[0].inputs;
    real *total = chain->dx;
    for (ptrdiff_t i = 0; i < size; i++) {
        real sum = dx[i];
        for (ptrdiff_t member = 1; member < chain->members; member++)
            sum += dx[member * size + i];
        total[i] = sum;
    }
}

/* Gives each layer's dz its place in the workspace, and returns the end of them; without memory only counts. */
static size_t place_dz(const struct chain *chain, real *memory)
{
    size_t total = 0, rows = (size_t)(chain->members * chain->rows);
    for (int index = 0; index < chain->layers; index++) {
        struct layer *layer = chain->layer + index;
        int is_g = index == chain->layers - 1 && layer->f.kind == NONE;
        layer->dz = is_g ? (void *)chain->g : memory + total;
        total += is_g ? 0 : padded(rows * (size_t)layer->outputs);
    }
    return total;
}

/* Computes the cotangents that have a place; returns 0, or -1 without memory. */
KERNEL int linear_backward(const struct chain *chain)
{
    ptrdiff_t blocks = blocks_of(chain->rows), tasks = 0;
    int has_own_dx = chain->dx != NULL && chain->is_shared && chain->members > 1;
    size_t packed = place_packed(chain, NULL, 0), dz = place_dz(chain, NULL);
    size_t dx = has_own_dx ? (size_t)(chain->members * chain->rows * chain->layer[0].inputs) : 0;
    real *memory = workspace((packed + dz + dx + 16) * sizeof(real));
    if (memory == NULL)
        return -1;
    place_packed(chain, memory, 0);
    place_dz(chain, memory + packed);
    struct backward call = {chain, blocks, lowest_layer(chain), has_own_dx ? memory + packed + dz : chain->dx};
    int threads = threads_for(operations_of(chain), blocks * chain->members);
    run_tasks(backward_block, &call, blocks * chain->members, threads);
    for (int index = call.lowest; index < chain->layers; index++)
        tasks += panels_of(chain->layer + index) * chain->members;
    run_tasks(weight_panels, &call, tasks, threads_for(operations_of(chain), tasks));
    if (has_own_dx)
        sum_members(chain, call.dx);
    return 0;
}

#endif
