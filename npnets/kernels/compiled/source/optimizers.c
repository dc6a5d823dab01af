/* The binding of optimizers: one call for all leaves, `rule(numbers, rows)`.

   `rows` has for each leaf the tuple of its arrays, and `numbers` the rule's numbers for it. The result has for each leaf
   the tuple of its new arrays; it is None where an array is not fit, or the arithmetic had exceptions: then NumPy computes
   the update, with its checks and its careful formulas. */

#include "arrays.h"
#include "bindings.h"
#include "processor.h"
#include "status.h"
#include "threads.h"

#include <string.h>

enum { ENTRIES_OF_A_TASK = 1 << 14, OPERATIONS_OF_AN_ENTRY = 20 };

struct rule {
    int numbers, arrays, results;
};

struct update {
    struct references held;
    struct leaf *leaves;
    Py_ssize_t count;
    const struct rule *rule;
    ptrdiff_t tasks;
    update_function *update[2]; /* for float32 and float64 */
};

/* -- arguments ---------------------------------------------------------------------------------------------------------- */

static int parse_numbers(struct leaf *leaf, PyObject *numbers, int count)
{
    if (numbers == NULL || !PyTuple_Check(numbers) || PyTuple_Size(numbers) != count) {
        PyErr_Format(PyExc_TypeError, "expected %d numbers for each leaf", count);
        return -1;
    }
    for (int index = 0; index < count; index++) {
        leaf->numbers[index] = PyFloat_AsDouble(PyTuple_GetItem(numbers, index));
        if (PyErr_Occurred())
            return -1;
    }
    return 0;
}

/* Whether an object is an array that can stand beside the first one of its row. */
static int is_fit(PyObject *object, PyArrayObject *first)
{
    PyArrayObject *array = (PyArrayObject *)object;
    if (!PyArray_CheckExact(object) || PyArray_NDIM(array) != PyArray_NDIM(first))
        return 0;
    return PyArray_TYPE(array) == PyArray_TYPE(first) && PyArray_ISNOTSWAPPED(array) &&
           PyArray_CompareLists(PyArray_DIMS(array), PyArray_DIMS(first), PyArray_NDIM(array));
}

/* Reads a leaf's arrays and makes the new ones; returns 1, 0 if they are not fit, or -1 with an error. */
static int parse_row(struct update *call, struct leaf *leaf, PyObject *row, PyObject *results)
{
    Py_ssize_t arrays = row != NULL && PyTuple_Check(row) ? PyTuple_Size(row) : 0;
    if (arrays < 1 || arrays > call->rule->arrays)
        return 0;
    PyObject *first = PyTuple_GetItem(row, 0);
    leaf->type = PyArray_CheckExact(first) ? PyArray_TYPE((PyArrayObject *)first) : NPY_NOTYPE;
    if (leaf->type != NPY_FLOAT && leaf->type != NPY_DOUBLE)
        return 0;
    leaf->size = PyArray_SIZE((PyArrayObject *)first);
    for (Py_ssize_t index = 0; index < arrays; index++) {
        PyObject *object = PyTuple_GetItem(row, index);
        if (!is_fit(object, (PyArrayObject *)first))
            return 0;
        PyArrayObject *array = contiguous(&call->held, object, leaf->type, "an array");
        if (array == NULL)
            return -1;
        leaf->in[index] = PyArray_DATA(array);
    }
    Py_ssize_t new = call->rule->results - (call->rule->arrays - arrays); /* an array left out has no result */
    PyObject *made = PyTuple_New(new);
    if (made == NULL || PyList_SetItem(results, leaf - call->leaves, made) < 0)
        return -1;
    for (Py_ssize_t index = 0; index < new; index++) {
        PyArrayObject *like = (PyArrayObject *)first;
        PyArrayObject *array = new_array(&call->held, PyArray_NDIM(like), PyArray_DIMS(like), leaf->type);
        if (array == NULL)
            return -1;
        leaf->out[index] = PyArray_DATA(array);
        Py_INCREF(array);
        PyTuple_SetItem(made, index, (PyObject *)array);
    }
    return 1;
}

static int parse(struct update *call, PyObject *numbers, PyObject *rows, PyObject *results)
{
    for (Py_ssize_t index = 0; index < call->count; index++) {
        struct leaf *leaf = call->leaves + index;
        if (parse_numbers(leaf, PyList_GetItem(numbers, index), call->rule->numbers) < 0)
            return -1;
        int is_parsed = parse_row(call, leaf, PyList_GetItem(rows, index), results);
        if (is_parsed < 1)
            return is_parsed;
        call->tasks += (leaf->size + ENTRIES_OF_A_TASK - 1) / ENTRIES_OF_A_TASK;
    }
    return 1;
}

/* -- the call ----------------------------------------------------------------------------------------------------------- */

static void update_task(void *context, ptrdiff_t task, int worker)
{
    (void)worker;
    const struct update *call = context;
    const struct leaf *leaf = call->leaves;
    for (ptrdiff_t tasks; task >= (tasks = (leaf->size + ENTRIES_OF_A_TASK - 1) / ENTRIES_OF_A_TASK); leaf++)
        task -= tasks;
    ptrdiff_t first = task * ENTRIES_OF_A_TASK, rest = leaf->size - first;
    call->update[leaf->type == NPY_DOUBLE](leaf, first, rest < ENTRIES_OF_A_TASK ? rest : ENTRIES_OF_A_TASK);
}

/* Returns the notes of the update. */
static int run(struct update *call)
{
    int status;
    double entries = (double)call->tasks * ENTRIES_OF_A_TASK;
    Py_BEGIN_ALLOW_THREADS
    clear_status();
    run_tasks(update_task, call, call->tasks, threads_for(entries * OPERATIONS_OF_AN_ENTRY, call->tasks));
    status = read_status();
    Py_END_ALLOW_THREADS
    return status;
}

static PyObject *update(const struct rule *rule, update_function *of_float, update_function *of_double,
                        PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyList_Check(args[0]) || !PyList_Check(args[1]) || PyList_Size(args[0]) != PyList_Size(args[1]))
        return PyErr_Format(PyExc_TypeError, "expected two lists, of numbers and of arrays for each leaf");
    struct update call = {.count = PyList_Size(args[1]), .rule = rule, .update = {of_float, of_double}};
    PyObject *results = PyList_New(call.count);
    call.leaves = PyMem_Calloc((size_t)call.count + 1, sizeof *call.leaves);
    int is_parsed = results != NULL && call.leaves != NULL ? parse(&call, args[0], args[1], results) : -1;
    if (call.leaves == NULL)
        PyErr_NoMemory();
    if (is_parsed < 1 || run(&call) != 0)
        Py_CLEAR(results);
    release(&call.held);
    PyMem_Free(call.leaves);
    if (results == NULL && is_parsed >= 0)
        Py_RETURN_NONE;
    return results;
}

#define BIND(name, numbers, arrays, results)                                                                           \
    PyObject *bind_##name(PyObject *module, PyObject *const *args, Py_ssize_t count)                                   \
    {                                                                                                                  \
        (void)module;                                                                                                  \
        static const struct rule rule = {numbers, arrays, results};                                                    \
        return update(&rule, kernels_of(NPY_FLOAT)->name, kernels_of(NPY_DOUBLE)->name, args, count);                  \
    }

BIND(sgd, 4, 3, 2)
BIND(rmsprop, 5, 4, 3)
BIND(adam, 6, 4, 3)
BIND(lerp, 1, 2, 1)
BIND(scale, 1, 1, 1)

/* sum_of_squares(leaves): in double precision, or None where a leaf is not fit */
PyObject *bind_sum_of_squares(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 1 || !PyList_Check(args[0]))
        return PyErr_Format(PyExc_TypeError, "expected a list of arrays");
    double total = 0;
    struct references held = {0};
    for (Py_ssize_t index = 0; index < PyList_Size(args[0]); index++) {
        PyObject *object = PyList_GetItem(args[0], index);
        int type = PyArray_CheckExact(object) ? PyArray_TYPE((PyArrayObject *)object) : NPY_NOTYPE;
        PyArrayObject *array = type == NPY_FLOAT || type == NPY_DOUBLE ? contiguous(&held, object, type, "a leaf") : NULL;
        if (array == NULL) {
            release(&held);
            if (PyErr_Occurred())
                return NULL;
            Py_RETURN_NONE;
        }
        Py_BEGIN_ALLOW_THREADS
        total += kernels_of(type)->sum_of_squares(PyArray_DATA(array), PyArray_SIZE(array));
        Py_END_ALLOW_THREADS
    }
    release(&held);
    return PyFloat_FromDouble(total);
}
