/* Every kernel, for one instruction set and one width of numbers. */

#ifndef NPNETS_TABLE_H
#define NPNETS_TABLE_H

#include "elementary_call.h"
#include "gaussian_call.h"
#include "layer_norm_call.h"
#include "linear_call.h"
#include "shared_sigma_call.h"
#include "squashed_gaussian_call.h"
#include "lstm_call.h"
#include "optimizers_call.h"

struct kernels {
    int (*elementary)(const struct elementary_call *call);
    int (*activation)(const struct activation_call *call);
    int (*gaussian)(const struct gaussian_call *call);
    int (*layer_norm_forward)(const struct layer_norm_call *call);
    int (*layer_norm_backward)(const struct layer_norm_call *call);
    int (*linear_forward)(const struct chain *chain);
    int (*linear_backward)(const struct chain *chain);
    int (*shared_sigma_forward)(const struct shared_sigma_call *call);
    int (*shared_sigma_backward)(const struct shared_sigma_call *call);
    int (*squashed_gaussian)(const struct squashed_gaussian_call *call);
    int (*lstm_forward)(const struct lstm_call *call);
    int (*lstm_backward)(const struct lstm_call *call);
    update_function *sgd, *rmsprop, *adam, *lerp, *scale;
    double (*sum_of_squares)(const void *array, ptrdiff_t size);
};

#endif
