/* The elementary functions by their numbers, for the tests of their accuracy. */

#ifndef NPNETS_ELEMENTARY_CALL_H
#define NPNETS_ELEMENTARY_CALL_H

#include <stddef.h>

enum { EXP, EXP_BELOW, EXPM1_BELOW, TANH_OF, SIGMOID_OF, LOG, LOG1P_OF_UNIT, ELEMENTARY };

struct elementary_call {
    int kind;
    ptrdiff_t size;
    const void *x;
    void *y;
};

#endif
