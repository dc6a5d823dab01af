"""The host's C++ compiler in the place of CUDA's: the source of an elementwise kernel becomes a function to call.

The functions that a kernel may call keep CUDA's meanings: `tanh(float)` is float's; `max` and `min` have CUDA's
overloads, so that ambiguous calls do not compile here either, and return the other operand when one is NaN; `float16`
is CuPy's class, with implicit conversion to float and explicit conversion from other numbers. Each source is compiled
once: the library is kept in `folder` under a hash of the source, the compiler's version and the flags.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

C_TYPES = {
    "bool": "bool",
    "int8": "signed char",
    "int16": "short",
    "int32": "int",
    "int64": "long long",
    "uint8": "unsigned char",
    "uint16": "unsigned short",
    "uint32": "unsigned int",
    "uint64": "unsigned long long",
    "float16": "float16",
    "float32": "float",
    "float64": "double",
}
_PRELUDE = """
#include <cmath>
#include <cstdlib>
#include <cstdint>
#define __device__
#define __forceinline__ inline
using std::abs; using std::acos; using std::acosh; using std::asin; using std::asinh; using std::atan;
using std::atan2; using std::atanh; using std::cbrt; using std::ceil; using std::copysign; using std::cos;
using std::cosh; using std::erf; using std::erfc; using std::exp; using std::exp2; using std::expm1; using std::fabs;
using std::floor; using std::fma; using std::fmax; using std::fmin; using std::fmod; using std::hypot;
using std::isfinite; using std::isinf; using std::isnan; using std::ldexp; using std::log; using std::log10;
using std::log1p; using std::log2; using std::pow; using std::rint; using std::round; using std::signbit;
using std::sin; using std::sinh; using std::sqrt; using std::tan; using std::tanh; using std::trunc;
#ifdef __FLT16_MAX__
struct float16 {
  _Float16 bits;
  float16() = default;
  float16(float x) : bits(static_cast<_Float16>(x)) {}
  explicit float16(bool x) : float16(static_cast<float>(x)) {}
  explicit float16(double x) : float16(static_cast<float>(x)) {}
  explicit float16(int x) : float16(static_cast<float>(x)) {}
  explicit float16(long long x) : float16(static_cast<float>(x)) {}
  operator float() const { return static_cast<float>(bits); }
  template <typename X> float16 &operator=(const X &x) { return *this = static_cast<float16>(x); }
  template <typename X> float16 &operator+=(const X &x) { return *this = *this + x; }
  template <typename X> float16 &operator-=(const X &x) { return *this = *this - x; }
  template <typename X> float16 &operator*=(const X &x) { return *this = *this * x; }
  template <typename X> float16 &operator/=(const X &x) { return *this = *this / x; }
};
#endif
inline float rsqrt(float x) { return 1 / std::sqrt(x); }
inline double rsqrt(double x) { return 1 / std::sqrt(x); }
inline double normcdf(double x) { return std::erfc(-0.70710678118654752440084436210485L * x) / 2; }
inline float normcdf(float x) { return static_cast<float>(normcdf(static_cast<double>(x))); }
#define FLOATING_EXTREMES(A, B, R) \\
  inline R max(A a, B b) { return std::fmax(static_cast<R>(a), static_cast<R>(b)); } \\
  inline R min(A a, B b) { return std::fmin(static_cast<R>(a), static_cast<R>(b)); }
FLOATING_EXTREMES(float, float, float)
FLOATING_EXTREMES(float, double, double)
FLOATING_EXTREMES(double, float, double)
FLOATING_EXTREMES(double, double, double)
#define INTEGER_EXTREMES(A) \\
  inline A max(A a, A b) { return a > b ? a : b; } \\
  inline A min(A a, A b) { return a < b ? a : b; }
INTEGER_EXTREMES(int)
INTEGER_EXTREMES(unsigned int)
INTEGER_EXTREMES(long)
INTEGER_EXTREMES(unsigned long)
INTEGER_EXTREMES(long long)
INTEGER_EXTREMES(unsigned long long)
"""
_FLAGS = ("-std=c++17", "-O1", "-shared", "-fPIC", "-ffp-contract=off")
_lock = threading.Lock()

folder: Path | None = None
"""The folder of libraries for other processes and later runs; without one they are deleted with the process."""


def compiler() -> str:
    """Return the command of the host's C++ compiler."""
    candidates = [os.environ.get("CXX"), "c++", "g++", "clang++"]
    found = next((path for name in candidates if name and (path := shutil.which(name))), None)
    if found is None:
        raise RuntimeError(
            "the stand-in for CuPy compiles kernels with the host's C++ compiler, but finds none of $CXX, c++, g++, "
            "clang++; on Debian or Ubuntu install one with: apt-get install g++"
        )
    return found


def compiled(source: str, name: str) -> Any:
    """Return the C function `name(size, arguments)` of a source, compiled the first time that it is used."""
    with _lock:
        return _compiled(source, name)


@functools.cache
def _compiled(source: str, name: str) -> Any:
    code, command = _PRELUDE + source, compiler()
    key = hashlib.sha256("\0".join([_version(command), *_FLAGS, code]).encode()).hexdigest()
    library = _folder() / f"{key}.so"
    if not library.exists():
        _compile(command, code, library)
    function = getattr(ctypes.CDLL(str(library)), name)
    function.argtypes, function.restype = (ctypes.c_longlong, ctypes.POINTER(ctypes.c_void_p)), None
    return function


def _compile(command: str, code: str, library: Path) -> None:
    """Make a library, which appears under its name when it is complete, as another process may make the same."""
    part = library.with_suffix(f".{os.getpid()}")
    call = [command, *_FLAGS, "-o", str(part), "-x", "c++", "-"]
    compiled = subprocess.run(call, input=code, capture_output=True, text=True)
    if compiled.returncode:
        raise RuntimeError(f"a kernel does not compile:\n{compiled.stderr}\n{code.removeprefix(_PRELUDE)}")
    os.replace(part, library)


@functools.cache
def _version(command: str) -> str:
    return subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout


def _folder() -> Path:
    return folder or Path(_folder_of_this_process().name)


@functools.cache
def _folder_of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="standin_cupy_")
