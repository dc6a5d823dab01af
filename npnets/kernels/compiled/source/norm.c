/* The binding of the norm: the sum of squares over all leaves of a tree. */

#include "arrays.h"
#include "bindings.h"
#include "processor.h"

/* Adds the squares of an array; returns 1, 0 if it is not fit, or -1 with an error. */
static int add_array(PyObject *object, double *total)
{
    int type = plain_type_of(object);
    if (type < 0)
        return 0;
    struct references held = {0};
    PyArrayObject *array = contiguous(&held, object, type, "a leaf");
    if (array != NULL) {
        Py_BEGIN_ALLOW_THREADS
        *total += kernels_of(type)->sum_of_squares(PyArray_DATA(array), PyArray_SIZE(array));
        Py_END_ALLOW_THREADS
    }
    release(&held);
    return array != NULL ? 1 : -1;
}

/* sum_of_squares(leaves): in double precision, or None where a leaf is not fit */
PyObject *bind_sum_of_squares(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 1 || !PyList_Check(args[0]))
        return PyErr_Format(PyExc_TypeError, "expected a list of arrays");
    double total = 0;
    for (Py_ssize_t index = 0; index < PyList_Size(args[0]); index++) {
        PyObject *leaf = PyList_GetItem(args[0], index);
        Py_INCREF(leaf); /* meanwhile other threads may take it out of the list */
        int is_fit = add_array(leaf, &total);
        Py_DECREF(leaf);
        if (is_fit < 0)
            return NULL;
        if (!is_fit)
            Py_RETURN_NONE;
    }
    return PyFloat_FromDouble(total);
}
