#include "rows_binding.h"

#include <string.h>

/* Keeps an array of the call's dtype and returns its numbers. */
static const void *keep(struct rows_call *call, PyArrayObject *array)
{
    static const double nothing = 0; /* an array without numbers may have no memory */
    if (array == NULL)
        return NULL;
    call->inputs[call->count++] = array;
    return PyArray_DATA(array) != NULL ? PyArray_DATA(array) : (const void *)&nothing;
}

const void *first_input(struct rows_call *call, PyObject *object, const char *name)
{
    if ((call->type = type_of(object, name)) < 0)
        return NULL;
    PyArrayObject *array = contiguous(&call->held, object, call->type, name);
    if (array != NULL && PyArray_NDIM(array) == 0) {
        PyErr_Format(PyExc_ValueError, "expected %s with at least one axis, but got a single number", name);
        return NULL;
    }
    if (array != NULL) {
        call->dimensions = PyArray_NDIM(array);
        memcpy(call->shape, PyArray_DIMS(array), (size_t)call->dimensions * sizeof *call->shape);
        call->columns = call->shape[call->dimensions - 1];
        call->rows = PyArray_MultiplyList(call->shape, call->dimensions - 1);
    }
    return keep(call, array);
}

static int dimensions_of(const struct rows_call *call, enum extent extent)
{
    return extent == WHOLE ? call->dimensions : extent == OF_ROWS ? call->dimensions - 1 : 1;
}

static const npy_intp *shape_of(const struct rows_call *call, enum extent extent)
{
    return call->shape + (extent == OF_COLUMNS ? call->dimensions - 1 : 0);
}

static const void *checked(struct rows_call *call, PyArrayObject *array, enum extent extent, const char *name)
{
    if (array == NULL || check_shape(array, dimensions_of(call, extent), shape_of(call, extent), name) < 0)
        return NULL;
    return keep(call, array);
}

const void *next_input(struct rows_call *call, PyObject *object, enum extent extent, const char *name)
{
    int type = type_of(object, name);
    if (type >= 0 && type != call->type)
        PyErr_Format(PyExc_TypeError, "expected %s of the same dtype as the arrays before it, but got %R", name,
                     (PyObject *)PyArray_DESCR((PyArrayObject *)object));
    return type == call->type ? checked(call, contiguous(&call->held, object, type, name), extent, name) : NULL;
}

const void *next_cotangent(struct rows_call *call, PyObject *object, enum extent extent, const char *name)
{
    if (PyArray_Check(object))
        return checked(call, contiguous(&call->held, object, call->type, name), extent, name);
    PyObject *array = PyArray_FROM_OTF(object, call->type, NPY_ARRAY_CARRAY_RO | NPY_ARRAY_FORCECAST);
    return checked(call, (PyArrayObject *)hold(&call->held, array), extent, name);
}

PyArrayObject *new_output(struct rows_call *call, enum extent extent)
{
    return new_array(&call->held, dimensions_of(call, extent), shape_of(call, extent), call->type);
}

struct places {
    struct rows_call *call;
    const struct place *place;
};

static PyObject *new_cotangent(void *context, long argnum)
{
    const struct places *places = context;
    struct place place = places->place[argnum];
    PyArrayObject *cotangent = new_output(places->call, place.extent);
    if (cotangent == NULL)
        return NULL;
    *place.numbers = PyArray_DATA(cotangent);
    return Py_NewRef((PyObject *)cotangent);
}

PyObject *new_cotangents(struct rows_call *call, PyObject *argnums, const struct place *places, long arguments)
{
    return cotangents_of(&call->held, argnums, arguments, new_cotangent, &(struct places){call, places});
}
