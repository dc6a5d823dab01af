/* Every kernel, for one instruction set and one width of numbers. */

#ifndef NPNETS_TABLE_H
#define NPNETS_TABLE_H

#include "elementary_call.h"
#include "linear_call.h"
#include "lstm_call.h"

struct kernels {
    int (*elementary)(const struct elementary_call *call);
    int (*activation)(const struct activation_call *call);
    int (*linear_forward)(const struct chain *chain);
    int (*linear_backward)(const struct chain *chain);
    int (*lstm_forward)(const struct lstm_call *call);
    int (*lstm_backward)(const struct lstm_call *call);
};

#endif
