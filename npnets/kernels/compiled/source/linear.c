/* The binding of linear layers: (x, weight, bias, weight, bias, ...) with an activation for each layer. */

#include "activations_binding.h"
#include "arrays.h"
#include "bindings.h"
#include "processor.h"
#include "status.h"

#include <string.h>

static const double MOST_NUMBERS_OF_AN_ARRAY = 1e12;

/* What one call holds: the arrays of Python, and the kernel's view of them. */
struct linear {
    struct references held;
    struct chain chain;
    int type, dimensions; /* of x */
    npy_intp shape[32]; /* of the last y */
    PyObject *const *arguments; /* x, weights and biases, which may be None */
    PyArrayObject **inputs; /* x, weights and biases, g */
    Py_ssize_t count;
};

static void finish(struct linear *call)
{
    release(&call->held);
    PyMem_Free(call->chain.layer);
    PyMem_Free(call->inputs);
}

/* -- arguments ----------------------------------------------------------------------------------------------------- */

/* Checks that no number of bytes overflows that follows from so many columns beside the rows; returns 0, or -1 with an
   error. An array without numbers may have any number of rows or columns. */
static int check_size(const struct linear *call, npy_intp columns)
{
    double members = call->chain.members > 0 ? (double)call->chain.members : 1;
    if ((members * (double)call->chain.rows + 1) * ((double)columns + 1) <= MOST_NUMBERS_OF_AN_ARRAY)
        return 0;
    PyErr_Format(PyExc_ValueError, "expected rows and columns that memory can hold, but got %zd rows of %zd columns",
                 call->chain.rows, columns);
    return -1;
}

/* Reads the weight and bias of a layer whose input is so wide. */
static int parse_layer(struct linear *call, struct layer *layer, PyObject *weight, PyObject *bias, ptrdiff_t inputs)
{
    int is_ensemble = call->chain.members > 0;
    PyArrayObject *w = contiguous(&call->held, weight, call->type, "a weight");
    if (w == NULL)
        return -1;
    int last = PyArray_NDIM(w) - 1;
    npy_intp members = is_ensemble ? call->chain.members : 1, outputs = last > 0 ? PyArray_DIM(w, last) : 0;
    npy_intp expected[] = {members, inputs, outputs}, of_bias[] = {members, 1, outputs};
    if (check_shape(w, is_ensemble ? 3 : 2, expected + !is_ensemble, "a weight") < 0)
        return -1;
    if (check_size(call, outputs) < 0)
        return -1;
    layer->inputs = inputs;
    layer->outputs = outputs;
    layer->weight = PyArray_DATA(call->inputs[call->count++] = w);
    if (bias == Py_None)
        return 0;
    PyArrayObject *b = contiguous(&call->held, bias, call->type, "a bias");
    if (b == NULL || check_shape(b, is_ensemble ? 3 : 1, is_ensemble ? of_bias : of_bias + 2, "a bias") < 0)
        return -1;
    layer->bias = PyArray_DATA(call->inputs[call->count++] = b);
    return 0;
}

/* Reads x: `(..., rows, inputs)`, or for an ensemble `(rows, inputs)` or `(members, rows, inputs)`. */
static PyArrayObject *parse_x(struct linear *call, PyObject *object, PyObject *weight)
{
    if ((call->type = type_of(object, "x")) < 0 || type_of(weight, "a weight") < 0)
        return NULL;
    PyArrayObject *x = contiguous(&call->held, object, call->type, "x"), *w = (PyArrayObject *)weight;
    int last = x != NULL ? PyArray_NDIM(x) - 1 : 0;
    if (x == NULL)
        return NULL;
    int is_ensemble = PyArray_NDIM(w) == 3, is_own = is_ensemble && last == 2;
    npy_intp members = is_ensemble ? PyArray_DIM(w, 0) : 0;
    if (last < 1 || last > 30 || (is_ensemble && (last > 2 || members < 1)) ||
        (is_own && PyArray_DIM(x, 0) != members)) {
        PyErr_SetString(PyExc_ValueError, "expected x with rows of features, for all members or for each");
        return NULL;
    }
    call->dimensions = is_ensemble ? 3 : last + 1;
    memcpy(call->shape + (is_ensemble && !is_own), PyArray_DIMS(x), (size_t)(last + 1) * sizeof(npy_intp));
    if (is_ensemble)
        call->shape[0] = members;
    call->chain.members = members;
    call->chain.is_shared = !is_own;
    call->chain.rows = PyArray_MultiplyList(PyArray_DIMS(x) + is_own, last - is_own);
    call->chain.x = PyArray_DATA(call->inputs[call->count++] = x);
    return check_size(call, PyArray_DIM(x, last)) == 0 ? x : NULL;
}

/* Reads activations, x, and the weights and biases; returns 0, or -1 with an error. */
static int parse(struct linear *call, PyObject *activations, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t layers = PyTuple_Check(activations) ? PyTuple_Size(activations) : -1;
    if (layers < 1 || layers > 1000 || count != 1 + 2 * layers) {
        PyErr_SetString(PyExc_TypeError, "expected activations, and x followed by a weight and a bias for each");
        return -1;
    }
    call->arguments = args;
    call->chain.layers = (int)layers;
    call->chain.layer = PyMem_Calloc((size_t)layers, sizeof *call->chain.layer);
    call->inputs = PyMem_Calloc((size_t)count + 2, sizeof *call->inputs);
    if (call->chain.layer == NULL || call->inputs == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyArrayObject *x = parse_x(call, args[0], args[1]);
    if (x == NULL)
        return -1;
    ptrdiff_t inputs = PyArray_DIM(x, PyArray_NDIM(x) - 1);
    for (Py_ssize_t index = 0; index < layers; index++) {
        struct layer *layer = call->chain.layer + index;
        if (parse_activation(PyTuple_GetItem(activations, index), &layer->f) < 0 ||
            parse_layer(call, layer, args[1 + 2 * index], args[2 + 2 * index], inputs) < 0)
            return -1;
        inputs = layer->outputs;
    }
    call->chain.members = call->chain.members ? call->chain.members : 1;
    call->shape[call->dimensions - 1] = inputs;
    return 0;
}

/* -- residuals: y of each layer but the last, and z where a derivative needs it, in one array ---------------------- */

static npy_intp place_residuals(struct linear *call, char *memory)
{
    npy_intp total = 0, rows = call->chain.rows * call->chain.members, size = bytes_of(call->type);
    for (int index = 0; index < call->chain.layers; index++) {
        struct layer *layer = call->chain.layer + index;
        npy_intp numbers = rows * layer->outputs;
        if (index + 1 < call->chain.layers) {
            layer->y = memory != NULL ? memory + total * size : NULL;
            total += numbers;
        }
        if (needs_z(layer->f.kind)) {
            layer->z = memory != NULL ? memory + total * size : NULL;
            total += numbers;
        }
    }
    return total;
}

static int run(struct linear *call, int (*kernel)(const struct chain *))
{
    int status, failed = RUN(kernel, &call->chain, status);
    return report_run(failed, status, "linear_layers", call->inputs, call->count);
}

/* -- forward ------------------------------------------------------------------------------------------------------- */

/* linear_forward(activations, keep, x, weight, bias, ...): y, or with `keep` (y, residuals) */
PyObject *bind_linear_forward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct linear call = {0};
    PyObject *result = NULL;
    PyArrayObject *residuals = NULL;
    int keep = count > 2 ? PyObject_IsTrue(args[1]) : 0;
    if (count < 3)
        return PyErr_Format(PyExc_TypeError, "expected (activations, keep, x, weight, bias, ...)");
    if (keep < 0 || parse(&call, args[0], args + 2, count - 2) < 0)
        goto end;
    PyArrayObject *y = new_array(&call.held, call.dimensions, call.shape, call.type);
    if (y == NULL)
        goto end;
    if (keep) {
        npy_intp numbers = place_residuals(&call, NULL);
        if ((residuals = new_array(&call.held, 1, &numbers, call.type)) == NULL)
            goto end;
        place_residuals(&call, PyArray_DATA(residuals));
    }
    call.chain.layer[call.chain.layers - 1].y = PyArray_DATA(y);
    if (run(&call, kernels_of(call.type)->linear_forward) == 0)
        result = keep ? PyTuple_Pack(2, y, residuals) : Py_NewRef((PyObject *)y);
end:
    finish(&call);
    return result;
}

/* -- backward ------------------------------------------------------------------------------------------------------ */

/* Makes the array of one cotangent, of the shape of its argument. */
static PyObject *place_cotangent(void *context, long argnum)
{
    struct linear *call = context;
    PyObject *argument = call->arguments[argnum];
    if (!PyArray_Check(argument))
        return PyErr_Format(PyExc_ValueError, "expected argnums of arrays among the arguments");
    PyArrayObject *like = (PyArrayObject *)argument;
    PyArrayObject *cotangent = new_array(&call->held, PyArray_NDIM(like), PyArray_DIMS(like), call->type);
    if (cotangent == NULL)
        return NULL;
    struct layer *layer = call->chain.layer + (argnum - 1) / 2;
    void **place = argnum == 0 ? &call->chain.dx : argnum % 2 ? &layer->dweight : &layer->dbias;
    *place = PyArray_DATA(cotangent);
    return Py_NewRef((PyObject *)cotangent);
}

/* Reads g, and y and the residuals that the forward returned. */
static int parse_residuals(struct linear *call, PyObject *g, PyObject *y, PyObject *residuals)
{
    npy_intp numbers = place_residuals(call, NULL);
    PyArrayObject *its_g = contiguous(&call->held, g, call->type, "g");
    PyArrayObject *its_y = its_g != NULL ? contiguous(&call->held, y, call->type, "y") : NULL;
    PyArrayObject *rest = its_y != NULL ? contiguous(&call->held, residuals, call->type, "the residuals") : NULL;
    if (rest == NULL || check_shape(its_g, call->dimensions, call->shape, "g") < 0 ||
        check_shape(its_y, call->dimensions, call->shape, "y") < 0 || check_shape(rest, 1, &numbers, "residuals") < 0)
        return -1;
    place_residuals(call, PyArray_DATA(rest));
    call->chain.layer[call->chain.layers - 1].y = PyArray_DATA(call->inputs[call->count++] = its_y);
    call->chain.g = PyArray_DATA(call->inputs[call->count++] = its_g);
    return 0;
}

/* linear_backward(activations, argnums, g, y, residuals, x, weight, bias, ...): a cotangent for each of argnums */
PyObject *bind_linear_backward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct linear call = {0};
    PyObject *cotangents, *result = NULL;
    if (count < 6)
        return PyErr_Format(PyExc_TypeError, "expected (activations, argnums, g, y, residuals, x, weight, bias, ...)");
    if (parse(&call, args[0], args + 5, count - 5) == 0 && parse_residuals(&call, args[2], args[3], args[4]) == 0 &&
        (cotangents = cotangents_of(&call.held, args[1], count - 5, place_cotangent, &call)) != NULL &&
        run(&call, kernels_of(call.type)->linear_backward) == 0)
        result = Py_NewRef(cotangents);
    finish(&call);
    return result;
}
