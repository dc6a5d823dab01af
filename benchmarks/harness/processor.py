"""The processor of this machine: the best instruction set that it has, and a name for its result files."""

from __future__ import annotations

import importlib
import re

SETS = {"AVX512_SKX": "AVX-512", "AVX2": "AVX2", "ASIMD": "NEON", "NEON": "NEON"}
"""Instruction sets by NumPy's names of features, the best first."""


def instructions() -> str:
    """Return the best instruction set of this processor: `"AVX-512"`, `"AVX2"`, `"NEON"`, or `"baseline"`."""
    features = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__
    return next((name for feature, name in SETS.items() if features.get(feature)), "baseline")


def slug(processor: str, instructions: str) -> str:
    """Return a part of a file's name for a processor and its best instruction set, `amd-epyc-avx512`.

    Marks, clock rates and numbers of cores are left out, so that `Intel(R) Xeon(R) CPU @ 2.20GHz` is `intel-xeon`.
    """
    plain = re.sub(r"\(.*?\)|@.*|\b(CPU|Processor)\b|\b\d+-Core\b", " ", processor)
    words = re.findall(r"[a-z0-9]+", plain.lower())
    return "-".join([*words, instructions.lower().replace("-", "")])
