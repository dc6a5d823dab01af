/* The module `_native`: what Python sees of the kernels. */

#define NPNETS_IMPORTS_NUMPY
#include "arrays.h"
#include "bindings.h"
#include "processor.h"
#include "threads.h"
#include "workspace.h"

#include <string.h>

PyDoc_STRVAR(choose_doc, "choose(name): use the instruction set of this name, which must be among available().");
PyDoc_STRVAR(available_doc, "available(): the names of the instruction sets of this module and processor, best first.");
PyDoc_STRVAR(threads_doc, "threads(number): take at most so many; with 0 the work decides. Returns the last number.");

static PyObject *available(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    PyObject *names = PyList_New(0);
    for (const struct instruction_set *set = instruction_sets; names != NULL && set->name != NULL; set++) {
        PyObject *name = set->is_supported() ? PyUnicode_FromString(set->name) : NULL;
        if (name != NULL && PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyObject *choose(PyObject *module, PyObject *argument)
{
    (void)module;
    PyObject *encoded = PyUnicode_Check(argument) ? PyUnicode_AsUTF8String(argument) : NULL;
    const char *name = encoded != NULL ? PyBytes_AsString(encoded) : "";
    for (const struct instruction_set *set = instruction_sets; set->name != NULL; set++)
        if (strcmp(set->name, name) == 0 && set->is_supported()) {
            chosen = set;
            Py_DECREF(encoded);
            Py_RETURN_NONE;
        }
    Py_XDECREF(encoded);
    return PyErr_Format(PyExc_ValueError, "expected one of available(), but got %R", argument);
}

static PyObject *chosen_number(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyLong_FromLong(chosen_threads());
}

static PyObject *threads(PyObject *module, PyObject *argument)
{
    (void)module;
    int before = chosen_threads();
    long number = PyLong_AsLong(argument);
    if (number == -1 && PyErr_Occurred())
        return NULL;
    if (number < 0)
        return PyErr_Format(PyExc_ValueError, "expected a number of threads, or 0, but got %ld", number);
    choose_threads(number < MOST_THREADS ? (int)number : MOST_THREADS);
    return PyLong_FromLong(before);
}

static PyObject *most_threads_now(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyLong_FromLong(most_threads());
}

static PyObject *limit_memory(PyObject *module, PyObject *argument)
{
    (void)module;
    size_t bytes = PyLong_AsSize_t(argument);
    return bytes == (size_t)-1 && PyErr_Occurred() ? NULL : PyLong_FromSize_t(limit_workspaces(bytes));
}

static PyObject *free_memory(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    free_workspaces();
    Py_RETURN_NONE;
}

static PyObject *held_memory(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyLong_FromSize_t(held_by_workspaces());
}

#define BOUND(name) {#name, (PyCFunction)(void (*)(void))bind_##name, METH_FASTCALL, NULL}

static PyMethodDef methods[] = {
    {"available", available, METH_NOARGS, available_doc},
    {"choose", choose, METH_O, choose_doc},
    {"threads", threads, METH_O, threads_doc},
    {"chosen_threads", chosen_number, METH_NOARGS, "chosen_threads(): the number that threads() set last, 0 at first."},
    {"most_threads", most_threads_now, METH_NOARGS, "most_threads(): how many threads a call takes at most."},
    {"limit_memory", limit_memory, METH_O, "limit_memory(bytes): keep no larger buffer in a thread; return the last."},
    {"free_memory", free_memory, METH_NOARGS, "free_memory(): free the buffers of all threads."},
    {"held_memory", held_memory, METH_NOARGS, "held_memory(): how many bytes the buffers of all threads have."},
    {"set_allocator", set_allocator, METH_O, "set_allocator(function): take large arrays from function(shape, dtype)."},
    BOUND(elementary),
    BOUND(activation_forward),
    BOUND(activation_backward),
    BOUND(gaussian_forward),
    BOUND(gaussian_backward),
    BOUND(layer_norm_forward),
    BOUND(layer_norm_backward),
    BOUND(linear_forward),
    BOUND(linear_backward),
    BOUND(shared_sigma_forward),
    BOUND(shared_sigma_backward),
    BOUND(squashed_gaussian_forward),
    BOUND(squashed_gaussian_backward),
    BOUND(lstm_forward),
    BOUND(lstm_backward),
    BOUND(sgd),
    BOUND(rmsprop),
    BOUND(adam),
    BOUND(lerp),
    BOUND(scale),
    BOUND(sum_of_squares),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", "Kernels in C.", -1, methods, 0, 0, 0, 0};

PyMODINIT_FUNC PyInit__native(void)
{
    import_array();
    import_umath();
    chosen = instruction_sets;
    while (!chosen->is_supported())
        chosen++;
    return PyModule_Create(&definition);
}
