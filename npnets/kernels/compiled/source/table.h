/* Every kernel, for one instruction set and one width of numbers. */

#ifndef NPNETS_TABLE_H
#define NPNETS_TABLE_H

#include "elementary_call.h"
#include "linear_call.h"
#include "lstm_call.h"
#include "optimizers_call.h"

struct kernels {
    int (*elementary)(const struct elementary_call *call);
    int (*activation)(const struct activation_call *call);
    int (*linear_forward)(const struct chain *chain);
    int (*linear_backward)(const struct chain *chain);
    int (*lstm_forward)(const struct lstm_call *call);
    int (*lstm_backward)(const struct lstm_call *call);
    update_function *sgd, *rmsprop, *adam, *lerp, *scale;
    double (*sum_of_squares)(const void *array, ptrdiff_t size);
};

#endif
