#include "status.h"

#include "notes.h"

#include <math.h>

void clear_status(void) { write_notes(0); }

int read_status(void)
{
    unsigned notes = read_notes();
    return (notes & NOTE_OVERFLOW ? NPY_FPE_OVERFLOW : 0) |
           (notes & NOTE_DIVISION_BY_ZERO ? NPY_FPE_DIVIDEBYZERO : 0) | (notes & NOTE_INVALID ? NPY_FPE_INVALID : 0);
}

static int has_nan(PyArrayObject *array)
{
    npy_intp size = PyArray_SIZE(array);
    const float *single = PyArray_DATA(array);
    const double *wide = PyArray_DATA(array);
    for (npy_intp i = 0; i < size; i++)
        if (PyArray_TYPE(array) == NPY_FLOAT ? isnan(single[i]) : isnan(wide[i]))
            return 1;
    return 0;
}

int report_status(int flags, const char *name, PyArrayObject *const *inputs, Py_ssize_t count)
{
    for (Py_ssize_t index = 0; (flags & NPY_FPE_INVALID) && index < count; index++)
        if (inputs[index] != NULL && has_nan(inputs[index]))
            flags &= ~NPY_FPE_INVALID;
    return flags ? PyUFunc_GiveFloatingpointErrors(name, flags) : 0;
}

int report_run(int failed, int flags, const char *name, PyArrayObject *const *inputs, Py_ssize_t count)
{
    if (!failed)
        return report_status(flags, name, inputs, count);
    PyErr_NoMemory();
    return -1;
}
