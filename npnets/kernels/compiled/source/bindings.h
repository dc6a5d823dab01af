/* The functions that Python calls, one declaration each: METH_FASTCALL. */

#ifndef NPNETS_BINDINGS_H
#define NPNETS_BINDINGS_H

#include "python_api.h"

#endif
