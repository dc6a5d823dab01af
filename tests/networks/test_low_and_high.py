"""Actions lie within `low` and `high` exactly, in every dtype, and rounding to a bound ends no derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from finite_differences import along, check_first_order
from hypothesis import assume, example, given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets.functional import squash

DTYPES = (np.float32, np.float64)
Z = np.array([-1e4, -20.0, -9.0, -8.3, -1.0, -1e-30, 0.0, 1e-3, 0.7, 3.0, 8.3, 9.0, 20.0, 1e4])


def _widened(low: float, steps: int, dtype: Any) -> tuple[float, float]:
    """Return an interval from a number of a dtype to the one some steps above."""
    high = low = dtype(low)
    for _ in range(steps):
        high = np.nextafter(high, dtype(np.inf))
    return float(low), float(high)


def _numbers_between(low: float, high: float, dtype: Any) -> bool:
    """Return whether a dtype has a number between two bounds."""
    with np.errstate(over="ignore"):
        near = np.array([low], dtype)
    candidates = np.concatenate([near, np.nextafter(near, dtype(np.inf))]).astype(np.float64)
    return bool((np.isfinite(candidates) & (candidates >= low) & (candidates <= high)).any())


numbers = st.floats(-1e300, 1e300) | st.floats(-1e3, 1e3) | st.floats(-1e-300, 1e-300)
wide = st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))
narrow = st.builds(_widened, st.floats(-(2.0**99), 2.0**99, width=32), st.integers(1, 5), st.sampled_from(DTYPES))
intervals = (wide | narrow).filter(lambda pair: pair[0] < pair[1])


@given(intervals, st.sampled_from(DTYPES))
@example((0.0, float(np.nextafter(np.float32(0), np.float32(1)))), np.float32)
@example((-1 - 2.0**-22, -1 + 2.0**-23), np.float32)
@example((-1.7e308, 1.7e308), np.float64)
@example((-3e38, 3e38), np.float32)
@example((-1e39, 1.0), np.float32)
@example((0.1, 0.3), np.float32)
@example((16777216.0, 16777218.0), np.float32)
@pytest.mark.numpy_alone("the next tests run on every backend")
def test_no_action_is_ever_outside_of_its_bounds(interval: tuple[float, float], dtype: Any) -> None:
    low, high = interval
    assume(_numbers_between(low, high, dtype))
    z = Z.astype(dtype)
    for action in (squash(z, low=low, high=high), squash(z[:, None], low=[low], high=[high])[:, 0]):
        assert action.dtype == dtype
        entries = action.astype(np.float64)
        assert (entries >= low).all() and (entries <= high).all()
        assert (np.diff(entries) >= 0).all()


@given(intervals)
@pytest.mark.numpy_alone("the next tests run on every backend")
def test_actions_are_those_of_the_formula_up_to_rounding(interval: tuple[float, float]) -> None:
    low, high = interval
    expected = (low / 2 + high / 2) + (high / 2 - low / 2) * np.tanh(Z)
    unit = np.spacing(max(abs(low), abs(high)))
    with np.errstate(over="ignore"):
        assert (np.abs(squash(Z, low=low, high=high) - expected) <= 2 * unit).all()


@pytest.mark.numpy_alone("lists and numbers are on no GPU")
def test_lists_and_numbers_are_squashed_into_low_and_high_as_with_max_action() -> None:
    np.testing.assert_array_equal(squash([[0.0, 30.0]], low=[0, 1], high=2), [[1, 2]])
    np.testing.assert_array_equal(squash([[0.0, 30.0]], 2.0), [[0, 2]])
    assert squash(0.0, low=0, high=1) == 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_action_that_saturates_is_a_bound_that_the_dtype_holds(dtype: Any) -> None:
    z = on_backend(np.array([[-30.0, -30.0], [30.0, 30.0]], dtype))
    assert_array_equal(squash(z, low=[0, -1], high=[1, 2]), dtype([[0, -1], [1, 2]]))


def test_equal_bounds_as_max_action_and_as_low_and_high_give_the_same_bits() -> None:
    z = on_backend(np.random.default_rng(0).normal(size=(99, 2)).astype(np.float32))
    for bound in (1.0, 0.3, (0.7, 2.5)):
        assert_array_equal(squash(z, low=np.negative(bound), high=bound), as_numpy(squash(z, bound)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bounds", [(100.0, 101.0), ([100.0, -5.0], [101.0, 4.0])], ids=["numbers", "arrays"])
def test_derivatives_do_not_vanish_where_rounding_touches_a_bound(bounds: Any, dtype: Any) -> None:
    low, high = bounds
    z = on_backend(np.full((1, 2), 7.9 if dtype is np.float32 else 17.0, dtype))
    t = np.tanh(as_numpy(z)[0, 0].astype(np.float64))
    assert 0 < 1 - t

    def total(z: Any) -> Any:
        return nnp.sum(squash(z, low=low, high=high))

    assert as_numpy(squash(z, low=low, high=high))[0, 0] == 101
    half = np.subtract(high, low) / 2
    slope = npnets.grad(total)(z)
    assert (as_numpy(slope) > 0).all()
    assert_allclose(slope, [half * (1 - t * t) * np.ones(2)], rtol=0.5)
    assert (as_numpy(npnets.grad(lambda z: nnp.sum(npnets.grad(total)(z)))(z)) < 0).all()


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-3.0, 700.0), ([0.0, -1.0], [1.0, 2.0])], ids=str)
def test_derivatives_of_the_first_two_orders_agree_with_finite_differences(bounds: Any) -> None:
    rng = np.random.default_rng(0)
    z = on_backend(rng.normal(size=(5, 2)))
    fun = lambda z: squash(z, low=bounds[0], high=bounds[1])  # noqa: E731
    check_first_order(fun, z, rng)
    v = on_backend(rng.normal(size=(5, 2)))
    gradient = npnets.grad(lambda z: nnp.sum(fun(z) ** 2))
    second = npnets.jvp(gradient, z, v)[1]
    assert_allclose(second, along(gradient, z, v, 1e-5), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("interval", [(1.0, 1.0 + 2.0**-52), (1e39, 2e39), (0.1, 0.1 + 1e-12)])
@pytest.mark.numpy_alone("the check is on numbers")
def test_bounds_between_which_a_dtype_has_no_number_are_an_error_or_give_the_only_one(interval: Any) -> None:
    low, high = interval
    if low == 1:
        assert_array_equal(squash(np.float32([-9, 9]), low=low, high=high), np.float32([1, 1]))
        return
    with pytest.raises(ValueError, match="no numbers of float32 lie between low"):
        squash(np.float32([-9, 9]), low=low, high=high)


# -- in networks ------------------------------------------------------------------------------------------------------

TRUNK = npnets.Net(3, hidden_sizes=(4,))
ENCODER, DECODER = npnets.MLP(5, hidden_sizes=(4,)), npnets.MLP(5, 2, hidden_sizes=(4,))
NETWORKS: dict[str, Callable[..., Any]] = {
    "Actor": lambda **bounds: npnets.Actor(TRUNK, 2, **bounds),
    "ActorProb": lambda **bounds: npnets.ActorProb(TRUNK, 2, **bounds),
    "ActorProb conditioned": lambda **bounds: npnets.ActorProb(TRUNK, 2, conditioned_sigma=True, **bounds),
    "RecurrentActorProb": lambda **bounds: npnets.RecurrentActorProb(1, 3, 2, hidden_layer_size=4, **bounds),
    "Perturbation": lambda **bounds: npnets.Perturbation(npnets.Net(5, 2), phi=10.0, **bounds),
    "VAE": lambda **bounds: npnets.VAE(ENCODER, DECODER, 4, 2, **bounds),
}
each_network = pytest.mark.parametrize("name", NETWORKS)


def _action(net: Any, dtype: Any = np.float32, scale: float = 1000.0) -> Any:
    params = npnets.tree.map(lambda leaf: leaf * dtype(scale), net.init(np.random.default_rng(0), dtype))
    obs, act = on_backend((np.random.default_rng(1).normal(size=(64, 3)), np.full((64, 2), 0.2)))
    args = (obs, act) if isinstance(net, (npnets.Perturbation, npnets.VAE)) else (obs,)
    noise = {"noise": np.random.default_rng(2).normal(size=(64, 2))} if isinstance(net, npnets.VAE) else {}
    output = net.forward(on_backend(params), *args, **on_backend(noise))
    while isinstance(output, tuple):
        output = output[0]
    return output


@each_network
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bounds", [(0.1, 0.3), ([0.1, -7.0], [0.7, 0.2]), (-1.0, [0.1, 1e6])], ids=str)
def test_no_network_leaves_low_and_high_by_a_rounding(name: str, dtype: Any, bounds: Any) -> None:
    low, high = bounds
    action = as_numpy(_action(NETWORKS[name](low=low, high=high), dtype)).astype(np.float64)
    assert (action >= low).all() and (action <= high).all()
    width = np.subtract(high, low) * np.ones(2)
    assert (np.ptp(action, 0) > 0.9 * width).any()


@each_network
def test_networks_of_equal_bounds_as_max_action_and_as_low_and_high_give_the_same_bits(name: str) -> None:
    one, two = (NETWORKS[name](max_action=(0.3, 2.0)), NETWORKS[name](low=[-0.3, -2.0], high=[0.3, 2.0]))
    assert one != two
    assert_array_equal(_action(one, scale=2.0), as_numpy(_action(two, scale=2.0)))


def test_a_perturbation_moves_actions_by_a_fraction_of_half_the_width_and_clips_them() -> None:
    low, high = np.array([0.0, -1.0]), np.array([1.0, 5.0])
    net = npnets.Perturbation(npnets.Net(5, 2), phi=0.1, low=low, high=high)
    params = on_backend(net.init(np.random.default_rng(0), np.float64))
    obs, act = on_backend(
        (np.random.default_rng(1).normal(size=(9, 3)), np.random.default_rng(2).uniform(-1, 5, (9, 2)))
    )
    found = net.forward(params, obs, act)
    z, _ = net.preprocess_net.forward(params["preprocess"], nnp.concatenate([obs, act], 1))
    change = 0.1 * (high - low) / 2 * np.tanh(as_numpy(z))
    assert_allclose(found, np.clip(as_numpy(act) + change, low, high), rtol=1e-12)


@each_network
@pytest.mark.numpy_alone("about descriptions")
def test_low_and_high_stay_as_plain_numbers_that_print_as_the_call_and_compare(name: str) -> None:
    net = NETWORKS[name](low=np.float32([0, -1]), high=[2, np.float64(2)])
    assert (net.max_action, net.low, net.high) == (None, (0.0, -1.0), 2.0)
    assert repr(net).endswith("low=(0.0, -1.0), high=2.0)") and "max_action" not in repr(net)
    assert eval(repr(net), vars(npnets)) == net == NETWORKS[name](low=(0.0, -1.0), high=np.array(2.0))
    assert net != NETWORKS[name](low=(0.0, -1.0), high=3.0)


class _WithoutWidth:
    """A decoder of one's own, whose `output_dim` is not known."""

    def init(self, rng: np.random.Generator) -> Any:
        return {"weight": rng.normal(size=(5, 1)).astype("f")}

    def forward(self, params: Any, x: Any) -> Any:
        return nnp.matmul(x, params["weight"])


@pytest.mark.parametrize("bounds", [{"max_action": (1, 2, 3)}, {"low": (-1, -2, -3), "high": 4}], ids=str)
def test_bounds_of_other_entries_than_the_decoder_returns_are_an_error_and_are_not_broadcast(bounds: Any) -> None:
    vae = npnets.VAE(npnets.MLP(4, 4), _WithoutWidth(), 4, 2, **bounds)
    params = on_backend(vae.init(np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"must have an entry for each of an action, \(1,\), but has shape \(3,\)"):
        vae.decode(params, on_backend(np.ones((2, 3))), on_backend(np.zeros((2, 2))))
    with pytest.raises(ValueError, match=r"must (have an entry|be one number, or one) for each"):
        squash(on_backend(np.ones((2, 1), np.float32)), **bounds)
