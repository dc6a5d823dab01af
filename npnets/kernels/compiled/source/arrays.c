#include "arrays.h"

#include <string.h>

enum { LEAST_POOLED_BYTES = 1 << 16 }; /* as in buffers.py */

static PyObject *allocator = NULL;

void release(struct references *held)
{
    for (Py_ssize_t index = 0; index < held->count; index++)
        Py_DECREF(held->objects[index]);
    PyMem_Free(held->objects);
    memset(held, 0, sizeof *held);
}

static int grow(struct references *held)
{
    Py_ssize_t capacity = held->capacity ? 2 * held->capacity : 32;
    PyObject **objects = PyMem_Realloc(held->objects, (size_t)capacity * sizeof *objects);
    if (objects == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    held->objects = objects;
    held->capacity = capacity;
    return 0;
}

PyObject *hold(struct references *held, PyObject *object)
{
    if (object == NULL)
        return NULL;
    if (held->count == held->capacity && grow(held) < 0) {
        Py_DECREF(object);
        return NULL;
    }
    return held->objects[held->count++] = object;
}

int type_of(PyObject *object, const char *name)
{
    int type = PyArray_Check(object) ? PyArray_TYPE((PyArrayObject *)object) : NPY_NOTYPE;
    if (type != NPY_FLOAT && type != NPY_DOUBLE) {
        PyObject *found = (PyObject *)Py_TYPE(object);
        if (type != NPY_NOTYPE)
            found = (PyObject *)PyArray_DESCR((PyArrayObject *)object);
        PyErr_Format(PyExc_TypeError, "expected %s as an array of float32 or float64, but got %R", name, found);
        return -1;
    }
    return type;
}

int plain_type_of(PyObject *object)
{
    int type = PyArray_CheckExact(object) ? PyArray_TYPE((PyArrayObject *)object) : NPY_NOTYPE;
    return type == NPY_FLOAT || type == NPY_DOUBLE ? type : -1;
}

PyArrayObject *contiguous(struct references *held, PyObject *object, int type, const char *name)
{
    if (!PyArray_Check(object)) {
        PyErr_Format(PyExc_TypeError, "expected %s as an array, but got %R", name, (PyObject *)Py_TYPE(object));
        return NULL;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_TYPE(array) == type && PyArray_ISCARRAY_RO(array)) {
        Py_INCREF(object);
        return (PyArrayObject *)hold(held, object);
    }
    int flags = NPY_ARRAY_CARRAY_RO | NPY_ARRAY_FORCECAST;
    return (PyArrayObject *)hold(held, PyArray_FromArray(array, PyArray_DescrFromType(type), flags));
}

int check_shape(PyArrayObject *array, int dimensions, const npy_intp *shape, const char *name)
{
    int is_equal = PyArray_NDIM(array) == dimensions;
    for (int axis = 0; is_equal && axis < dimensions; axis++)
        is_equal = PyArray_DIM(array, axis) == shape[axis];
    if (is_equal)
        return 0;
    PyObject *expected = PyArray_IntTupleFromIntp(dimensions, shape);
    PyObject *found = PyArray_IntTupleFromIntp(PyArray_NDIM(array), PyArray_DIMS(array));
    if (expected != NULL && found != NULL)
        PyErr_Format(PyExc_ValueError, "expected %s of shape %R, but got %R", name, expected, found);
    Py_XDECREF(expected);
    Py_XDECREF(found);
    return -1;
}

/* Calls Python for a large array, and trusts nothing about what comes back. */
static PyObject *pooled(int dimensions, const npy_intp *shape, int type)
{
    PyObject *sizes = PyArray_IntTupleFromIntp(dimensions, shape), *descr = (PyObject *)PyArray_DescrFromType(type);
    PyObject *array = sizes && descr ? PyObject_CallFunctionObjArgs(allocator, sizes, descr, NULL) : NULL;
    Py_XDECREF(sizes);
    Py_XDECREF(descr);
    if (array == NULL)
        return NULL;
    if (PyArray_CheckExact(array) && PyArray_TYPE((PyArrayObject *)array) == type &&
        PyArray_ISCARRAY((PyArrayObject *)array)) {
        if (check_shape((PyArrayObject *)array, dimensions, shape, "the allocator's array") == 0)
            return array;
    } else {
        PyErr_SetString(PyExc_TypeError, "expected the allocator to return a new, contiguous array");
    }
    Py_DECREF(array);
    return NULL;
}

PyArrayObject *new_array(struct references *held, int dimensions, const npy_intp *shape, int type)
{
    npy_intp bytes = PyArray_MultiplyList(shape, dimensions) * bytes_of(type);
    PyObject *array = allocator != NULL && bytes >= LEAST_POOLED_BYTES ? pooled(dimensions, shape, type)
                                                                       : PyArray_SimpleNew(dimensions, shape, type);
    return (PyArrayObject *)hold(held, array);
}

PyObject *cotangents_of(struct references *held, PyObject *argnums, long arguments, cotangent_maker *make,
                        void *call)
{
    Py_ssize_t count = PyTuple_Check(argnums) ? PyTuple_Size(argnums) : 0;
    if (count == 0)
        return PyErr_Format(PyExc_TypeError, "expected argnums as a tuple of at least one");
    PyObject *cotangents = hold(held, PyTuple_New(count));
    for (Py_ssize_t index = 0; cotangents != NULL && index < count; index++) {
        long argnum = PyLong_AsLong(PyTuple_GetItem(argnums, index));
        if (argnum < 0 || argnum >= arguments)
            return PyErr_Format(PyExc_ValueError, "expected argnums of arrays among the arguments");
        PyObject *cotangent = make(call, argnum);
        if (cotangent == NULL)
            return NULL;
        PyTuple_SetItem(cotangents, index, cotangent);
    }
    return cotangents;
}

PyObject *set_allocator(PyObject *module, PyObject *function)
{
    (void)module;
    PyObject *before = allocator;
    Py_INCREF(function);
    allocator = function;
    Py_XDECREF(before);
    Py_RETURN_NONE;
}
