"""One law over every differentiable function of `npnets.numpy`: values as NumPy's, derivatives as central differences.

`numpy_cases.py` has the table of calls. What happens at kinks and ties is in `test_numpy_conventions.py`.
"""

from __future__ import annotations

import numpy as np
import pytest
from backends import assert_allclose, bits, on_backend
from finite_differences import assert_trees_close, check_first_order, check_second_order, check_third_order
from numpy_cases import REFERENCE, TABLE, Case, each_case, each_case_that, each_pair

import npnets
import npnets.numpy as nnp

NUMBERS_PROMOTE_IN_NUMPY = ("array", "diff", "dot", "hstack", "outer", "stack", "vstack")
AGREEING = "test_backends_agree holds the other backends against this one"


@pytest.mark.numpy_alone("reads the table")
def test_the_table_covers_every_differentiable_function() -> None:
    without_derivatives = {"argsort", "full_like"}
    functions = {name: getattr(nnp, name) for name in nnp.__all__ if callable(getattr(nnp, name))}
    own = {name for name, function in functions.items() if function.__module__.startswith("npnets")}
    assert own - without_derivatives == {case.name for case in TABLE} - {"indexing", "norm"}


@pytest.mark.numpy_alone(AGREEING)
@each_case
def test_values_are_those_of_numpy(case: Case) -> None:
    expected = case.fun(REFERENCE, *case.numpy_arrays(1))
    output = case.fun(nnp, *case.arrays(1))
    assert_trees_close(output, expected, rtol=1e-12, atol=1e-14)
    assert output.dtype == expected.dtype


@pytest.mark.numpy_alone(AGREEING)
@each_case
def test_forward_and_reverse_mode_agree_with_central_differences(case: Case) -> None:
    arrays = case.arrays(2)
    check_first_order(lambda x: case.fun(nnp, *x), arrays, np.random.default_rng(3))
    if len(arrays) == 2:
        a, b = arrays
        check_first_order(lambda x: case.fun(nnp, x, b), a, np.random.default_rng(4))
        check_first_order(lambda x: case.fun(nnp, a, x), b, np.random.default_rng(5))


@pytest.mark.numpy_alone(AGREEING)
@each_case
def test_second_derivatives_agree_with_differences_of_gradients(case: Case) -> None:
    arrays = case.arrays(6)
    check_second_order(lambda x: case.fun(nnp, *x), arrays, np.random.default_rng(7))
    if len(arrays) == 2:
        check_second_order(lambda x: case.fun(nnp, x, arrays[1]), arrays[0], np.random.default_rng(8))


@pytest.mark.numpy_alone(AGREEING)
@each_case
def test_third_derivatives_agree_with_differences_of_second_ones(case: Case) -> None:
    check_third_order(lambda x: case.fun(nnp, *x), case.arrays(12), np.random.default_rng(13))


@pytest.mark.numpy_alone(AGREEING)
@each_case
def test_arguments_are_left_as_they_were(case: Case) -> None:
    arrays = case.arrays(9)
    before = bits(arrays)
    pullback = npnets.vjp(lambda x: case.fun(nnp, *x), arrays)
    pullback[1](np.ones_like(pullback[0]))
    assert bits(arrays) == before


@pytest.mark.numpy_alone(AGREEING)
@each_case_that(lambda case: case.name != "astype")
def test_float32_gives_float32_values_and_derivatives(case: Case) -> None:
    x = case.arrays(10, np.float32)
    value, pullback = npnets.vjp(lambda a: case.fun(nnp, *a), x)
    if case.name not in NUMBERS_PROMOTE_IN_NUMPY:
        assert value.dtype == case.fun(REFERENCE, *case.numpy_arrays(10, np.float32)).dtype
    assert all(g.dtype == np.float32 for g in pullback(np.ones_like(value)))
    if case.name not in ("clip", "concatenate"):  # those mix float64 constants in
        assert value.dtype == np.float32
        assert npnets.jvp(lambda a: case.fun(nnp, *a), x, x)[1].dtype == np.float32
        assert_allclose(value, case.fun(REFERENCE, *case.numpy_arrays(10)), rtol=2e-4, atol=2e-4)
    product = npnets.hvp(lambda a: nnp.sum(case.fun(nnp, *a) ** 2))(x, x)
    assert all(g.dtype == np.float32 for g in product)


@each_pair
@pytest.mark.parametrize("narrow", [0, 1], ids=["first", "second"])
def test_a_mix_of_dtypes_gives_numpys_value_and_each_gradient_in_its_own(case: Case, narrow: int) -> None:
    dtypes = [np.float32 if index == narrow else np.float64 for index in range(2)]
    numpy_arrays = tuple(array.astype(dtype) for array, dtype in zip(case.numpy_arrays(11), dtypes, strict=True))
    x = on_backend(numpy_arrays)
    value, pullback = npnets.vjp(lambda a: case.fun(nnp, *a), x)
    assert value.dtype == case.fun(REFERENCE, *numpy_arrays).dtype
    cotangent = np.ones_like(value)
    assert [g.dtype for g in pullback(cotangent)] == dtypes
    exact = npnets.vjp(lambda a: case.fun(nnp, *a), tuple(a.astype(np.float64) for a in x))
    assert_trees_close(pullback(cotangent), exact[1](cotangent.astype(np.float64)), rtol=1e-5, atol=1e-5)
    assert_trees_close(npnets.jvp(lambda a: case.fun(nnp, *a), x, x)[0], value)
