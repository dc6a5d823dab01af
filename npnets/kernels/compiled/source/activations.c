/* The binding of activations by themselves, on arrays of any shape. */

#include "activations_binding.h"
#include "arrays.h"
#include "bindings.h"
#include "processor.h"
#include "status.h"

int parse_activation(PyObject *object, struct activation *f)
{
    *f = (struct activation){NONE, 0, 0};
    if (object == Py_None)
        return 0;
    PyObject *code = PyObject_GetAttrString(object, "code");
    if (code == NULL)
        return -1;
    int is_parsed = PyTuple_Check(code) && PyArg_ParseTuple(code, "idd", &f->kind, &f->first, &f->second);
    Py_DECREF(code);
    if (is_parsed && f->kind > NONE && f->kind < ACTIVATIONS)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "expected an activation whose code is (number, first, second)");
    return -1;
}

/* Reads the activation and z, which also gives the shape of a new array; returns that, or NULL with an error. */
static PyArrayObject *parse(struct references *held, struct activation_call *call, PyObject *activation, PyObject *z,
                            PyArrayObject **its_z)
{
    int type = type_of(z, "z");
    if (type < 0 || parse_activation(activation, &call->f) < 0 || (*its_z = contiguous(held, z, type, "z")) == NULL)
        return NULL;
    call->size = PyArray_SIZE(*its_z);
    call->z = PyArray_DATA(*its_z);
    return new_array(held, PyArray_NDIM(*its_z), PyArray_DIMS(*its_z), type);
}

static int run(const struct activation_call *call, PyArrayObject *const *inputs, Py_ssize_t count)
{
    if (call->f.kind == NONE) {
        PyErr_SetString(PyExc_TypeError, "expected an activation, but got None");
        return -1;
    }
    int status, failed = RUN(kernels_of(PyArray_TYPE(inputs[0]))->activation, call, status);
    return report_run(failed, status, "activation", inputs, count);
}

/* activation_forward(activation, z): y */
PyObject *bind_activation_forward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "expected (activation, z)");
    struct references held = {0};
    struct activation_call call = {0};
    PyArrayObject *z = NULL, *y = parse(&held, &call, args[0], args[1], &z);
    PyObject *result = NULL;
    if (y != NULL) {
        call.y = PyArray_DATA(y);
        if (run(&call, &z, 1) == 0)
            Py_INCREF(result = (PyObject *)y);
    }
    release(&held);
    return result;
}

/* activation_backward(activation, g, y, z): dz */
PyObject *bind_activation_backward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 4)
        return PyErr_Format(PyExc_TypeError, "expected (activation, g, y, z)");
    struct references held = {0};
    struct activation_call call = {0};
    PyArrayObject *z = NULL, *dz = parse(&held, &call, args[0], args[3], &z);
    PyObject *result = NULL;
    if (dz != NULL) {
        int type = PyArray_TYPE(z), dimensions = PyArray_NDIM(z);
        PyArrayObject *g = contiguous(&held, args[1], type, "g"), *y = g ? contiguous(&held, args[2], type, "y") : NULL;
        if (y != NULL && check_shape(g, dimensions, PyArray_DIMS(z), "g") == 0 &&
            check_shape(y, dimensions, PyArray_DIMS(z), "y") == 0) {
            call.g = PyArray_DATA(g);
            call.y = PyArray_DATA(y);
            call.dz = PyArray_DATA(dz);
            if (run(&call, (PyArrayObject *[]){z, g, y}, 3) == 0)
                Py_INCREF(result = (PyObject *)dz);
        }
    }
    release(&held);
    return result;
}
