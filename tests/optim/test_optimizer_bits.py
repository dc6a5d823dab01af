"""Each optimizer computes what `golden/optimizer_steps.py` writes down, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import bits
from golden import optimizer_steps as steps
from hypothesis import given
from hypothesis import strategies as st

from npnets import optim, tree

pytestmark = pytest.mark.numpy_alone("about NumPy's roundings: a kernel on a GPU has its own")

_RATES = st.sampled_from([1e-3, 0.1, 3e-4, 1.0, 0.7])
_DECAY_RATES = st.sampled_from([0.0, 0.9, 0.999, 0.3, 0.5])
_DECAYS = st.sampled_from([0.0, 0.01, 0.3])
_EPS = st.sampled_from([1e-8, 1e-3, 0.0])
Case = tuple[optim.Optimizer, Callable[[Any, Any, Any, int], Any]]


@st.composite
def _sgd(draw: st.DrawFn) -> Case:
    rate, momentum, decay = draw(_RATES), draw(_DECAY_RATES), draw(_DECAYS)
    nesterov = bool(momentum) and draw(st.booleans())
    step = lambda p, g, s, n: steps.sgd(p, g, s, rate, momentum, decay, nesterov)  # noqa: E731
    return optim.sgd(rate, momentum, decay, nesterov), step


@st.composite
def _rmsprop(draw: st.DrawFn) -> Case:
    rate, alpha, eps = draw(_RATES), draw(_DECAY_RATES), draw(_EPS)
    decay, momentum = draw(_DECAYS), draw(_DECAY_RATES)
    step = lambda p, g, s, n: steps.rmsprop(p, g, s, rate, alpha, eps, decay, momentum)  # noqa: E731
    return optim.rmsprop(rate, alpha, eps, decay, momentum), step


@st.composite
def _adam(draw: st.DrawFn) -> Case:
    rate, betas, eps, decay = draw(_RATES), (draw(_DECAY_RATES), draw(_DECAY_RATES)), draw(_EPS), draw(_DECAYS)
    decoupled = draw(st.booleans())
    split = (0.0, decay) if decoupled else (decay, 0.0)
    step = lambda p, g, s, n: steps.adam(p, g, s, rate, betas, eps, *split, n)  # noqa: E731
    return (optim.adamw if decoupled else optim.adam)(rate, betas, eps, decay), step


def _drawn(rng: np.random.Generator, dtype: str) -> Any:
    shapes: dict[str, tuple[int, ...]] = {"bias": (3,), "weight": (5, 3), "large": (150, 200), "scalar": ()}
    leaves = {name: np.asarray(rng.normal(size=shape) * rng.choice([1e-3, 1.0])) for name, shape in shapes.items()}
    leaves["bias"][0] = 0.0
    return {"last": {"linear_0": tree.map(lambda leaf: leaf.astype(dtype), leaves)}}


@given(case=st.one_of(_sgd(), _rmsprop(), _adam()), seed=st.integers(0, 99), dtype=st.sampled_from(["f4", "f8"]))
def test_three_updates_are_the_golden_steps_bit_for_bit(case: Case, seed: int, dtype: str) -> None:
    optimizer, step = case
    rng = np.random.default_rng(seed)
    params = _drawn(rng, dtype)
    state, expected = optimizer.init(params), tree.leaves(params)
    residuals: list[Any] = [(np.zeros_like(leaf), np.zeros_like(leaf)) for leaf in expected]
    for number in (1, 2, 3):
        grads = _drawn(rng, dtype)
        params, state = optimizer.update(params, grads, state)
        stepped = [step(p, g, r, number) for p, g, r in zip(expected, tree.leaves(grads), residuals, strict=True)]
        expected, residuals = [p for p, _ in stepped], [r for _, r in stepped]
        assert bits(params) == [np.asarray(leaf, dtype).tobytes() for leaf in expected]
        for kept, place in zip([part for part in state[1:] if part is not None], range(2), strict=False):
            assert bits(kept) == [np.asarray(r[place], dtype).tobytes() for r in residuals]
        assert state.step == number
