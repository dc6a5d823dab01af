"""`fused` runs the pair of the processor that its arrays lie on, and its composition where there is no pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import NUMPY, assert_allclose, on_backend

import npnets
import npnets.numpy as nnp
from npnets.autodiff import Pair, fused

X = np.array([0.5, -2.0, 3.0])


def _tripled(x: Any) -> Any:
    return 3 * x


def _marked(factor: float) -> Pair:
    """A pair whose output and cotangent show that it was the one to run."""
    return Pair(lambda x: (factor * x, None), lambda g, residuals, argnums, x: (10 * factor * g,))


def _value_and_gradient(operation: Any) -> tuple[Any, Any]:
    x = on_backend(X)
    return operation(x), npnets.grad(lambda x: nnp.sum(operation(x)))(x)


def test_a_fused_operation_runs_the_pair_of_the_processor_that_its_arrays_lie_on(backend: str) -> None:
    factor = 4 if backend == NUMPY else 5
    value, gradient = _value_and_gradient(fused(_tripled, cpu=_marked(4), gpu=_marked(5)))
    assert_allclose(value, factor * X)
    assert_allclose(gradient, np.full(3, 10.0 * factor))


@pytest.mark.parametrize("given", ["cpu", "gpu", "none"])
def test_a_fused_operation_without_a_pair_for_its_processor_runs_its_composition(given: str, backend: str) -> None:
    value, gradient = _value_and_gradient(fused(_tripled, **({} if given == "none" else {given: _marked(4)})))
    has_pair = given == ("cpu" if backend == NUMPY else "gpu")
    assert_allclose(value, (4 if has_pair else 3) * X)
    assert_allclose(gradient, np.full(3, 40.0 if has_pair else 3.0))


def test_where_nothing_is_differentiated_a_fused_operation_runs_evaluate() -> None:
    pair = Pair(lambda x: (4 * x, None), lambda g, residuals, argnums, x: (g,), lambda x: 7 * x)
    operation = fused(_tripled, cpu=pair, gpu=pair)
    assert_allclose(operation(on_backend(X)), 7 * X)
    assert_allclose(npnets.value_and_grad(lambda x: nnp.sum(operation(x)))(on_backend(X))[0], 4 * X.sum())
