/* Arrays that come from Python and go back: no kernel sees one that has not passed these checks. */

#ifndef NPNETS_ARRAYS_H
#define NPNETS_ARRAYS_H

#include "python_api.h"

/* References that one call holds, released together at its end. */
struct references {
    Py_ssize_t count, capacity;
    PyObject **objects;
};

void release(struct references *held);

/* Takes over a new reference, and returns it; passes NULL on, and returns NULL without memory. */
PyObject *hold(struct references *held, PyObject *object);

/* Returns NPY_FLOAT or NPY_DOUBLE, the type of an array's numbers, or -1 with a TypeError that calls it `name`. */
int type_of(PyObject *object, const char *name);

/* Returns NPY_FLOAT or NPY_DOUBLE for an array of such numbers and of no subclass, else -1; sets no error. */
int plain_type_of(PyObject *object);

/* The bytes of a number of NPY_FLOAT or NPY_DOUBLE. */
static inline npy_intp bytes_of(int type) { return type == NPY_FLOAT ? 4 : 8; }

/* Returns an array's numbers as contiguous, aligned numbers of a type: its own memory if that is what it is, else a
   copy. Returns NULL with an error. The caller checks the shape. */
PyArrayObject *contiguous(struct references *held, PyObject *object, int type, const char *name);

/* Checks the shape of an array; returns 0, or -1 with a ValueError that calls it `name`. */
int check_shape(PyArrayObject *array, int dimensions, const npy_intp *shape, const char *name);

/* Returns an array that is not initialized: from the buffer pool of Python if it is large. */
PyArrayObject *new_array(struct references *held, int dimensions, const npy_intp *shape, int type);

/* Returns a new reference to the array of one argument's cotangent, or NULL with an error. */
typedef PyObject *cotangent_maker(void *call, long argnum);

/* Makes the cotangents of `argnums`, numbers from zero to below `arguments`: returns a tuple of them, borrowed from
   `held`, or NULL with an error. */
PyObject *cotangents_of(struct references *held, PyObject *argnums, long arguments, cotangent_maker *make,
                        void *call);

/* Sets the function of Python that returns large arrays, called with a tuple of sizes and a dtype. */
PyObject *set_allocator(PyObject *module, PyObject *function);

#endif
