/* Vectors of the processor: one type and a few functions, for one instruction set and one width of numbers.

   A translation unit defines NUMBER_BITS (32 or 64), VECTOR_BYTES and TILE_ROWS, and then includes every kernel. `real`
   is the type of numbers, `vec` LANES of them, `mask` and `integers` as many integers of the same width. GCC and Clang
   write the arithmetic of these types as that of numbers. */

#ifndef NPNETS_VECTOR_H
#define NPNETS_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if NUMBER_BITS == 32
typedef float real;
typedef int32_t integer;
typedef uint32_t bits;
#else
typedef double real;
typedef int64_t integer;
typedef uint64_t bits;
#endif

typedef real vec __attribute__((vector_size(VECTOR_BYTES)));
typedef integer integers __attribute__((vector_size(VECTOR_BYTES)));
typedef integers mask;
typedef real unaligned_vec __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

enum { LANES = VECTOR_BYTES / sizeof(real) };

#define KERNEL static __attribute__((unused)) /* a translation unit has every function, and need not call each */
#define INLINE static inline __attribute__((always_inline, unused))

INLINE ptrdiff_t smaller(ptrdiff_t x, ptrdiff_t y) { return x < y ? x : y; }

INLINE vec load(const real *from) { return *(const unaligned_vec *)from; }

INLINE void store(real *to, vec x) { *(unaligned_vec *)to = x; }

INLINE vec broadcast(real x) { return x - (vec){0}; }

/* Loads and stores of the first `count` lanes alone; a load puts `missing` into the others. */
INLINE vec load_up_to(const real *from, ptrdiff_t count, real missing)
{
    if (count >= LANES)
        return load(from);
    vec x = broadcast(missing);
    for (int lane = 0; lane < LANES; lane++)
        if (lane < count)
            x[lane] = from[lane];
    return x;
}

INLINE void store_up_to(real *to, vec x, ptrdiff_t count)
{
    if (count >= LANES)
        store(to, x);
    else
        for (int lane = 0; lane < LANES; lane++)
            if (lane < count)
                to[lane] = x[lane];
}

INLINE integers as_integers(vec x) { return (integers)x; }

INLINE vec as_reals(integers x) { return (vec)x; }

INLINE vec choose(mask where, vec x, vec otherwise)
{
    return as_reals((where & as_integers(x)) | (~where & as_integers(otherwise)));
}

/* The compiler knows nothing about the result: Clang may otherwise compute both sides of a choice that follows or
   precedes an operation, with the floating-point exceptions of both or of none. */
INLINE vec opaque(vec x)
{
#if defined(__x86_64__) && VECTOR_BYTES == 64
    __asm__("" : "+v"(x));
#elif defined(__x86_64__)
    __asm__("" : "+x"(x));
#elif defined(__aarch64__)
    __asm__("" : "+w"(x));
#endif
    return x;
}

INLINE vec absolute(vec x) { return as_reals(as_integers(x) & (integer)(((bits)-1) >> 1)); }

INLINE vec with_sign_of(vec sign, vec x)
{
    integers digits = (integers){0} + (integer)(((bits)-1) >> 1);
    return as_reals((as_integers(x) & digits) | (as_integers(sign) & ~digits));
}

/* The first argument is NaN: the result is NaN. */
INLINE vec at_least(vec x, vec bound) { return choose(x < bound, bound, x); }

INLINE vec at_most(vec x, vec bound) { return choose(x > bound, bound, x); }

/* A product that must be rounded by itself: the compiler does not see that it may be fused with a sum. */
INLINE vec rounded(vec x) { return opaque(x); }

/* In halves, whose additions do not wait for one another. */
INLINE real sum_of_lanes(vec x)
{
    typedef real narrow __attribute__((vector_size(16)));
    narrow parts[VECTOR_BYTES / 16];
    memcpy(parts, &x, sizeof x);
    for (int count = VECTOR_BYTES / 32; count > 0; count /= 2)
        for (int i = 0; i < count; i++)
            parts[i] += parts[i + count];
    real total = parts[0][0];
    for (int lane = 1; lane < (int)(16 / sizeof(real)); lane++)
        total += parts[0][lane];
    return total;
}

INLINE vec square_root(vec x)
{
    vec root;
    for (int lane = 0; lane < LANES; lane++)
#if NUMBER_BITS == 32
        root[lane] = sqrtf(x[lane]);
#else
        root[lane] = sqrt(x[lane]);
#endif
    return root;
}

#endif
