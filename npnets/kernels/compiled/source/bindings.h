/* The functions that Python calls, one declaration each: METH_FASTCALL. */

#ifndef NPNETS_BINDINGS_H
#define NPNETS_BINDINGS_H

#include "python_api.h"

typedef PyObject *binding(PyObject *module, PyObject *const *args, Py_ssize_t count);

binding bind_elementary;
binding bind_activation_forward, bind_activation_backward;
binding bind_gaussian_forward, bind_gaussian_backward;
binding bind_layer_norm_forward, bind_layer_norm_backward;
binding bind_linear_forward, bind_linear_backward;
binding bind_shared_sigma_forward, bind_shared_sigma_backward;
binding bind_squashed_gaussian_forward, bind_squashed_gaussian_backward;
binding bind_lstm_forward, bind_lstm_backward;
binding bind_sgd, bind_rmsprop, bind_adam, bind_lerp, bind_scale, bind_sum_of_squares;

#endif
