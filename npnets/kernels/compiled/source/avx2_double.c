/* The kernels for double, with AVX2 and FMA. */

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define KERNELS avx2_double
#define NUMBER_BITS 64
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#include "every_kernel.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
