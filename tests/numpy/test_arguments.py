"""Functions take integers, booleans, lists and generators as NumPy's do, and refuse what contradicts itself."""

import math
from typing import Any

import numpy as onp
import pytest

import npnets.numpy as np

pytestmark = pytest.mark.numpy_alone("is about arguments that are no arrays, or NumPy's own")


@pytest.mark.parametrize("dtype", [bool, onp.int8, onp.int64, onp.uint8])
def test_erf_of_integers_and_booleans_is_float64(dtype: Any) -> None:
    answer = np.erf(onp.array([0, 1], dtype))
    assert answer.dtype == onp.float64
    onp.testing.assert_allclose(answer, [0, math.erf(1)], rtol=1e-14)


def test_erf_of_one_of_numpys_integers_is_no_integer() -> None:
    assert float(np.erf(onp.int64(1))) == pytest.approx(math.erf(1), rel=1e-14)


def test_norm_of_integers_is_that_of_the_same_numbers_in_float64() -> None:
    assert np.linalg.norm([3, 4]) == 5.0
    assert np.linalg.norm(onp.array([100, 100], onp.int8)) == pytest.approx(100 * 2**0.5)


def test_squeeze_takes_a_list() -> None:
    assert np.squeeze([[1.0]]).shape == ()


def test_stack_takes_a_generator() -> None:
    onp.testing.assert_array_equal(np.stack(onp.full(2, i) for i in range(3)), [[0, 0], [1, 1], [2, 2]])


@pytest.mark.parametrize("named", [{"min": 2.5}, {"max": 2.5}, {"min": 2.5, "max": 3}])
def test_clip_refuses_a_bound_under_both_of_its_names(named: Any) -> None:
    with pytest.raises(ValueError, match="or as min and max, not as both"):
        np.clip(onp.ones(2), 0, 3, **named)


@pytest.mark.parametrize(
    "use", [lambda: np.where(True, None, 1), lambda: np.stack([None, 1.0])], ids=["where", "stack"]
)
def test_none_for_an_array_is_refused(use: Any) -> None:
    with pytest.raises(TypeError, match="expected arrays or numbers to .* but got None"):
        use()
