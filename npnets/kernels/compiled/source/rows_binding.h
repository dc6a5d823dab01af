/* Arguments of operations on rows: arrays `(..., columns)` of one shape and dtype, and values of each row or column. */

#ifndef NPNETS_ROWS_BINDING_H
#define NPNETS_ROWS_BINDING_H

#include "arrays.h"
#include "status.h"

#include <stddef.h>

enum { MOST_INPUTS = 8 };

/* What one call holds. The first array gives the shape and dtype of all. */
struct rows_call {
    struct references held;
    int type, dimensions;
    npy_intp shape[NPY_MAXDIMS];
    ptrdiff_t rows, columns;
    PyArrayObject *inputs[MOST_INPUTS];
    Py_ssize_t count;
};

enum extent { WHOLE, OF_ROWS, OF_COLUMNS }; /* (..., columns), (...), (columns,) */

/* Reads the first array; returns its numbers, or NULL with an error. */
const void *first_input(struct rows_call *call, PyObject *object, const char *name);

/* Reads a further array of the same dtype; returns its numbers, or NULL with an error. */
const void *next_input(struct rows_call *call, PyObject *object, enum extent extent, const char *name);

/* Reads the cotangent of an output, whose dtype may differ; that of a single number may be a scalar. */
const void *next_cotangent(struct rows_call *call, PyObject *object, enum extent extent, const char *name);

/* Returns a new array, or NULL with an error. */
PyArrayObject *new_output(struct rows_call *call, enum extent extent);

/* Where the kernel looks for the cotangent of an argument, and its shape. */
struct place {
    void **numbers;
    enum extent extent;
};

/* Makes the arrays of the cotangents of `argnums`, each of which has a place; returns a tuple of them, borrowed from
   the call, or NULL with an error. */
PyObject *new_cotangents(struct rows_call *call, PyObject *argnums, const struct place *places, long arguments);

/* Runs a kernel of this call's type on `its_call`, and reports what it noted: 0, or -1 with an error. */
#define RUN_ROWS(call, kernel, its_call)                                                                               \
    ({                                                                                                                 \
        int status_, run_failed_ = RUN(kernels_of((call)->type)->kernel, its_call, status_);                           \
        report_run(run_failed_, status_, #kernel, (call)->inputs, (call)->count);                                      \
    })

#endif
