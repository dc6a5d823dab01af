/* The binding of the elementary functions, for the tests of their accuracy. */

#include "arrays.h"
#include "bindings.h"
#include "elementary_call.h"
#include "processor.h"
#include "status.h"

#include <string.h>

static const char *const names[ELEMENTARY] = {"exp",     "exp_below", "expm1_below",  "tanh",
                                              "sigmoid", "log",       "log1p_of_unit"};

static int kind_of(PyObject *name)
{
    for (int kind = 0; kind < ELEMENTARY; kind++)
        if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, names[kind]) == 0)
            return kind;
    return -1;
}

/* elementary(name, x): the function of each entry */
PyObject *bind_elementary(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct references held = {0};
    PyObject *result = NULL;
    int kind = count == 2 ? kind_of(args[0]) : -1, type = kind >= 0 ? type_of(args[1], "x") : -1;
    if (kind < 0)
        return PyErr_Format(PyExc_TypeError, "expected the name of an elementary function and an array");
    PyArrayObject *x = type >= 0 ? contiguous(&held, args[1], type, "x") : NULL;
    PyArrayObject *y = x != NULL ? new_array(&held, PyArray_NDIM(x), PyArray_DIMS(x), type) : NULL;
    if (y != NULL) {
        struct elementary_call call = {kind, PyArray_SIZE(x), PyArray_DATA(x), PyArray_DATA(y)};
        int status, failed = RUN(kernels_of(type)->elementary, &call, status);
        if (report_run(failed, status, names[kind], &x, 1) == 0)
            result = Py_NewRef((PyObject *)y);
    }
    release(&held);
    return result;
}
