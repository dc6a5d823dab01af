"""Functions take integers, booleans, lists and generators as NumPy's do, and refuse what contradicts itself."""

import math
from typing import Any

import numpy as np
import pytest

import npnets
import npnets.numpy as nnp

pytestmark = pytest.mark.numpy_alone("is about arguments that are no arrays, or NumPy's own")


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.uint8])
def test_erf_of_integers_and_booleans_is_float64(dtype: Any) -> None:
    output = nnp.erf(np.array([0, 1], dtype))
    assert output.dtype == np.float64
    np.testing.assert_allclose(output, [0, math.erf(1)], rtol=1e-14)


def test_erf_of_one_of_numpys_integers_is_no_integer() -> None:
    assert float(nnp.erf(np.int64(1))) == pytest.approx(math.erf(1), rel=1e-14)


def test_norm_of_integers_is_that_of_the_same_numbers_in_float64() -> None:
    assert nnp.linalg.norm([3, 4]) == 5.0
    assert nnp.linalg.norm(np.array([100, 100], np.int8)) == pytest.approx(100 * 2**0.5)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "var", "std", "logsumexp"])
@pytest.mark.parametrize("axis", [0, -1])
def test_a_reduction_of_a_number_over_its_last_axis_is_that_over_none_as_numpy_has_it_for_sums(
    name: str, axis: int
) -> None:
    reduction, x = getattr(nnp, name), np.array(3.0)
    value, gradient = npnets.value_and_grad(lambda a: reduction(a, axis=axis) * a)(x)
    assert (value, gradient) == npnets.value_and_grad(lambda a: reduction(a) * a)(x)
    with pytest.raises(np.exceptions.AxisError):
        npnets.grad(lambda a: reduction(a, axis=1))(x)


def test_squeeze_takes_a_list() -> None:
    assert nnp.squeeze([[1.0]]).shape == ()


def test_stack_takes_a_generator() -> None:
    np.testing.assert_array_equal(nnp.stack(np.full(2, i) for i in range(3)), [[0, 0], [1, 1], [2, 2]])


LISTS_OF_TRACED: list[Any] = [
    (lambda m, x: m.hstack([x[0], [x[1, 0], 2.0]])),
    (lambda m, x: m.vstack([x, [x[0, 0], 3.0]])),
    (lambda m, x: m.concatenate([[x[0, 0], 1.0], [2.0]])),
    (lambda m, x: m.stack([[x[0, 0], x[0, 1]], [1.0, 2.0]])),
    (lambda m, x: m.dot([x[0], x[1]], x)),
    (lambda m, x: m.outer([x[0, 0], x[0, 1]], x)),
    (lambda m, x: m.einsum("ij,j", x, [x[0, 0], 1.0])),
    (lambda m, x: m.diff(x, prepend=[[x[0, 0]], [x[1, 1]]])),
    (lambda m, x: m.asarray([x[0], [1.0, 2.0]])),
]


@pytest.mark.parametrize("fun", LISTS_OF_TRACED)
def test_a_list_of_traced_numbers_is_an_array_like_any_other(fun: Any) -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    output, tangent = npnets.jvp(lambda a: fun(nnp, a), x, x)
    np.testing.assert_allclose(output, fun(np, x))
    assert output.dtype == tangent.dtype == np.float32
    more, less = (fun(np, x * np.float64(factor)) for factor in (1 + 1e-6, 1 - 1e-6))
    np.testing.assert_allclose(tangent, (more - less) / 2e-6, rtol=1e-5)


def test_the_error_for_a_list_of_traced_numbers_names_stack_which_makes_an_array_of_it() -> None:
    x = np.array([1.0, 2.0])
    with pytest.raises(TypeError, match=r"npnets\.numpy\.stack to make one of a list"):
        npnets.grad(lambda a: nnp.sum([a[0], a[1]]))(x)
    np.testing.assert_array_equal(npnets.grad(lambda a: nnp.sum(nnp.stack([a[0], a[1]])))(x), [1, 1])


def test_a_boolean_counts_as_a_number_of_repetitions_in_gradients_too() -> None:
    np.testing.assert_array_equal(npnets.grad(lambda a: nnp.sum(nnp.repeat(a, True)))(np.ones(2)), [1, 1])


@pytest.mark.parametrize("named", [{"min": 2.5}, {"max": 2.5}, {"min": 2.5, "max": 3}])
def test_clip_refuses_a_bound_under_both_of_its_names(named: Any) -> None:
    with pytest.raises(ValueError, match="or as min and max, not as both"):
        nnp.clip(np.ones(2), 0, 3, **named)


@pytest.mark.parametrize(
    "use", [lambda: nnp.where(True, None, 1), lambda: nnp.stack([None, 1.0])], ids=["where", "stack"]
)
def test_none_for_an_array_is_refused(use: Any) -> None:
    with pytest.raises(TypeError, match="expected arrays or numbers.* but got None"):
        use()
