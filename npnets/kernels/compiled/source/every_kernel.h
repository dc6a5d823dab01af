/* Every kernel, for the instruction set and the width of numbers of the translation unit that includes this file. */

#include "elementary_loops.h"
#include "gaussian.h"
#include "layer_norm.h"
#include "linear_backward.h"
#include "shared_sigma.h"
#include "squashed_gaussian.h"
#include "lstm_backward.h"
#include "optimizers.h"
#include "table.h"

const struct kernels KERNELS = {
    .elementary = elementary,
    .activation = activation,
    .gaussian = gaussian,
    .layer_norm_forward = layer_norm_forward,
    .layer_norm_backward = layer_norm_backward,
    .linear_forward = linear_forward,
    .linear_backward = linear_backward,
    .shared_sigma_forward = shared_sigma_forward,
    .shared_sigma_backward = shared_sigma_backward,
    .squashed_gaussian = squashed_gaussian,
    .lstm_forward = lstm_forward,
    .lstm_backward = lstm_backward,
    .sgd = update_sgd,
    .rmsprop = update_rmsprop,
    .adam = update_adam,
    .lerp = update_lerp,
    .scale = update_scale,
    .sum_of_squares = sum_of_squares,
};
