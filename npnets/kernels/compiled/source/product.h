/* Matrix products: C = A B, or C = bias + A B, each tile of C finished while it lies in the first cache.

   Symbols: A has `rows` rows and `depth` columns, B `depth` rows and `columns` columns. A tile is TILE_ROWS rows and a
   panel, two vectors, of C; its sums stay in registers. Each entry of C is the sum of its products in their order, in
   blocks of BLOCK, so that it has the same bits whatever tile, thread or instruction set with FMA computes it. */

#ifndef NPNETS_PRODUCT_H
#define NPNETS_PRODUCT_H

#include "packing.h"

enum { FEW_COLUMNS = 4 };

/* A as `data[i * row + k * step]` for row i and column k. */
struct factor {
    const real *data;
    ptrdiff_t row, step;
};

/* A tile of C that is complete: `rows` x `columns` entries from row `i` and column `j` on. */
typedef void finish_function(const void *context, ptrdiff_t i, ptrdiff_t j, ptrdiff_t rows, ptrdiff_t columns);

/* One product. B is either packed, or has contiguous rows that are `b_row` apart. Without bias and finish they are
   NULL. */
struct product {
    ptrdiff_t rows, columns, depth;
    struct factor a;
    const real *packed, *b;
    ptrdiff_t b_row;
    const real *bias;
    real *c;
    ptrdiff_t c_row;
    finish_function *finish;
    const void *context;
    int adds; /* C = C + A B, without a bias */
};

/* -- tiles --------------------------------------------------------------------------------------------------------- */

/* Adds one block's products to a tile of `rows` x `vectors` sums, both known to the compiler. */
INLINE void multiply(const int rows, const int vectors, struct factor a, const real *b, ptrdiff_t b_row,
                     ptrdiff_t steps, real *c, ptrdiff_t c_row, const real *bias, int is_first)
{
    vec sums[TILE_ROWS][8];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++)
            sums[i][v] = bias != NULL && is_first ? load(bias + v * LANES) : (vec){0};
    for (ptrdiff_t k = 0; k < steps; k++) {
        vec row[8];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++)
            row[v] = load(b + k * b_row + v * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++)
                sums[i][v] += a.data[i * a.row + k * a.step] * row[v];
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            real *to = c + i * c_row + v * LANES;
            store(to, is_first ? sums[i][v] : load(to) + sums[i][v]);
        }
}

#define MULTIPLY(rows, vectors)                                                                                        \
    static void multiply_##rows##_##vectors(struct factor a, const real *b, ptrdiff_t b_row, ptrdiff_t steps, real *c, \
                                            ptrdiff_t c_row, const real *bias, int is_first)                           \
    {                                                                                                                  \
        multiply(rows, vectors, a, b, b_row, steps, c, c_row, bias, is_first);                                         \
    }
#define MULTIPLY_ROWS(vectors)                                                                                         \
    MULTIPLY(1, vectors) MULTIPLY(2, vectors) MULTIPLY(3, vectors) MULTIPLY(4, vectors) MULTIPLY(5, vectors)           \
    MULTIPLY(6, vectors)
MULTIPLY_ROWS(1)
MULTIPLY_ROWS(2)
MULTIPLY(1, 8)
#if TILE_ROWS > 6
#define MULTIPLY_MORE_ROWS(vectors)                                                                                    \
    MULTIPLY(7, vectors) MULTIPLY(8, vectors) MULTIPLY(9, vectors) MULTIPLY(10, vectors) MULTIPLY(11, vectors)         \
    MULTIPLY(12, vectors) MULTIPLY(13, vectors) MULTIPLY(14, vectors)
MULTIPLY_MORE_ROWS(1)
MULTIPLY_MORE_ROWS(2)
#endif

typedef void multiply_function(struct factor, const real *, ptrdiff_t, ptrdiff_t, real *, ptrdiff_t, const real *, int);

#if TILE_ROWS > 6
#define BY_ROWS(v)                                                                                                     \
    {multiply_1_##v, multiply_2_##v,  multiply_3_##v,  multiply_4_##v,  multiply_5_##v,  multiply_6_##v,               \
     multiply_7_##v, multiply_8_##v,  multiply_9_##v,  multiply_10_##v, multiply_11_##v, multiply_12_##v,              \
     multiply_13_##v, multiply_14_##v}
#else
#define BY_ROWS(v)                                                                                                     \
    {multiply_1_##v, multiply_2_##v, multiply_3_##v, multiply_4_##v, multiply_5_##v, multiply_6_##v}
#endif

static multiply_function *const by_vectors_and_rows[2][TILE_ROWS] = {BY_ROWS(1), BY_ROWS(2)};

/* Computes a tile at the right edge of C in memory of its own, because whole vectors would be written past the edge. */
static void multiply_edge(multiply_function *multiply_tile, struct factor a, const real *b, ptrdiff_t b_row,
                          ptrdiff_t steps, real *c, ptrdiff_t c_row, const real *bias, int is_first, ptrdiff_t rows,
                          ptrdiff_t columns)
{
    real tile[TILE_ROWS * PANEL], its_bias[PANEL];
    size_t bytes = (size_t)columns * sizeof(real);
    if (bias != NULL) {
        memset(its_bias, 0, sizeof its_bias);
        memcpy(its_bias, bias, bytes);
    }
    if (!is_first)
        for (ptrdiff_t i = 0; i < rows; i++) {
            memset(tile + i * PANEL, 0, PANEL * sizeof(real));
            memcpy(tile + i * PANEL, c + i * c_row, bytes);
        }
    multiply_tile(a, b, b_row, steps, tile, PANEL, bias != NULL ? its_bias : NULL, is_first);
    for (ptrdiff_t i = 0; i < rows; i++)
        memcpy(c + i * c_row, tile + i * PANEL, bytes);
}

/* All rows of C for the columns of one panel and the products of one block. */
static void multiply_panel(const struct product *p, ptrdiff_t block, ptrdiff_t j, const real *b, ptrdiff_t b_row)
{
    ptrdiff_t steps = smaller(BLOCK, p->depth - block), columns = smaller(PANEL, p->columns - j);
    ptrdiff_t tiles = (p->rows + TILE_ROWS - 1) / TILE_ROWS;
    int vectors = columns > LANES ? 2 : 1;
    int is_first = block == 0 && !p->adds;
    const real *bias = p->bias != NULL ? p->bias + j : NULL;
    for (ptrdiff_t tile = 0; tile < tiles; tile++) {
        ptrdiff_t i = p->rows * tile / tiles, rows = p->rows * (tile + 1) / tiles - i;
        struct factor a = {p->a.data + i * p->a.row + block * p->a.step, p->a.row, p->a.step};
        multiply_function *multiply_tile = by_vectors_and_rows[vectors - 1][rows - 1];
        real *c = p->c + i * p->c_row + j;
        if (columns == vectors * LANES)
            multiply_tile(a, b, b_row, steps, c, p->c_row, bias, is_first);
        else
            multiply_edge(multiply_tile, a, b, b_row, steps, c, p->c_row, bias, is_first, rows, columns);
        if (p->finish != NULL && block + steps >= p->depth)
            p->finish(p->context, i, j, rows, columns);
    }
}

/* Copies a panel of an unpacked B if many rows use it; and the last one, past whose edge whole vectors would end. */
static void multiply_unpacked_panel(const struct product *p, ptrdiff_t block, ptrdiff_t j)
{
    ptrdiff_t steps = smaller(BLOCK, p->depth - block), columns = smaller(PANEL, p->columns - j);
    const real *b = p->b + block * p->b_row + j;
    if (columns == PANEL && p->rows <= 2 * TILE_ROWS) {
        multiply_panel(p, block, j, b, p->b_row);
    } else {
        real panel[BLOCK * PANEL];
        pack_rows(panel, b, p->b_row, steps, columns);
        multiply_panel(p, block, j, panel, PANEL);
    }
}

/* One row: sums of eight vectors side by side hide the time that each takes. */
static ptrdiff_t multiply_row(const struct product *p, ptrdiff_t block)
{
    ptrdiff_t steps = smaller(BLOCK, p->depth - block), j = 0;
    struct factor a = {p->a.data + block * p->a.step, p->a.row, p->a.step};
    for (; j + 8 * LANES <= p->columns; j += 8 * LANES) {
        const real *b = p->b + block * p->b_row + j, *bias = p->bias != NULL ? p->bias + j : NULL;
        multiply_1_8(a, b, p->b_row, steps, p->c + j, p->c_row, bias, block == 0 && !p->adds);
        if (p->finish != NULL && block + steps >= p->depth)
            p->finish(p->context, 0, j, 1, 8 * LANES);
    }
    return j;
}

/* Computes a product; one whose depth is zero is the bias or zero. */
KERNEL void compute_product(const struct product *p)
{
    const real *packed = p->packed;
    for (ptrdiff_t block = 0; block == 0 || block < p->depth; block += BLOCK) {
        ptrdiff_t steps = smaller(BLOCK, p->depth - block);
        ptrdiff_t j = packed == NULL && p->rows == 1 ? multiply_row(p, block) : 0;
        for (; j < p->columns; j += PANEL) {
            if (packed == NULL) {
                multiply_unpacked_panel(p, block, j);
            } else {
                multiply_panel(p, block, j, packed, PANEL);
                packed += steps * PANEL;
            }
        }
    }
}

/* -- few rows or columns ----------------------------------------------------------------------------------------------

   Where a tile would be nearly empty, each entry is a scalar product along contiguous rows of A and contiguous columns
   of B, `b[j * b_column + k]`. */

INLINE void multiply_dots(const int rows, const int columns, const real *a, ptrdiff_t a_row, const real *b,
                          ptrdiff_t b_column, ptrdiff_t depth, real *c, ptrdiff_t c_row, const real *bias)
{
    vec sums[4][4];
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < columns; j++)
            sums[i][j] = (vec){0};
    ptrdiff_t k = 0;
    for (; k + LANES <= depth; k += LANES)
#pragma GCC unroll 4
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
            for (int j = 0; j < columns; j++)
                sums[i][j] += load(a + i * a_row + k) * load(b + j * b_column + k);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            real sum = sum_of_lanes(sums[i][j]);
            for (ptrdiff_t last = k; last < depth; last++)
                sum += a[i * a_row + last] * b[j * b_column + last];
            c[i * c_row + j] = bias != NULL ? bias[j] + sum : sum;
        }
}

#define DOTS(rows, columns)                                                                                            \
    static void dots_##rows##_##columns(const real *a, ptrdiff_t a_row, const real *b, ptrdiff_t b_column,             \
                                        ptrdiff_t depth, real *c, ptrdiff_t c_row, const real *bias)                   \
    {                                                                                                                  \
        multiply_dots(rows, columns, a, a_row, b, b_column, depth, c, c_row, bias);                                    \
    }
#define DOTS_OF_ROWS(rows) DOTS(rows, 1) DOTS(rows, 2) DOTS(rows, 3) DOTS(rows, 4)
DOTS_OF_ROWS(1)
DOTS_OF_ROWS(2)
DOTS_OF_ROWS(4)

typedef void dots_function(const real *, ptrdiff_t, const real *, ptrdiff_t, ptrdiff_t, real *, ptrdiff_t,
                           const real *);

static dots_function *const dots_of_rows[3][4] = {
    {dots_1_1, dots_1_2, dots_1_3, dots_1_4},
    {dots_2_1, dots_2_2, dots_2_3, dots_2_4},
    {dots_4_1, dots_4_2, dots_4_3, dots_4_4},
};

/* Computes C as scalar products, A with contiguous rows; the columns of B lie in `p->b`, `p->b_row` apart. */
KERNEL void compute_dots(const struct product *p)
{
    for (ptrdiff_t i = 0, rows; i < p->rows; i += rows) {
        int by = p->rows - i >= 4 ? 2 : p->rows - i >= 2 ? 1 : 0;
        rows = (ptrdiff_t)1 << by;
        for (ptrdiff_t j = 0; j < p->columns; j += 4) {
            ptrdiff_t columns = smaller(4, p->columns - j);
            dots_of_rows[by][columns - 1](p->a.data + i * p->a.row, p->a.row, p->b + j * p->b_row, p->b_row, p->depth,
                                          p->c + i * p->c_row + j, p->c_row, p->bias != NULL ? p->bias + j : NULL);
        }
        if (p->finish != NULL)
            p->finish(p->context, i, 0, rows, p->columns);
    }
}

#endif
