/* Arrays of rows and a few columns, in parts that stay in the first cache: some whole rows, or a piece of a long one.

   Parts are flat, so that vectors run across the ends of short rows. A row's bits do not depend on its part. */

#ifndef NPNETS_ROWS_H
#define NPNETS_ROWS_H

#include "threads.h"
#include "vector.h"

enum { NUMBERS_OF_A_PART = 512, NUMBERS_OF_ROWS = 1 << 14 };

/* `count` numbers of an array from `first` on: `rows` rows from `row` on, or the columns of one from `column` on. */
struct part {
    ptrdiff_t row, rows, column, first, count;
};

INLINE struct part part_at(ptrdiff_t row, ptrdiff_t column, ptrdiff_t end, ptrdiff_t columns)
{
    ptrdiff_t first = row * columns + column;
    if (columns > NUMBERS_OF_A_PART)
        return (struct part){row, 1, column, first, smaller(NUMBERS_OF_A_PART, columns - column)};
    ptrdiff_t rows = smaller(end - row, columns > 0 ? NUMBERS_OF_A_PART / columns : NUMBERS_OF_A_PART);
    return (struct part){row, rows, 0, first, rows * columns};
}

INLINE struct part next_part(struct part p, ptrdiff_t end, ptrdiff_t columns)
{
    int ends = columns <= NUMBERS_OF_A_PART || p.column + p.count == columns;
    return ends ? part_at(p.row + p.rows, 0, end, columns) : part_at(p.row, p.column + p.count, end, columns);
}

/* -- tasks: whole rows, the same ones whatever the number of threads ----------------------------------------------- */

INLINE ptrdiff_t rows_of_a_task(ptrdiff_t columns)
{
    return columns < NUMBERS_OF_ROWS ? NUMBERS_OF_ROWS / (columns + 1) : 1;
}

INLINE ptrdiff_t tasks_of_rows(ptrdiff_t rows, ptrdiff_t columns)
{
    ptrdiff_t each = rows_of_a_task(columns);
    return (rows + each - 1) / each;
}

/* -- values of rows and of columns --------------------------------------------------------------------------------- */

INLINE real sum_of(const real *from, ptrdiff_t count)
{
    ptrdiff_t i = 0;
    real total = 0;
    if (count >= LANES) {
        vec sums = {0};
        for (; i + LANES <= count; i += LANES)
            sums += load(from + i);
        total = sum_of_lanes(sums);
    }
    for (; i < count; i++)
        total += from[i];
    return total;
}

/* Adds the entries of a part to the sums of its rows. */
KERNEL void add_to_rows(struct part p, ptrdiff_t columns, const real *entry, real *sums)
{
    ptrdiff_t width = smaller(columns, p.count);
    for (ptrdiff_t i = 0; i < p.rows; i++)
        sums[p.row + i] += sum_of(entry + i * width, width);
}

/* Repeats a value of each row along the row. */
KERNEL void spread_rows(struct part p, const real *of_rows, real *to)
{
    ptrdiff_t width = p.count / p.rows;
    for (ptrdiff_t i = 0; i < p.rows; i++)
        for (ptrdiff_t j = 0; j < width; j++)
            *to++ = of_rows[p.row + i];
}

/* Repeats values of columns for each row of a part that has whole rows. */
KERNEL void repeat_columns(ptrdiff_t rows, ptrdiff_t columns, const real *of_columns, real *to)
{
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < columns; j++)
            *to++ = of_columns[j];
}

#endif
