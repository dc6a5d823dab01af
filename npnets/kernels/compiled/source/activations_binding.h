/* Activations as Python describes them. */

#ifndef NPNETS_ACTIVATIONS_BINDING_H
#define NPNETS_ACTIVATIONS_BINDING_H

#include "activations_call.h"
#include "python_api.h"

/* Reads an activation from the attribute `code` of an object, or `None`; returns 0, or -1 with an error. */
int parse_activation(PyObject *object, struct activation *f);

#endif
