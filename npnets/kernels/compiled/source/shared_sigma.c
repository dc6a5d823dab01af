/* The binding of a standard deviation that all rows share. */

#include "shared_sigma_call.h"
#include "bindings.h"
#include "processor.h"
#include "rows_binding.h"

enum { MOST_DIMENSIONS = NPY_MAXDIMS_LEGACY_ITERS };

/* Reads a shape (..., actions) into `sizes`; returns its length, or -1 with an error. */
static int parse_shape(PyObject *shape, ptrdiff_t actions, npy_intp *sizes)
{
    Py_ssize_t dimensions = PyTuple_Check(shape) ? PyTuple_Size(shape) : 0;
    dimensions = dimensions > MOST_DIMENSIONS ? 0 : dimensions;
    for (Py_ssize_t axis = 0; axis < dimensions; axis++)
        sizes[axis] = PyLong_AsSsize_t(PyTuple_GetItem(shape, axis));
    if (!PyErr_Occurred() && dimensions > 0 && sizes[dimensions - 1] == actions)
        return (int)dimensions;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "expected a shape whose last size is %zd, but got %R", actions, shape);
    return -1;
}

/* shared_sigma_forward(log_sigma, shape): sigma */
PyObject *bind_shared_sigma_forward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct rows_call rows = {0};
    struct shared_sigma_call call = {0};
    npy_intp sizes[MOST_DIMENSIONS];
    PyObject *result = NULL;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "expected (log_sigma, shape)");
    if ((call.log_sigma = first_input(&rows, args[0], "log_sigma")) == NULL)
        goto end;
    if (check_shape(rows.inputs[0], 1, rows.shape, "log_sigma") < 0)
        goto end;
    int dimensions = parse_shape(args[1], rows.columns, sizes);
    PyArrayObject *sigma = dimensions > 0 ? new_array(&rows.held, dimensions, sizes, rows.type) : NULL;
    if (sigma == NULL)
        goto end;
    call.rows = PyArray_MultiplyList(sizes, dimensions - 1);
    call.actions = rows.columns;
    call.sigma = PyArray_DATA(sigma);
    if (RUN_ROWS(&rows, shared_sigma_forward, &call) == 0)
        Py_INCREF(result = (PyObject *)sigma);
end:
    release(&rows.held);
    return result;
}

/* shared_sigma_backward(dsigma, sigma): dlog_sigma */
PyObject *bind_shared_sigma_backward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct rows_call rows = {0};
    struct shared_sigma_call call = {0};
    PyObject *result = NULL;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "expected (dsigma, sigma)");
    if ((call.sigma = (void *)first_input(&rows, args[1], "sigma")) == NULL ||
        (call.dsigma = next_cotangent(&rows, args[0], WHOLE, "dsigma")) == NULL)
        goto end;
    PyArrayObject *dlog_sigma = new_output(&rows, OF_COLUMNS);
    if (dlog_sigma == NULL)
        goto end;
    call.rows = rows.rows;
    call.actions = rows.columns;
    call.dlog_sigma = PyArray_DATA(dlog_sigma);
    if (RUN_ROWS(&rows, shared_sigma_backward, &call) == 0)
        Py_INCREF(result = (PyObject *)dlog_sigma);
end:
    release(&rows.held);
    return result;
}
