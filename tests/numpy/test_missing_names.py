"""A name that is not there, in the module or on a traced array, says the nearest ones that are."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import npnets
import npnets.numpy as nnp
from npnets.public import MissingNameError

pytestmark = pytest.mark.numpy_alone("is about names")


def _message(name: str, of: Any = nnp) -> str:
    with pytest.raises(AttributeError) as caught:
        getattr(of, name)
    return str(caught.value)


def _of_traced(name: str) -> str:
    messages = []

    def loss(a: Any) -> Any:
        messages.append(_message(name, a))
        return nnp.sum(a)

    npnets.grad(loss)(np.ones(2))
    return messages[0]


def test_a_misspelt_function_is_followed_by_the_nearest() -> None:
    assert _message("cumsumm") == "npnets.numpy has no 'cumsumm'; the nearest names are cumsum and sum"
    assert _message("takealongaxis") == "npnets.numpy has no 'takealongaxis'; the nearest name is take_along_axis"
    assert _message("nrom", nnp.linalg) == "npnets.numpy.linalg has no 'nrom'; the nearest name is norm"


def test_a_function_that_only_numpy_has_says_how_to_do_without() -> None:
    words = "npnets.numpy has no 'median'; write it with the functions here, or take numpy.median of constants, as of"
    assert _message("median").startswith(f"{words} npnets.stop_gradient(x)")
    assert _message("concat").endswith("the nearest name is concatenate")


def test_what_has_no_derivative_is_taken_from_numpy_and_a_norm_from_linalg() -> None:
    for name in ("random", "int32", "e"):
        assert _message(name).startswith(f"npnets.numpy has no '{name}'; use numpy.{name}")
        assert hasattr(np, name)
    assert _message("norm") == "npnets.numpy has no 'norm'; use npnets.numpy.linalg.norm"


def test_a_name_like_no_other_is_said_to_be_missing() -> None:
    assert _message("qqqqqq") == "npnets.numpy has no 'qqqqqq'"


def test_a_traced_array_says_the_nearest_attribute_and_the_function_of_that_name() -> None:
    start = "an array that is being differentiated has no"
    assert _of_traced("cumsumm").startswith(f"{start} 'cumsumm'; the nearest names are cumsum")
    assert _of_traced("sort").startswith(f"{start} 'sort'; use npnets.numpy.sort(x)")
    assert _of_traced("einsum").startswith(f"{start} 'einsum'; use npnets.numpy.einsum(x)")
    assert _of_traced("pi") == f"{start} 'pi'"
    assert _of_traced("__frobnicate__") == "'Traced' object has no attribute '__frobnicate__'"


def test_the_error_is_one_of_attributes_that_can_be_copied_and_sent() -> None:
    error = MissingNameError("x", "summ", ("sum",), "write it out")
    assert str(error) == "x has no 'summ'; write it out; the nearest name is sum"
    for same in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert str(same) == str(error)
    assert not hasattr(nnp, "frobnicate") and getattr(nnp, "frobnicate", 3) == 3


def test_every_method_of_numpys_arrays_is_there_or_says_what_to_do_instead() -> None:
    public = [name for name in dir(np.ndarray) if not name.startswith("_")]

    def loss(a: Any) -> Any:
        absent = {name for name in public if not hasattr(a, name)}
        assert absent.isdisjoint("sum prod cumsum cumprod dot repeat argsort mean std var max min clip reshape".split())
        assert all("an array that is being differentiated has no" in _message(name, a) for name in absent)
        return nnp.sum(a)

    npnets.grad(loss)(np.ones(2))
