"""What a caller changes in place changes no derivative, or is refused: outputs, inputs, constants, stopped arrays."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, device, on_backend

import npnets
import npnets.numpy as nnp
from npnets.distributions import Categorical, Gaussian

X = np.array([[0.5, -1.5, 0.75], [1.0, 0.25, -0.5]])
NET = npnets.Net(3, 2, (5,), activation="tanh")
RECURRENT = npnets.RecurrentActorProb(2, 3, 1, hidden_layer_size=4)


def _params(net: Any) -> Any:
    return on_backend(net.init(np.random.default_rng(0), np.float64))


OUTPUTS: dict[str, Callable[[Any], Any]] = {
    "tanh": nnp.tanh,
    "exp": nnp.exp,
    "the input itself": lambda x: x,
    "a view of it": lambda x: nnp.reshape(x, (3, 2)),
    "a part of it": lambda x: x[0],
    "a product": lambda x: x * x,
    "a maximum": lambda x: nnp.max(x, axis=0),
    "softmax": nnp.softmax,
    "relu": npnets.functional.relu,
    "several that share memory": lambda x: {"a": x, "b": [nnp.transpose(x), nnp.tanh(x)]},
    "a network": lambda x: NET.forward(_params(NET), x)[0],
}


@pytest.mark.parametrize("fun", OUTPUTS.values(), ids=OUTPUTS)
def test_a_pullback_depends_neither_on_what_becomes_of_its_value_nor_of_its_input(fun: Callable[[Any], Any]) -> None:
    x = on_backend(X.copy())
    value, pullback = npnets.vjp(fun, x)
    cotangent = npnets.tree.map(np.ones_like, value)
    before = bits(pullback(cotangent))
    for leaf in npnets.tree.leaves(value):
        leaf *= -3
    assert_array_equal(x, X)
    x *= 0
    assert bits(pullback(cotangent)) == before


@pytest.mark.parametrize("fun", OUTPUTS.values(), ids=OUTPUTS)
def test_the_value_of_jvp_belongs_to_the_caller(fun: Callable[[Any], Any]) -> None:
    x = on_backend(X.copy())
    value, tangent = npnets.jvp(fun, x, on_backend(np.ones_like(X)))
    before = bits(tangent)
    for leaf in npnets.tree.leaves(value):
        leaf *= -3
    assert_array_equal(x, X)
    assert bits(tangent) == before


def test_the_value_of_a_loss_that_is_its_own_parameter_belongs_to_the_caller() -> None:
    alpha = on_backend(np.array(2.0))
    value, _ = npnets.value_and_grad(lambda a: a)(alpha)
    value *= 0
    assert_array_equal(alpha, 2.0)


# -- constants that a loss refills ------------------------------------------------------------------------------------


def _refilled(use: Callable[[Any, Any], Any], like: Any) -> Callable[[Any], Any]:
    """A loss that fills one buffer again and again, and uses it each time."""

    def loss(w: Any) -> Any:
        buffer = on_backend(np.zeros_like(like))
        total = 0.0
        for step in range(1, 4):
            buffer[...] = step
            total = total + nnp.sum(use(w, buffer))
        return total

    return loss


def _fresh(use: Callable[[Any, Any], Any], like: Any) -> Callable[[Any], Any]:
    """The same loss with an array of its own for each step."""
    steps = [on_backend(np.full_like(like, step)) for step in range(1, 4)]
    return lambda w: sum((nnp.sum(use(w, buffer)) for buffer in steps), 0.0)


CONSTANTS: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "a factor": (lambda w, b: w * b, X),
    "a factor from the left": (lambda w, b: b * w, X),
    "a divisor": (lambda w, b: w / b, X),
    "what is divided": (lambda w, b: b / w, X),
    "an exponent": (lambda w, b: nnp.exp(w) ** b, X),
    "a base": (lambda w, b: b**w, X),
    "a bound": (lambda w, b: nnp.maximum(w, b / 3 - 0.5), X),
    "the other of two": (lambda w, b: nnp.minimum(w, b), X),
    "bounds of clip": (lambda w, b: nnp.clip(w * b, -b, b) * w, X),
    "a matrix": (lambda w, b: w @ b, X.T),
    "a vector": (lambda w, b: w @ b, X[0]),
    "a condition": (lambda w, b: nnp.where(b > 1, w * w, w), X),
    "a joined part": (lambda w, b: nnp.concatenate([w, b]) ** 2, X),
    "a stacked part": (lambda w, b: nnp.stack([w, b]) ** 2 * w, X),
    "a summand": (lambda w, b: (w + b - (b - w)) ** 2, X),
    "observations": (lambda w, b: NET.forward(_scaled(w), b)[0] ** 2, X),
    "observations of a sequence": (
        lambda w, b: RECURRENT.forward(_scaled_recurrent(w), b)[0][0] ** 2,
        np.ones((2, 4, 3)),
    ),
    "actions that are scored": (lambda w, b: Gaussian(w, on_backend(np.ones_like(X))).log_prob(b), X),
    "noise": (lambda w, b: Gaussian(w * w, nnp.exp(w)).sample(noise=b) ** 2, X),
}


def _masked_in_place(x: Any, index: Any) -> Any:
    """A distribution whose mask is refilled once it is made."""
    mask = index[:, None] == on_backend(np.arange(3))
    allowed = ~mask
    policy = Categorical(x, allowed)
    allowed[...] = True
    return policy


def _scaled(w: Any) -> Any:
    return npnets.tree.map(lambda leaf: leaf * w[0, 0], _params(NET))


def _scaled_recurrent(w: Any) -> Any:
    return npnets.tree.map(lambda leaf: leaf * w[0, 0], _params(RECURRENT))


@pytest.mark.parametrize(("use", "like"), CONSTANTS.values(), ids=CONSTANTS)
def test_a_buffer_that_a_loss_refills_counts_with_what_was_in_it(use: Callable[[Any, Any], Any], like: Any) -> None:
    w = on_backend(X + 2.0)
    expected_value, expected = npnets.value_and_grad(_fresh(use, like))(w)
    value, gradient = npnets.value_and_grad(_refilled(use, like))(w)
    assert_allclose(value, expected_value, rtol=1e-12)
    assert_allclose(gradient, expected, rtol=1e-12)
    directions = npnets.hvp(_refilled(use, like))(w, w), npnets.hvp(_fresh(use, like))(w, w)
    assert_allclose(*directions, rtol=1e-12, atol=1e-12)


def test_the_smallest_example_of_a_refilled_buffer_is_right() -> None:
    gradient = npnets.grad(_refilled(lambda w, b: w * b, np.zeros(2)))(on_backend(np.ones(2)))
    assert_array_equal(gradient, [6, 6])


@pytest.mark.parametrize(
    "use",
    [
        lambda x, index: x[index] ** 2,
        lambda x, index: x[index, 0] ** 2,
        lambda x, index: x[index == 1] ** 2,
        lambda x, index: Categorical(x).log_prob(index) ** 2,
        lambda x, index: _masked_in_place(x, index).entropy(),
    ],
)
def test_an_index_or_a_mask_that_a_loss_refills_counts_with_what_was_in_it(use: Callable[[Any, Any], Any]) -> None:
    def loss(x: Any) -> Any:
        index, total = on_backend(np.zeros(2, int)), 0.0
        for step in (0, 1):
            index[...] = step
            total = total + nnp.sum(use(x, index))
        return total

    def fresh(x: Any) -> Any:
        return sum((nnp.sum(use(x, on_backend(np.full(2, step)))) for step in (0, 1)), 0.0)

    x = on_backend(X)
    assert_array_equal(npnets.grad(loss)(x), as_numpy(npnets.grad(fresh)(x)))


def test_a_list_of_positions_may_be_changed_after_it_was_used() -> None:
    def loss(x: Any) -> Any:
        rows = [0, 0]
        first = x[rows]
        rows[:] = [1, 1]
        return nnp.sum(first)

    assert_array_equal(npnets.grad(loss)(on_backend(X)), [[2, 2, 2], [0, 0, 0]])


@pytest.mark.numpy_alone("CuPy has no read-only arrays")
def test_a_read_only_constant_is_not_copied() -> None:
    constant = np.ones((256, 256))
    constant.flags.writeable = False
    seen = []

    def vjp(argnum: int, g: Any, output: Any, args: Any) -> Any:
        seen.append(args[1])
        return g

    operation = npnets.autodiff.primitive(vjp, None)(lambda x, y: x * 1)
    npnets.grad(lambda x: nnp.sum(operation(x, constant)))(X)
    assert seen[0] is constant


# -- what stop_gradient returns ---------------------------------------------------------------------------------------


@pytest.mark.numpy_alone("CuPy has no read-only arrays: the next test is about that")
@pytest.mark.parametrize("inside", [True, False])
def test_a_stopped_array_is_read_only_and_may_be_copied(inside: bool) -> None:
    def loss(q: Any) -> Any:
        stopped = npnets.stop_gradient(q)
        with pytest.raises(ValueError, match="read-only"):
            stopped *= 0.5
        changed = stopped.copy()
        changed *= 0.5
        return nnp.sum(q * changed)

    x = X.copy()
    assert_allclose(npnets.grad(loss)(x) if inside else 0.5 * X, 0.5 * X)
    if not inside:
        loss(x)
    assert_array_equal(x, X)
    x *= 2  # the caller's own array stays the caller's
    assert_array_equal(npnets.stop_gradient(x), 2 * X)


def test_a_stopped_array_shares_no_memory_that_can_be_changed() -> None:
    def loss(q: Any) -> Any:
        square = q * q
        stopped = npnets.stop_gradient(square)
        if device() != "cpu":
            stopped *= 0
        return nnp.sum(square * square)

    assert_allclose(npnets.grad(loss)(on_backend(X)), 4 * X**3)


class Wrapped:
    """An object that NumPy takes for an array, over memory that somebody else refills."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self._array)


@pytest.mark.numpy_alone("CuPy takes no buffers of the host")
@pytest.mark.parametrize("hand_over", [lambda b: b, memoryview, Wrapped, lambda b: b.tolist()])
def test_constants_that_are_no_arrays_count_with_what_was_in_them_when_they_were_used(hand_over: Any) -> None:
    def loss(w: Any) -> Any:
        buffer, index, choice, axes = array.array("d", [1, 2]), array.array("q", [0, 1]), [True, False], [1, 0]
        total = nnp.sum(w * hand_over(buffer)) + nnp.sum(w[index]) + nnp.sum(nnp.where(choice, w, 0))
        bound = np.array(0)
        total = total + nnp.sum(w[bound:1])
        turned = nnp.transpose(nnp.stack([w, 2 * w]), axes) * np.array([[1.0, 10.0], [100.0, 1000.0]])
        buffer[0], index[0], choice[0], axes[:], bound[...] = 100.0, 1, False, [0, 1], 1
        return total + nnp.sum(turned)

    # by hand: buffer [1, 2], index [1, 1], choice [1, 0], slice [1, 0], and w0 (1 + 2 * 10), w1 (100 + 2 * 1000)
    assert_array_equal(npnets.grad(loss)(np.ones(2)), [1 + 1 + 1 + 1 + 21, 2 + 1 + 0 + 0 + 2100])


def test_noise_that_is_refilled_counts_with_what_was_in_it_where_an_encoder_is_frozen() -> None:
    vae = npnets.VAE(npnets.MLP(5, 4), npnets.MLP(5, 2), 4, 2, 1.0)
    params, state, action = _params(vae), *on_backend((X, X[:, :2]))
    for trained in (["log_std"], ["mean", "log_std", "decoder"]):
        noise = on_backend(X[:, 1:].copy())
        value, pullback = npnets.vjp(
            lambda some, noise=noise: vae.forward({**params, **some}, state, action, noise=noise)[0],
            {name: params[name] for name in trained},
        )
        before = bits(pullback(np.ones_like(value)))
        noise *= 0
        assert bits(pullback(np.ones_like(value))) == before
