/* The choice of an instruction set: the best that the processor has, or the one that a user names. */

#ifndef NPNETS_PROCESSOR_H
#define NPNETS_PROCESSOR_H

#include "table.h"

/* Kernels for float32 and float64. */
struct instruction_set {
    const char *name;
    int (*is_supported)(void);
    const struct kernels *of_float, *of_double;
};

/* The instruction sets this module was compiled for, the best first; the last has no name. */
extern const struct instruction_set instruction_sets[];

/* The one in use. */
extern const struct instruction_set *chosen;

/* Returns the kernels in use for NPY_FLOAT or NPY_DOUBLE. */
const struct kernels *kernels_of(int type);

#endif
