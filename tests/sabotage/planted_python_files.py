"""Faults in exported Python files."""

from __future__ import annotations

from fault import Fault

_OPERATIONS = "tests/export/test_python_operations.py"
_FILES = "tests/export/test_python_files.py"

PYTHON_FILES = [
    Fault(
        "exported Python: relu hides a NaN",
        "export/python/functions.py",
        "return 0.0 if z <= 0 else z",
        "return z if z > 0 else 0.0",
        _OPERATIONS,
    ),
    Fault(
        "exported Python: log(1 + p) of a small p is zero",
        "export/python/functions.py",
        "return p if one_plus_p == 1.0 else math.log(one_plus_p) * (p / (one_plus_p - 1.0))",
        "return math.log(one_plus_p)",
        _OPERATIONS,
    ),
    Fault(
        "exported Python: the last of equal entries is chosen",
        "export/python/functions.py",
        "if x[index] > x[best]:",
        "if x[index] >= x[best]:",
        _OPERATIONS,
    ),
    Fault(
        "exported Python: an observation with too many entries passes",
        "export/python/functions.py",
        "if len(values) != size:",
        "if len(values) < size:",
        _FILES,
    ),
    Fault(
        "exported Python: numbers are rounded",
        "export/python/literals.py",
        "value = float(value)",
        "value = round(float(value), 7)",
        _FILES,
    ),
    Fault(
        "exported Python: the self-test leaves states out",
        "export/python/self_test.py",
        "*vectors, *states]",
        "*vectors]",
        _FILES,
    ),
    Fault(
        "exported Python: two values get one name",
        "export/python/names.py",
        "while name in self._taken:",
        "while False:",
        _FILES,
    ),
]
