"""The elementary functions of the compiled kernels against mpmath, over the whole range of both dtypes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from instruction_sets import each_instruction_set, using

from npnets.kernels.compiled.native import native

pytestmark = pytest.mark.numpy_alone("is about the extension module")

MOST_ULPS = 4
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "exp": (mpmath.exp, -np.inf, np.inf),
    "exp_below": (mpmath.exp, -np.inf, 0),
    "expm1_below": (mpmath.expm1, -np.inf, 0),
    "tanh": (mpmath.tanh, -np.inf, np.inf),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), -np.inf, np.inf),
    "log": (mpmath.log, 0, np.inf),
    "log1p_of_unit": (mpmath.log1p, 0, 1),
}
"""For each function that of mpmath, and the range of its arguments."""
each_function = pytest.mark.parametrize("name", FUNCTIONS)
SATURATED = 1e4
"""Beyond it all functions but the logarithm are constant or overflow."""


def numbers(dtype: str) -> np.ndarray:
    """Return finite numbers other than zero: of each exponent, many between 2^-12 and 2^12, and at branch points."""
    rng, kind = np.random.default_rng(0), np.dtype(dtype)
    info, unsigned = np.finfo(kind), np.dtype(f"u{kind.itemsize}")
    exponents = np.arange(0, 2 * info.maxexp - 1)
    bias = info.maxexp - 1
    exponents = np.concatenate([exponents, np.repeat(np.arange(bias - 12, bias + 12), 100)]).astype(unsigned)
    mantissas = rng.integers(0, 1 << info.nmant, exponents.size, unsigned)
    positive = ((exponents << unsigned.type(info.nmant)) | mantissas).view(kind)
    extremes = np.array([info.smallest_subnormal, info.smallest_normal, info.max], kind)
    positive = np.concatenate([positive, extremes, _neighbours(_branch_points(info).astype(kind))])
    positive = positive[np.isfinite(positive) & (positive > 0)]
    return np.concatenate([positive, -positive])


def _branch_points(info: Any) -> np.ndarray:
    """Return the positive numbers at which a formula changes: halves of ln 2, ends of ranges, roots."""
    halves = np.log(2) / 2 * np.arange(1, 200)
    ends = [-np.log(2) * (info.minexp - part) for part in (0, info.nmant, info.nmant + 1)]
    roots = np.sqrt(0.5) * 2.0 ** np.arange(-4, 5)
    return np.concatenate([halves, ends, [np.log(2) * info.maxexp, info.nmant, info.nmant / 2, np.sqrt(2) - 1], roots])


def _neighbours(x: np.ndarray) -> np.ndarray:
    below, above = np.nextafter(x, x.dtype.type(0)), np.nextafter(x, x.dtype.type(np.inf))
    return np.concatenate([below, x, above])


def within_range(name: str, x: np.ndarray) -> np.ndarray:
    _, low, high = FUNCTIONS[name]
    return x[(x >= low) & (x <= high)]


@functools.cache
def exact(name: str, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest numbers to the exact results, and what is missing in units of their last place."""
    nearest, missing = [], []
    with mpmath.workprec(150), np.errstate(over="ignore"):
        for x in within_range(name, numbers(dtype)).astype(np.float64):
            bounded = x if name == "log" else np.clip(x, -SATURATED, SATURATED)
            y = FUNCTIONS[name][0](mpmath.mpf(float(bounded)))
            nearest.append(np.dtype(dtype).type(float(y)))
            finite = np.isfinite(nearest[-1])
            missing.append(float((y - float(nearest[-1])) / float(np.spacing(nearest[-1]))) if finite else 0.0)
    return np.array(nearest), np.array(missing)


@each_instruction_set
@each_dtype
@each_function
def test_a_result_is_within_four_units_in_the_last_place_over_the_whole_range(
    instruction_set: str, dtype: str, name: str
) -> None:
    x = within_range(name, numbers(dtype))
    nearest, missing = exact(name, dtype)
    with using(instruction_set), np.errstate(over="ignore"):
        y = native.elementary(name, x)
    finite = np.isfinite(nearest)
    np.testing.assert_array_equal(y[~finite], nearest[~finite])
    with np.errstate(over="ignore"):  # a wrong result may be far away
        ulps = np.abs((y[finite] - nearest[finite]).astype(np.float64) / np.spacing(nearest[finite]) - missing[finite])
    worst = np.argmax(ulps)
    assert ulps[worst] <= MOST_ULPS, f"{name}({x[finite][worst]!r}) is {y[finite][worst]!r}, by {ulps[worst]:.1f} ulps"


@each_instruction_set
@each_dtype
def test_infinities_zeros_and_nan_have_the_results_of_the_limits(instruction_set: str, dtype: str) -> None:
    inf, nan = np.inf, np.nan
    expected = {
        "exp": ([-inf, -0.0, 0.0, inf, nan], [0.0, 1.0, 1.0, inf, nan]),
        "exp_below": ([-inf, -0.0, 0.0, nan], [0.0, 1.0, 1.0, nan]),
        "expm1_below": ([-inf, -0.0, 0.0, nan], [-1.0, -0.0, 0.0, nan]),
        "tanh": ([-inf, -0.0, 0.0, inf, nan], [-1.0, -0.0, 0.0, 1.0, nan]),
        "sigmoid": ([-inf, -0.0, 0.0, inf, nan], [0.0, 0.5, 0.5, 1.0, nan]),
        "log": ([-inf, -1.0, -0.0, 0.0, 1.0, inf, nan], [nan, nan, -inf, -inf, 0.0, inf, nan]),
        "log1p_of_unit": ([0.0, nan], [0.0, nan]),
    }
    assert expected.keys() == FUNCTIONS.keys()
    for name, (x, y) in expected.items():
        with using(instruction_set), np.errstate(all="ignore"):
            found = native.elementary(name, np.array(x, dtype))
        np.testing.assert_array_equal(found, np.array(y, dtype), err_msg=name)
        np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(np.array(y)[found == 0]), err_msg=name)


@each_instruction_set
@each_dtype
@each_function
def test_ordinary_numbers_saturation_and_nan_raise_no_floating_point_error(
    instruction_set: str, dtype: str, name: str
) -> None:
    x = within_range(name, numbers(dtype))
    if name == "exp":
        x = x[x < np.log(np.finfo(dtype).max) * 0.99]
    with using(instruction_set), np.errstate(all="raise"):
        native.elementary(name, x)
        native.elementary(name, np.append(x, np.array(np.nan, dtype)))


@each_instruction_set
@each_dtype
@pytest.mark.parametrize(
    ("name", "x", "expected"), [("exp", 1000.0, "overflow"), ("log", 0.0, "divide by zero"), ("log", -1.0, "invalid")]
)
def test_a_result_that_no_number_holds_is_reported_as_by_numpy(
    instruction_set: str, dtype: str, name: str, x: float, expected: str
) -> None:
    with using(instruction_set), np.errstate(all="raise"), pytest.raises(FloatingPointError, match=expected):
        native.elementary(name, np.array([1.0, x], dtype))


@each_instruction_set
@each_dtype
@each_function
def test_a_number_has_the_same_bits_at_every_place_of_an_array(instruction_set: str, dtype: str, name: str) -> None:
    x = np.resize(within_range(name, np.array([-0.7, -30.0, 0.3, 0.6], dtype)), 40)
    with using(instruction_set):
        whole = native.elementary(name, x)
        for size in (0, 1, 2, 15, 16, 17, 33):
            for start in (0, 1, 5):
                part = native.elementary(name, x[start : start + size])
                assert part.tobytes() == whole[start : start + size].tobytes()
