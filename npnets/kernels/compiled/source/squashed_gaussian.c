/* The binding of a squashed draw with its log-density. */

#include "squashed_gaussian_call.h"
#include "bindings.h"
#include "processor.h"
#include "rows_binding.h"

/* Reads mu, sigma and noise of one shape; returns 0, or -1 with an error. */
static int parse(struct rows_call *rows, struct squashed_gaussian_call *call, PyObject *const *args)
{
    if ((call->mu = first_input(rows, args[0], "mu")) == NULL ||
        (call->sigma = next_input(rows, args[1], WHOLE, "sigma")) == NULL ||
        (call->noise = next_input(rows, args[2], WHOLE, "noise")) == NULL)
        return -1;
    call->rows = rows->rows;
    call->actions = rows->columns;
    return 0;
}

static int parse_interval(struct rows_call *rows, struct squashed_gaussian_call *call, PyObject *const *args)
{
    call->log_norm = PyFloat_AsDouble(args[2]);
    if (PyErr_Occurred() || (call->middle = next_input(rows, args[0], OF_COLUMNS, "middle")) == NULL ||
        (call->half = next_input(rows, args[1], OF_COLUMNS, "half")) == NULL)
        return -1;
    return 0;
}

static PyObject *outputs_of(PyArrayObject *action, PyArrayObject *log_prob, PyArrayObject *t)
{
    Py_INCREF(log_prob);
    PyObject *number = PyArray_Return(log_prob);
    PyObject *outputs = t == NULL ? PyTuple_Pack(2, action, number) : PyTuple_Pack(3, action, number, t);
    Py_XDECREF(number);
    return outputs;
}

/* squashed_gaussian_forward(keep, mu, sigma, noise, middle, half, log_norm): (action, log_prob), and t to keep */
PyObject *bind_squashed_gaussian_forward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct rows_call rows = {0};
    struct squashed_gaussian_call call = {0};
    PyObject *result = NULL;
    if (count != 7)
        return PyErr_Format(PyExc_TypeError, "expected (keep, mu, sigma, noise, middle, half, log_norm)");
    int keep = PyObject_IsTrue(args[0]);
    if (keep < 0 || parse(&rows, &call, args + 1) < 0 || parse_interval(&rows, &call, args + 4) < 0)
        goto end;
    PyArrayObject *action = new_output(&rows, WHOLE), *log_prob = action != NULL ? new_output(&rows, OF_ROWS) : NULL;
    PyArrayObject *t = keep && log_prob != NULL ? new_output(&rows, WHOLE) : NULL;
    if (log_prob == NULL || (keep && t == NULL))
        goto end;
    call.action = PyArray_DATA(action);
    call.log_prob = PyArray_DATA(log_prob);
    call.t = t != NULL ? PyArray_DATA(t) : NULL;
    if (RUN_ROWS(&rows, squashed_gaussian, &call) == 0)
        result = outputs_of(action, log_prob, t);
end:
    release(&rows.held);
    return result;
}

/* Reads the cotangents of both outputs, None where one is not used, half and t; returns 0, or -1 with an error. */
static int parse_cotangents(struct rows_call *rows, struct squashed_gaussian_call *call, PyObject *const *args)
{
    if ((args[0] != Py_None && (call->daction = next_cotangent(rows, args[0], WHOLE, "daction")) == NULL) ||
        (args[1] != Py_None && (call->dlog_prob = next_cotangent(rows, args[1], OF_ROWS, "dlog_prob")) == NULL) ||
        (call->half = next_input(rows, args[2], OF_COLUMNS, "half")) == NULL ||
        (call->t = (void *)next_input(rows, args[3], WHOLE, "t")) == NULL)
        return -1;
    return 0;
}

/* squashed_gaussian_backward(argnums, daction, dlog_prob, half, t, mu, sigma, noise): those of argnums */
PyObject *bind_squashed_gaussian_backward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct rows_call rows = {0};
    struct squashed_gaussian_call call = {0};
    PyObject *cotangents, *result = NULL;
    if (count != 8)
        return PyErr_Format(PyExc_TypeError, "expected (argnums, daction, dlog_prob, half, t, mu, sigma, noise)");
    const struct place places[] = {{&call.dmu, WHOLE}, {&call.dsigma, WHOLE}, {&call.dnoise, WHOLE}};
    if (parse(&rows, &call, args + 5) == 0 && parse_cotangents(&rows, &call, args + 1) == 0 &&
        (cotangents = new_cotangents(&rows, args[0], places, 3)) != NULL &&
        RUN_ROWS(&rows, squashed_gaussian, &call) == 0)
        result = Py_NewRef(cotangents);
    release(&rows.held);
    return result;
}
