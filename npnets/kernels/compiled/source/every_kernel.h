/* Every kernel, for the instruction set and the width of numbers of the translation unit that includes this file. */

#include "product.h"
#include "table.h"

const struct kernels KERNELS = {0};
