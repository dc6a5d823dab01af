/* The binding of an LSTM's layer: (x, W_x, W_h, b_x, b_h, h, c) and two masks, each of them perhaps None. */

#include "arrays.h"
#include "bindings.h"
#include "lstm_call.h"
#include "processor.h"
#include "status.h"

enum { X, W_X, W_H, B_X, B_H, H, C, ARGUMENTS };

/* What one call holds: the arrays of Python, and the kernel's view of them. */
struct lstm {
    struct references held;
    struct lstm_call call;
    int type;
    PyArrayObject *inputs[ARGUMENTS + 3]; /* the arguments, and the cotangents of the outputs and states */
    PyArrayObject *dw; /* the cotangent of the stacked weights, NULL if nobody asks for one of theirs */
};

/* -- arguments ----------------------------------------------------------------------------------------------------- */

/* Returns an array of three axes with numbers that lie anywhere: its own memory if they are aligned, else a copy. */
static PyArrayObject *parse_sequence(struct lstm *its, PyObject *object, const npy_intp *shape, const char *name,
                                     struct sequence *sequence)
{
    npy_intp size = bytes_of(its->type);
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_Check(object) && PyArray_TYPE(array) == its->type && PyArray_ISBEHAVED_RO(array)) {
        Py_INCREF(object);
        array = (PyArrayObject *)hold(&its->held, object);
    } else {
        array = contiguous(&its->held, object, its->type, name);
    }
    if (array == NULL || check_shape(array, 3, shape, name) < 0)
        return NULL;
    for (int axis = 0; axis < 3; axis++)
        if (PyArray_STRIDE(array, axis) % size != 0 &&
            (array = contiguous(&its->held, object, its->type, name)) == NULL)
            return NULL;
    const npy_intp *strides = PyArray_STRIDES(array);
    *sequence = (struct sequence){PyArray_DATA(array), strides[0] / size, strides[1] / size, strides[2] / size};
    return array;
}

/* Reads one contiguous array, and returns its numbers, or NULL with an error. */
static const void *parse_array(struct lstm *its, int index, PyObject *object, int dimensions, const npy_intp *shape,
                               const char *name)
{
    PyArrayObject *array = contiguous(&its->held, object, its->type, name);
    if (array == NULL || check_shape(array, dimensions, shape, name) < 0)
        return NULL;
    return PyArray_DATA(its->inputs[index] = array);
}

/* Reads a mask `(steps, rows, 1)`; returns 0, or -1 with an error. */
static int parse_mask(struct lstm *its, PyObject *object, const char *name, struct flags *mask)
{
    npy_intp shape[] = {its->call.steps, its->call.rows, 1};
    if (object == Py_None)
        return 0;
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_Check(object) && PyArray_TYPE(array) == NPY_BOOL)
        Py_INCREF(object);
    else
        object = PyArray_FromAny(object, PyArray_DescrFromType(NPY_BOOL), 0, 0, NPY_ARRAY_FORCECAST, NULL);
    array = (PyArrayObject *)hold(&its->held, object);
    if (array == NULL || check_shape(array, 3, shape, name) < 0)
        return -1;
    *mask = (struct flags){PyArray_DATA(array), PyArray_STRIDE(array, 0), PyArray_STRIDE(array, 1)};
    return 0;
}

/* Whether all sizes that a call computes are far from overflow: an axis along which an array does not move has any. */
static int is_within_memory(const struct lstm_call *call)
{
    double numbers = (double)call->steps * (double)call->rows;
    return numbers * (1 + (double)call->inputs + 6 * (double)call->hidden) < 1e15;
}

/* Reads the sizes from x and W_h. */
static int parse_sizes(struct lstm *its, PyObject *x, PyObject *w_h)
{
    if ((its->type = type_of(x, "x")) < 0 || type_of(w_h, "the weight of h") < 0)
        return -1;
    PyArrayObject *sequence = (PyArrayObject *)x, *weight = (PyArrayObject *)w_h;
    if (PyArray_NDIM(sequence) != 3 || PyArray_DIM(sequence, 0) < 1 || PyArray_NDIM(weight) != 2) {
        PyErr_SetString(PyExc_ValueError, "expected x (steps, batch, in) of at least one step, and weights of 2 axes");
        return -1;
    }
    its->call.steps = PyArray_DIM(sequence, 0);
    its->call.rows = PyArray_DIM(sequence, 1);
    its->call.inputs = PyArray_DIM(sequence, 2);
    its->call.hidden = PyArray_DIM(weight, 0);
    if (!is_within_memory(&its->call)) {
        PyErr_SetString(PyExc_ValueError, "expected x and weights whose outputs fit into memory");
        return -1;
    }
    return 0;
}

/* Reads the arguments and both masks; returns 0, or -1 with an error. */
static int parse(struct lstm *its, PyObject *const *args)
{
    struct lstm_call *call = &its->call;
    if (parse_sizes(its, args[X], args[W_H]) < 0)
        return -1;
    npy_intp of_x[] = {call->steps, call->rows, call->inputs}, of_states[] = {call->rows, call->hidden};
    npy_intp of_w_x[] = {call->inputs, 4 * call->hidden}, of_w_h[] = {call->hidden, 4 * call->hidden};
    if ((its->inputs[X] = parse_sequence(its, args[X], of_x, "x", &call->x)) == NULL ||
        (call->w_x = parse_array(its, W_X, args[W_X], 2, of_w_x, "the weight of x")) == NULL ||
        (call->w_h = parse_array(its, W_H, args[W_H], 2, of_w_h, "the weight of h")) == NULL ||
        (call->b_x = parse_array(its, B_X, args[B_X], 1, of_w_h + 1, "the bias of x")) == NULL ||
        (call->b_h = parse_array(its, B_H, args[B_H], 1, of_w_h + 1, "the bias of h")) == NULL ||
        (call->h = parse_array(its, H, args[H], 2, of_states, "h")) == NULL ||
        (call->c = parse_array(its, C, args[C], 2, of_states, "c")) == NULL)
        return -1;
    if (parse_mask(its, args[ARGUMENTS], "reset", &call->reset) < 0)
        return -1;
    return parse_mask(its, args[ARGUMENTS + 1], "valid", &call->valid);
}

static int run(struct lstm *its, int (*kernel)(const struct lstm_call *))
{
    int status, failed = RUN(kernel, &its->call, status);
    for (int index = 0; (status & NPY_FPE_INVALID) && index < ARGUMENTS + 3; index++)
        if (its->inputs[index] != NULL && /* those of a sequence may lie anywhere */
            (its->inputs[index] = contiguous(&its->held, (PyObject *)its->inputs[index], its->type, "it")) == NULL)
            return -1;
    return report_run(failed, status, "lstm", its->inputs, ARGUMENTS + 3);
}

/* -- forward ------------------------------------------------------------------------------------------------------- */

static PyArrayObject *place(struct lstm *its, int dimensions, const npy_intp *shape, void **where)
{
    PyArrayObject *array = new_array(&its->held, dimensions, shape, its->type);
    if (array != NULL)
        *where = PyArray_DATA(array);
    return array;
}

static npy_intp numbers_of_residuals(const struct lstm_call *call)
{
    return call->steps * call->rows * width_of_residuals(call);
}

/* lstm_forward(keep, x, W_x, W_h, b_x, b_h, h, c, reset, valid): outputs, h and c, and with `keep` the residuals */
PyObject *bind_lstm_forward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct lstm its = {0};
    struct lstm_call *call = &its.call;
    PyArrayObject *outputs, *h, *c, *residuals = NULL;
    PyObject *result = NULL;
    if (count != ARGUMENTS + 3)
        return PyErr_Format(PyExc_TypeError, "expected (keep, x, W_x, W_h, b_x, b_h, h, c, reset, valid)");
    int keep = PyObject_IsTrue(args[0]);
    if (keep < 0 || parse(&its, args + 1) < 0)
        goto end;
    npy_intp shape[] = {call->steps, call->rows, call->hidden}, numbers = numbers_of_residuals(call);
    if ((outputs = place(&its, 3, shape, &call->outputs)) == NULL ||
        (h = place(&its, 2, shape + 1, &call->new_h)) == NULL ||
        (c = place(&its, 2, shape + 1, &call->new_c)) == NULL ||
        (keep && (residuals = place(&its, 1, &numbers, &call->residuals)) == NULL))
        goto end;
    if (run(&its, kernels_of(its.type)->lstm_forward) == 0)
        result = keep ? PyTuple_Pack(4, outputs, h, c, residuals) : PyTuple_Pack(3, outputs, h, c);
end:
    release(&its.held);
    return result;
}

/* -- backward ------------------------------------------------------------------------------------------------------ */

/* Reads the residuals and the cotangents of the outputs and both states, each of them perhaps None. */
static int parse_cotangents(struct lstm *its, PyObject *const *args)
{
    struct lstm_call *call = &its->call;
    npy_intp shape[] = {call->steps, call->rows, call->hidden}, numbers = numbers_of_residuals(call);
    PyArrayObject *residuals = contiguous(&its->held, args[0], its->type, "the residuals");
    if (residuals == NULL || check_shape(residuals, 1, &numbers, "the residuals") < 0)
        return -1;
    call->residuals = PyArray_DATA(residuals);
    PyArrayObject **its_g = its->inputs + ARGUMENTS;
    if (args[1] != Py_None &&
        (its_g[0] = parse_sequence(its, args[1], shape, "the cotangent of the outputs", &call->doutputs)) == NULL)
        return -1;
    const void **states[] = {&call->dnew_h, &call->dnew_c};
    for (int index = 0; index < 2; index++)
        if (args[2 + index] != Py_None &&
            (*states[index] = parse_array(its, ARGUMENTS + 1 + index, args[2 + index], 2, shape + 1,
                                          "the cotangent of a state")) == NULL)
            return -1;
    return 0;
}

/* Returns rows of the cotangent of the stacked weights as an array that lies in its memory. */
static PyObject *rows_of_dw(struct lstm *its, PyArrayObject *dw, npy_intp first, npy_intp rows, int dimensions)
{
    npy_intp shape[] = {rows, PyArray_DIM(dw, 1)};
    char *data = PyArray_BYTES(dw) + first * PyArray_STRIDE(dw, 0);
    PyObject *view = PyArray_New(&PyArray_Type, dimensions, shape + 2 - dimensions, its->type, NULL, data, 0,
                                 NPY_ARRAY_CARRAY, NULL);
    if (view == NULL)
        return NULL;
    Py_INCREF(dw);
    if (PyArray_SetBaseObject((PyArrayObject *)view, (PyObject *)dw) < 0)
        Py_CLEAR(view);
    return view;
}

/* Makes the array of one cotangent; those of the weights and biases lie in one, `dw`. */
static PyObject *place_cotangent(void *context, long argnum)
{
    struct lstm *its = context;
    struct lstm_call *call = &its->call;
    npy_intp of_x[] = {call->steps, call->rows, call->inputs}, of_states[] = {call->rows, call->hidden};
    npy_intp of_dw[] = {width_of_u(call), 4 * call->hidden}, inputs = call->inputs;
    if (argnum == X || argnum == H || argnum == C) {
        void **where = argnum == X ? &call->dx : argnum == H ? &call->dh : &call->dc;
        PyObject *array = (PyObject *)place(its, argnum == X ? 3 : 2, argnum == X ? of_x : of_states, where);
        return Py_XNewRef(array);
    }
    if (its->dw == NULL && (its->dw = place(its, 2, of_dw, &call->dw)) == NULL)
        return NULL;
    if (argnum == W_X)
        return rows_of_dw(its, its->dw, 0, inputs, 2);
    if (argnum == W_H)
        return rows_of_dw(its, its->dw, inputs + 1, call->hidden, 2);
    return rows_of_dw(its, its->dw, inputs, 1, 1);
}

/* lstm_backward(argnums, residuals, doutputs, dh, dc, x, W_x, W_h, b_x, b_h, h, c, reset, valid): a cotangent for each
   of argnums */
PyObject *bind_lstm_backward(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    struct lstm its = {0};
    PyObject *cotangents, *result = NULL;
    if (count != 5 + ARGUMENTS + 2)
        return PyErr_Format(PyExc_TypeError, "expected (argnums, residuals, doutputs, dh, dc, x, W_x, W_h, b_x, b_h, "
                                             "h, c, reset, valid)");
    if (parse(&its, args + 5) == 0 && parse_cotangents(&its, args + 1) == 0 &&
        (cotangents = cotangents_of(&its.held, args[0], ARGUMENTS, place_cotangent, &its)) != NULL &&
        run(&its, kernels_of(its.type)->lstm_backward) == 0)
        result = Py_NewRef(cotangents);
    release(&its.held);
    return result;
}
