/* What the processor noted about the arithmetic of a call: overflow, division by zero, invalid operations.

   A call clears the notes before its kernel and reports them after it, by NumPy's settings (`numpy.errstate`). Both
   happen here, around the kernel, for all calls whose kernels return whether they failed. */

#ifndef NPNETS_STATUS_H
#define NPNETS_STATUS_H

#include "python_api.h"
#include "workspace.h"

/* Clears the notes of this thread. */
void clear_status(void);

/* Returns the notes of this thread as NumPy's flags: NPY_FPE_OVERFLOW, NPY_FPE_DIVIDEBYZERO, NPY_FPE_INVALID. */
int read_status(void);

/* Runs a kernel on its call without the global lock; returns whether it failed, and puts the notes into `status`. */
#define RUN(kernel, its_call, status)                                                                                  \
    ({                                                                                                                 \
        int failed_;                                                                                                   \
        Py_BEGIN_ALLOW_THREADS                                                                                         \
        clear_status();                                                                                                \
        failed_ = (kernel)(its_call);                                                                                  \
        status = read_status();                                                                                        \
        trim_workspace();                                                                                              \
        Py_END_ALLOW_THREADS                                                                                           \
        failed_;                                                                                                       \
    })

/* Reports what came of RUN: 0, or -1 with an exception, a MemoryError if the kernel failed. */
int report_run(int failed, int flags, const char *name, PyArrayObject *const *inputs, Py_ssize_t count);

/* Reports notes as NumPy does for an operation of this name; returns 0, or -1 with an exception. An operation on inputs
   with NaN is not invalid: comparing them is. */
int report_status(int flags, const char *name, PyArrayObject *const *inputs, Py_ssize_t count);

#endif
