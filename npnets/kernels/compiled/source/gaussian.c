/* The binding of the log-density of a normal distribution. */

#include "gaussian_call.h"
#include "bindings.h"
#include "processor.h"
#include "rows_binding.h"

/* Reads x, mu and sigma of one shape; returns 0, or -1 with an error. */
static int parse(struct rows_call *rows, struct gaussian_call *call, PyObject *const *args)
{
    if ((call->x = first_input(rows, args[0], "x")) == NULL ||
        (call->mu = next_input(rows, args[1], WHOLE, "mu")) == NULL ||
        (call->sigma = next_input(rows, args[2], WHOLE, "sigma")) == NULL)
        return -1;
    call->rows = rows->rows;
    call->actions = rows->columns;
    return 0;
}

/* gaussian_forward(x, mu, sigma): log p */
PyObject *bind_gaussian_forward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct rows_call rows = {0};
    struct gaussian_call call = {0};
    PyObject *result = NULL;
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "expected (x, mu, sigma)");
    PyArrayObject *log_p = parse(&rows, &call, args) == 0 ? new_output(&rows, OF_ROWS) : NULL;
    if (log_p != NULL) {
        call.log_p = PyArray_DATA(log_p);
        if (RUN_ROWS(&rows, gaussian, &call) == 0) {
            Py_INCREF(log_p);
            result = PyArray_Return(log_p);
        }
    }
    release(&rows.held);
    return result;
}

/* gaussian_backward(argnums, g, x, mu, sigma): a cotangent for each of argnums */
PyObject *bind_gaussian_backward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct rows_call rows = {0};
    struct gaussian_call call = {0};
    PyObject *cotangents, *result = NULL;
    if (count != 5)
        return PyErr_Format(PyExc_TypeError, "expected (argnums, g, x, mu, sigma)");
    const struct place places[] = {{&call.dx, WHOLE}, {&call.dmu, WHOLE}, {&call.dsigma, WHOLE}};
    if (parse(&rows, &call, args + 2) == 0 && (call.g = next_cotangent(&rows, args[1], OF_ROWS, "g")) != NULL &&
        (cotangents = new_cotangents(&rows, args[0], places, 3)) != NULL && RUN_ROWS(&rows, gaussian, &call) == 0)
        result = Py_NewRef(cotangents);
    release(&rows.held);
    return result;
}
