/* What the processor noted about the arithmetic of a call: overflow, division by zero, invalid operations.

   A call clears the notes before its kernel and reports them after it, by NumPy's settings (`numpy.errstate`). */

#ifndef NPNETS_STATUS_H
#define NPNETS_STATUS_H

#include "python_api.h"

/* Clears the notes of this thread. */
void clear_status(void);

/* Returns the notes of this thread as NumPy's flags: NPY_FPE_OVERFLOW, NPY_FPE_DIVIDEBYZERO, NPY_FPE_INVALID. */
int read_status(void);

/* Reports notes as NumPy does for an operation of this name; returns 0, or -1 with an exception. An operation on inputs
   with NaN is not invalid: comparing them is. */
int report_status(int flags, const char *name, PyArrayObject *const *inputs, Py_ssize_t count);

#endif
