"""Compiles CUDA C++ as CuPy does at run time, with NVRTC, which needs no GPU: a process of its own for the real CuPy.

Reads a JSON object from standard input, from names to sources, and writes one from names to `[ptx, log]`; the PTX of a
source that does not compile is empty. Run by `test_cuda_sources.py`.
"""

from __future__ import annotations

import json
import sys

from cupy.cuda import nvrtc

OPTIONS = ("-arch=compute_75", "--std=c++17", "--diag-suppress=177")  # 177: an input that an operation does not read


def compiled(name: str, source: str) -> tuple[str, str]:
    """Return the PTX of a source, and the compiler's log."""
    program = nvrtc.createProgram(source, f"{name}.cu", (), ())
    try:
        nvrtc.compileProgram(program, OPTIONS)
        return nvrtc.getPTX(program).decode(), nvrtc.getProgramLog(program)
    except nvrtc.NVRTCError:
        return "", nvrtc.getProgramLog(program)


if __name__ == "__main__":
    json.dump({name: compiled(name, source) for name, source in json.load(sys.stdin).items()}, sys.stdout)
