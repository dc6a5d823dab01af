/* Packing of the second matrix of a product: panels of two vectors, copied to contiguous memory.

   Rows of B that lie a power of two apart would fall on the same few places of the cache. Panels are copied block by
   block of BLOCK rows; columns that are missing in the last panel are zero. */

#ifndef NPNETS_PACKING_H
#define NPNETS_PACKING_H

#include "vector.h"

enum { PANEL = 2 * LANES, BLOCK = 256, SQUARE = 16 / sizeof(real) };

INLINE ptrdiff_t in_panels(ptrdiff_t columns) { return (columns + PANEL - 1) / PANEL * PANEL; }

typedef real square_vec __attribute__((vector_size(16)));
typedef integer square_integers __attribute__((vector_size(16)));

/* The entries of two vectors, one after the other, at the given places. */
#ifdef __clang__
#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (square_integers){__VA_ARGS__})
#endif

INLINE square_vec load_square(const real *from)
{
    square_vec x;
    memcpy(&x, from, sizeof x);
    return x;
}

INLINE void store_square(real *to, square_vec x) { memcpy(to, &x, sizeof x); }

INLINE size_t packed_size(ptrdiff_t depth, ptrdiff_t columns) { return (size_t)(depth * in_panels(columns)); }

INLINE void pack_rows(real *panel, const real *b, ptrdiff_t row, ptrdiff_t depth, ptrdiff_t columns)
{
    for (ptrdiff_t k = 0; k < depth; k++)
        for (int v = 0; v < 2; v++) {
            ptrdiff_t count = columns - v * LANES;
            store(panel + k * PANEL + v * LANES, count > 0 ? load_up_to(b + k * row + v * LANES, count, 0) : (vec){0});
        }
}

/* Copies a square of B, SQUARE columns of as many entries, to rows of a panel. */
INLINE void transpose_square(real *panel, const real *b, ptrdiff_t column)
{
#if NUMBER_BITS == 32
    square_vec r0 = load_square(b), r1 = load_square(b + column), r2 = load_square(b + 2 * column),
               r3 = load_square(b + 3 * column);
    square_vec low01 = SHUFFLE(r0, r1, 0, 4, 1, 5),
               low23 = SHUFFLE(r2, r3, 0, 4, 1, 5),
               high01 = SHUFFLE(r0, r1, 2, 6, 3, 7),
               high23 = SHUFFLE(r2, r3, 2, 6, 3, 7);
    store_square(panel, SHUFFLE(low01, low23, 0, 1, 4, 5));
    store_square(panel + PANEL, SHUFFLE(low01, low23, 2, 3, 6, 7));
    store_square(panel + 2 * PANEL, SHUFFLE(high01, high23, 0, 1, 4, 5));
    store_square(panel + 3 * PANEL, SHUFFLE(high01, high23, 2, 3, 6, 7));
#else
    square_vec r0 = load_square(b), r1 = load_square(b + column);
    store_square(panel, SHUFFLE(r0, r1, 0, 2));
    store_square(panel + PANEL, SHUFFLE(r0, r1, 1, 3));
#endif
}

INLINE void pack_columns(real *panel, const real *b, ptrdiff_t column, ptrdiff_t depth, ptrdiff_t columns)
{
    ptrdiff_t whole = depth / SQUARE * SQUARE, whole_columns = columns / SQUARE * SQUARE;
    for (ptrdiff_t k = 0; k < whole; k += SQUARE)
        for (ptrdiff_t j = 0; j < whole_columns; j += SQUARE)
            transpose_square(panel + k * PANEL + j, b + j * column + k, column);
    for (ptrdiff_t k = 0; k < depth; k++)
        for (ptrdiff_t j = k < whole ? whole_columns : 0; j < PANEL; j++)
            panel[k * PANEL + j] = j < columns ? b[j * column + k] : 0;
}

/* Packs B with entries `b[k * row + j * column]`, where row or column is one. */
KERNEL void pack(real *packed, const real *b, ptrdiff_t row, ptrdiff_t column, ptrdiff_t depth, ptrdiff_t columns)
{
    for (ptrdiff_t block = 0; block < depth; block += BLOCK) {
        ptrdiff_t steps = smaller(BLOCK, depth - block);
        for (ptrdiff_t j = 0; j < columns; j += PANEL, packed += steps * PANEL) {
            const real *from = b + block * row + j * column;
            if (column == 1)
                pack_rows(packed, from, row, steps, smaller(PANEL, columns - j));
            else
                pack_columns(packed, from, column, steps, smaller(PANEL, columns - j));
        }
    }
}

#endif
