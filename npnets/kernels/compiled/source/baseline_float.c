/* The kernels for float, with the instructions that every processor of the platform has: on ARM they include NEON. */

#define KERNELS baseline_float
#define NUMBER_BITS 32
#define VECTOR_BYTES 16
#if defined(__aarch64__)
#define TILE_ROWS 14
#else
#define TILE_ROWS 6
#endif
#include "every_kernel.h"
