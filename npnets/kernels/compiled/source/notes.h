/* The processor's notes about the arithmetic of a thread: which kinds of floating-point exceptions occurred. */

#ifndef NPNETS_NOTES_H
#define NPNETS_NOTES_H

#include <fenv.h>

/* On x86-64 vectors have a register of their own for notes, which takes a tenth of the time of <fenv.h>. */
#if defined(__x86_64__)
#include <xmmintrin.h>

enum {
    NOTE_OVERFLOW = _MM_EXCEPT_OVERFLOW,
    NOTE_DIVISION_BY_ZERO = _MM_EXCEPT_DIV_ZERO,
    NOTE_INVALID = _MM_EXCEPT_INVALID,
};

static inline unsigned read_notes(void) { return _mm_getcsr() & _MM_EXCEPT_MASK; }

static inline void write_notes(unsigned notes) { _mm_setcsr((_mm_getcsr() & ~(unsigned)_MM_EXCEPT_MASK) | notes); }
#else
enum { NOTE_OVERFLOW = FE_OVERFLOW, NOTE_DIVISION_BY_ZERO = FE_DIVBYZERO, NOTE_INVALID = FE_INVALID };

static inline unsigned read_notes(void) { return (unsigned)fetestexcept(FE_ALL_EXCEPT); }

static inline void write_notes(unsigned notes)
{
    feclearexcept(FE_ALL_EXCEPT);
    feraiseexcept((int)notes);
}
#endif

#endif
