/* The binding of layer normalization. */

#include "layer_norm_call.h"
#include "bindings.h"
#include "processor.h"
#include "rows_binding.h"

/* Reads eps, x, weight and bias, of which the last two may be None; returns 0, or -1 with an error. */
static int parse(struct rows_call *rows, struct layer_norm_call *call, PyObject *const *args)
{
    call->eps = PyFloat_AsDouble(args[0]);
    if (PyErr_Occurred() || (call->x = first_input(rows, args[1], "x")) == NULL ||
        (args[2] != Py_None && (call->weight = next_input(rows, args[2], OF_COLUMNS, "weight")) == NULL) ||
        (args[3] != Py_None && (call->bias = next_input(rows, args[3], OF_COLUMNS, "bias")) == NULL))
        return -1;
    call->rows = rows->rows;
    call->features = rows->columns;
    return 0;
}

static void place_statistics(struct layer_norm_call *call, PyArrayObject *statistics)
{
    call->mean = PyArray_DATA(statistics);
    call->r = (char *)call->mean + call->rows * bytes_of(PyArray_TYPE(statistics));
}

/* layer_norm_forward(keep, eps, x, weight, bias): y, or with `keep` (y, statistics), the mean and r of each row */
PyObject *bind_layer_norm_forward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct rows_call rows = {0};
    struct layer_norm_call call = {0};
    PyObject *result = NULL;
    if (count != 5)
        return PyErr_Format(PyExc_TypeError, "expected (keep, eps, x, weight, bias)");
    int keep = PyObject_IsTrue(args[0]);
    PyArrayObject *y, *statistics = NULL;
    if (keep < 0 || parse(&rows, &call, args + 1) < 0 || (y = new_output(&rows, WHOLE)) == NULL)
        goto end;
    call.y = PyArray_DATA(y);
    if (keep) {
        if ((statistics = new_array(&rows.held, 2, (npy_intp[]){2, call.rows}, rows.type)) == NULL)
            goto end;
        place_statistics(&call, statistics);
    }
    if (RUN_ROWS(&rows, layer_norm_forward, &call) == 0)
        result = keep ? PyTuple_Pack(2, y, statistics) : Py_NewRef((PyObject *)y);
end:
    release(&rows.held);
    return result;
}

static int parse_statistics(struct rows_call *rows, struct layer_norm_call *call, PyObject *object)
{
    PyArrayObject *statistics = contiguous(&rows->held, object, rows->type, "the statistics");
    if (statistics == NULL || check_shape(statistics, 2, (npy_intp[]){2, call->rows}, "the statistics") < 0)
        return -1;
    place_statistics(call, statistics);
    return 0;
}

/* layer_norm_backward(argnums, dy, statistics, eps, x, weight, bias): a cotangent for each of argnums */
PyObject *bind_layer_norm_backward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct rows_call rows = {0};
    struct layer_norm_call call = {0};
    PyObject *cotangents, *result = NULL;
    if (count != 7)
        return PyErr_Format(PyExc_TypeError, "expected (argnums, dy, statistics, eps, x, weight, bias)");
    const struct place places[] = {{&call.dx, WHOLE}, {&call.dweight, OF_COLUMNS}, {&call.dbias, OF_COLUMNS}};
    if (parse(&rows, &call, args + 3) == 0 && (call.dy = next_cotangent(&rows, args[1], WHOLE, "dy")) != NULL &&
        parse_statistics(&rows, &call, args[2]) == 0 &&
        (cotangents = new_cotangents(&rows, args[0], places, 3)) != NULL &&
        RUN_ROWS(&rows, layer_norm_backward, &call) == 0)
        result = Py_NewRef(cotangents);
    release(&rows.held);
    return result;
}
