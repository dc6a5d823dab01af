/* The binding of optimizers: one call for all leaves, `rule(numbers, trees)`.

   `trees` are the parameters and what belongs to them, nested dicts of one structure, and `numbers` those of the rule:
   for all leaves, or a list with those of each leaf. The result has a tree for each of the rule's new arrays. It is
   None where a tree is no such dict, an array is not fit, or the arithmetic had exceptions: then NumPy computes the
   update, with its checks and its careful formulas. */

#include "arrays.h"
#include "bindings.h"
#include "processor.h"
#include "status.h"
#include "threads.h"

#include <string.h>

enum { ENTRIES_OF_A_TASK = 1 << 14, OPERATIONS_OF_AN_ENTRY = 20 };

struct rule {
    int numbers, least, arrays, results; /* at least so many arrays, and at most */
};

struct update {
    struct references held;
    const struct rule *rule;
    int arrays, results; /* an array left out, the last one, has no result */
    PyObject *numbers;
    struct leaf *leaves;
    Py_ssize_t count, capacity;
    ptrdiff_t tasks;
    update_function *update[2]; /* for float32 and float64 */
};

/* -- arguments ----------------------------------------------------------------------------------------------------- */

/* Returns a place for one more leaf, or NULL with an error. */
static struct leaf *next_leaf(struct update *call)
{
    if (call->count == call->capacity) {
        Py_ssize_t capacity = call->capacity ? 2 * call->capacity : 16;
        struct leaf *leaves = PyMem_Realloc(call->leaves, (size_t)capacity * sizeof *leaves);
        if (leaves == NULL)
            return (struct leaf *)PyErr_NoMemory();
        call->leaves = leaves;
        call->capacity = capacity;
    }
    return memset(call->leaves + call->count++, 0, sizeof *call->leaves);
}

/* Holds an object of a dict or list until the end of the call: other threads, or what compares keys, may take it out of
   there. Returns it, or NULL with an error; passes NULL on. */
static PyObject *hold_part(struct update *call, PyObject *object)
{
    Py_XINCREF(object);
    return hold(&call->held, object);
}

/* Reads the numbers of the last leaf: those of all leaves, or its own in a list. */
static int parse_numbers(struct update *call, struct leaf *leaf)
{
    PyObject *numbers = call->numbers;
    if (PyList_Check(numbers))
        numbers = call->count > PyList_Size(numbers) ? NULL : hold_part(call, PyList_GetItem(numbers, call->count - 1));
    if (numbers == NULL || !PyTuple_Check(numbers) || PyTuple_Size(numbers) != call->rule->numbers) {
        PyErr_Format(PyExc_TypeError, "expected %d numbers for each leaf", call->rule->numbers);
        return -1;
    }
    for (int index = 0; index < call->rule->numbers; index++) {
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

/* Reads the arrays of a leaf and makes the new ones; returns 1, 0 if they are not fit, or -1 with an error. */
static int parse_leaf(struct update *call, PyObject *const *row, PyObject **made)
{
    PyArrayObject *first = (PyArrayObject *)row[0];
    int type = plain_type_of(row[0]);
    if (type < 0)
        return 0;
    struct leaf *leaf = next_leaf(call);
    if (leaf == NULL || parse_numbers(call, leaf) < 0)
        return -1;
    leaf->type = type;
    leaf->size = PyArray_SIZE(first);
    call->tasks += (leaf->size + ENTRIES_OF_A_TASK - 1) / ENTRIES_OF_A_TASK;
    for (int place = 0; place < call->arrays; place++) {
        PyArrayObject *array = is_fit(row[place], first) ? contiguous(&call->held, row[place], type, "an array") : NULL;
        if (array == NULL)
            return PyErr_Occurred() ? -1 : 0;
        leaf->in[place] = PyArray_DATA(array);
    }
    for (int place = 0; place < call->results; place++) {
        PyArrayObject *array = new_array(&call->held, PyArray_NDIM(first), PyArray_DIMS(first), type);
        if (array == NULL)
            return -1;
        leaf->out[place] = PyArray_DATA(array);
        Py_INCREF(made[place] = (PyObject *)array);
    }
    return 1;
}

static int parse_dicts(struct update *call, PyObject *const *trees, PyObject **made);

static int parse_part(struct update *call, PyObject *const *parts, PyObject **made)
{
    return PyDict_CheckExact(parts[0]) ? parse_dicts(call, parts, made) : parse_leaf(call, parts, made);
}

/* Finds the parts of each tree at a key of the first one; returns 1, 0 if one has none, or -1 with an error. */
static int find_parts(struct update *call, PyObject *const *trees, PyObject *key, PyObject **parts)
{
    if (hold_part(call, parts[0]) == NULL || hold_part(call, key) == NULL)
        return -1;
    for (int place = 1; place < call->arrays; place++)
        if ((parts[place] = hold_part(call, PyDict_GetItemWithError(trees[place], key))) == NULL)
            return PyErr_Occurred() ? -1 : 0;
    return 1;
}

/* Reads the items of one dict of each tree, in the order of the first one's keys, and makes the new dicts. */
static int parse_items(struct update *call, PyObject *const *trees, PyObject **made)
{
    PyObject *key, *parts[MOST_ARRAYS];
    for (Py_ssize_t position = 0; PyDict_Next(trees[0], &position, &key, &parts[0]);) {
        PyObject *new[MOST_ARRAYS] = {NULL};
        int is_found = find_parts(call, trees, key, parts);
        if (is_found < 1)
            return is_found;
        int is_parsed = parse_part(call, parts, new);
        for (int place = 0; place < call->results; place++) {
            if (is_parsed > 0 && PyDict_SetItem(made[place], key, new[place]) < 0)
                is_parsed = -1;
            Py_XDECREF(new[place]);
        }
        if (is_parsed < 1)
            return is_parsed;
    }
    return 1;
}

static int parse_dicts(struct update *call, PyObject *const *trees, PyObject **made)
{
    for (int place = 1; place < call->arrays; place++)
        if (!PyDict_CheckExact(trees[place]) || PyDict_Size(trees[place]) != PyDict_Size(trees[0]))
            return 0;
    for (int place = 0; place < call->results; place++)
        if ((made[place] = PyDict_New()) == NULL)
            return -1;
    if (Py_EnterRecursiveCall(" in a tree of parameters"))
        return -1;
    int is_parsed = parse_items(call, trees, made);
    Py_LeaveRecursiveCall();
    return is_parsed;
}

/* -- the call ------------------------------------------------------------------------------------------------------ */

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

static int update_leaves(struct update *call)
{
    double entries = (double)call->tasks * ENTRIES_OF_A_TASK;
    run_tasks(update_task, call, call->tasks, threads_for(entries * OPERATIONS_OF_AN_ENTRY, call->tasks));
    return 0;
}

/* Returns the notes of the update, or that it failed. */
static int run(struct update *call)
{
    int status, failed = RUN(update_leaves, call, status);
    return failed | status;
}

static PyObject *in_tuple(PyObject *const *made, int results)
{
    PyObject *tuple = PyTuple_New(results);
    for (int place = 0; tuple != NULL && place < results; place++) {
        Py_INCREF(made[place]);
        PyTuple_SetItem(tuple, place, made[place]);
    }
    return tuple;
}

static PyObject *update(const struct rule *rule, update_function *of_float, update_function *of_double,
                        PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t arrays = count == 2 && PyTuple_Check(args[1]) ? PyTuple_Size(args[1]) : 0;
    if (arrays < rule->least || arrays > rule->arrays)
        return PyErr_Format(PyExc_TypeError, "expected numbers and a tuple of %d to %d trees", rule->least,
                            rule->arrays);
    struct update call = {.rule = rule, .numbers = args[0], .update = {of_float, of_double}};
    PyObject *trees[MOST_ARRAYS], *made[MOST_ARRAYS] = {NULL}, *result = NULL;
    call.arrays = (int)arrays;
    call.results = rule->results - (rule->arrays - call.arrays);
    for (int place = 0; place < call.arrays; place++)
        trees[place] = PyTuple_GetItem(args[1], place);
    int is_parsed = parse_part(&call, trees, made);
    if (is_parsed > 0 && run(&call) == 0)
        result = in_tuple(made, call.results);
    else if (is_parsed >= 0)
        Py_INCREF(result = Py_None);
    for (int place = 0; place < call.results; place++)
        Py_XDECREF(made[place]);
    release(&call.held);
    PyMem_Free(call.leaves);
    return result;
}

#define BIND(name, numbers, least, arrays, results)                                                                    \
    PyObject *bind_##name(PyObject *module, PyObject *const *args, Py_ssize_t count)                                   \
    {                                                                                                                  \
        (void)module;                                                                                                  \
        static const struct rule rule = {numbers, least, arrays, results};                                             \
        return update(&rule, kernels_of(NPY_FLOAT)->name, kernels_of(NPY_DOUBLE)->name, args, count);                  \
    }

BIND(sgd, 4, 2, 3, 2)
BIND(rmsprop, 5, 3, 4, 3)
BIND(adam, 6, 4, 4, 3)
BIND(lerp, 1, 2, 2, 1)
BIND(scale, 1, 1, 1, 1)
