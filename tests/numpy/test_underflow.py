"""Underflow inside of an operation is no error, whatever `numpy.seterr` says; overflow and invalid operations are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import assert_allclose, on_backend

import npnets
import npnets.numpy as nnp
from npnets import optim
from npnets.distributions import Gaussian, SquashedGaussian

Z = np.array([[-100.0, -90.0, -20.0], [0.0, 5.0, 100.0]], np.float32)
TINY = np.full((2, 3), 1e-30, np.float32)


def _recurrent(x: Any) -> Any:
    net = npnets.RecurrentActorProb(1, 3, 2, hidden_layer_size=4)
    params = on_backend(npnets.tree.map(lambda leaf: leaf * 100, net.init(np.random.default_rng(0))))
    return net.forward(params, x)[0][0]


def _critic(x: Any) -> Any:
    net = npnets.Net(3, 1, (8, 8), activation="silu")
    return net.forward(on_backend(net.init(np.random.default_rng(0))), x)[0]


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(npnets.functional, name) for name in ("silu", "sigmoid", "softplus", "elu", "gelu", "tanh")},
    **{f"{name} fused": npnets.functional.resolve_activation(name) for name in ("silu", "softplus", "elu", "gelu")},
    "softmax": nnp.softmax,
    "logsumexp": lambda x: nnp.logsumexp(x, axis=1),
    "norm": lambda x: nnp.linalg.norm(x, axis=1),
    "arctan2": lambda x: nnp.arctan2(x, 1e-28),
    "an LSTM": _recurrent,
    "a critic": _critic,
    "a density": lambda x: Gaussian(x, x * 0 + 1).log_prob(on_backend(Z)),
    "a squashed density": lambda x: SquashedGaussian(x, x * 0 + 1, -1, 1).sample_and_log_prob(noise=on_backend(Z * 0))[
        1
    ],
}


@pytest.mark.parametrize("fun", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("x", [Z, TINY], ids=["saturated", "tiny"])
def test_values_and_derivatives_of_every_order_raise_for_no_underflow(fun: Callable[[Any], Any], x: Any) -> None:
    x, loss = on_backend(x), lambda a: nnp.sum(fun(a))
    with np.errstate(all="ignore"):
        value, pullback = npnets.vjp(fun, x)
        tiny = on_backend(np.full(value.shape, 1e-30, np.float32))
        expected = value, pullback(tiny), npnets.hvp(loss)(x, x)
    with np.errstate(all="raise"):
        plain, (value, pullback) = fun(x), npnets.vjp(fun, x)
        found = value, pullback(tiny), npnets.hvp(loss)(x, x)
    for came, exact in zip((plain, *found), (expected[0], *expected), strict=True):
        assert_allclose(came, npnets.tree.to_numpy(exact))


@pytest.mark.parametrize("make", [optim.sgd, optim.rmsprop, optim.adam, optim.adamw])
def test_optimizers_raise_for_no_underflow(make: Any) -> None:
    optimizer, params = make(0.1), on_backend({"w": np.full(3, 1e-30, np.float32)})
    with np.errstate(all="raise"):
        state = optimizer.init(params)
        for _ in range(2):
            new, state = optimizer.update(params=params, grads=params, state=state)
        optim.soft_update(target=params, source=new, tau=1e-10)
        optim.clip_by_global_norm(params, 1e-20)
    with np.errstate(all="ignore"):
        expected, state = optimizer.update(params=params, grads=params, state=optimizer.init(params))
        expected, _ = optimizer.update(params=params, grads=params, state=state)
    assert_allclose(new["w"], npnets.tree.to_numpy(expected["w"]))


@pytest.mark.numpy_alone("CuPy raises no floating-point errors")
def test_overflow_and_division_by_zero_stay_errors_where_a_user_asked_for_them() -> None:
    large = np.full(3, 1e30, np.float32)
    with np.errstate(all="raise"):
        with pytest.raises(FloatingPointError, match="overflow"):
            npnets.grad(lambda x: nnp.sum(npnets.functional.silu(x * 1e30)))(large)
        with pytest.raises(FloatingPointError, match="divide"):
            npnets.grad(lambda x: nnp.sum(nnp.log(x * 0)))(large)
        optimizer = optim.adam()
        with pytest.raises(FloatingPointError, match="overflow"):
            optimizer.update(params={"w": large}, grads={"w": large}, state=optimizer.init({"w": large}))
