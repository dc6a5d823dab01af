/* One call of the kernel of an LSTM's layer: what the binding hands over. Arrays are contiguous but for `sequence` and
   `flags`; a pointer is NULL where there is nothing. Symbols as in lstm.py. */

#ifndef NPNETS_LSTM_CALL_H
#define NPNETS_LSTM_CALL_H

#include <stddef.h>

/* The number of step t, row i and column j is `data[t * step + i * row + j * column]`. */
struct sequence {
    const void *data;
    ptrdiff_t step, row, column;
};

/* A mask: that of step t and row i is the byte `data[t * step + i * row]`. */
struct flags {
    const char *data;
    ptrdiff_t step, row;
};

struct lstm_call {
    ptrdiff_t steps, rows, inputs, hidden;
    struct sequence x;
    const void *w_x, *w_h, *b_x, *b_h, *h, *c;
    struct flags reset, valid;
    void *outputs, *new_h, *new_c; /* (steps, rows, hidden), (rows, hidden) */
    void *residuals;
    struct sequence doutputs;
    const void *dnew_h, *dnew_c;
    void *dx, *dw, *dh, *dc; /* dw is that of [W_x; b; W_h] */
};

/* The width of u = [x_t, 1, h]. */
static inline ptrdiff_t width_of_u(const struct lstm_call *call) { return call->inputs + 1 + call->hidden; }

/* The residuals of one step and row: u, the gates, and c as it enters the step. */
static inline ptrdiff_t width_of_residuals(const struct lstm_call *call) { return width_of_u(call) + 5 * call->hidden; }

static inline int is_set(const struct flags *mask, ptrdiff_t t, ptrdiff_t i)
{
    return mask->data[t * mask->step + i * mask->row] != 0;
}

/* Whether the states that enter a step are zero. */
static inline int is_reset(const struct lstm_call *call, ptrdiff_t t, ptrdiff_t i)
{
    return call->reset.data != NULL && is_set(&call->reset, t, i);
}

/* Whether a step lies within its sequence; elsewhere the states pass through. */
static inline int is_valid(const struct lstm_call *call, ptrdiff_t t, ptrdiff_t i)
{
    return call->valid.data == NULL || is_set(&call->valid, t, i);
}

#endif
