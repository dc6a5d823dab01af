"""Formulas without cancellation, overflow or lost rounding: held against mpmath, float64, and bounds themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from hypothesis import given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets import optim
from npnets.distributions import Gaussian, SquashedGaussian
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import Activation

F32 = np.float32
Z = np.concatenate([np.linspace(-30, 30, 241), [-0.0, 1e-6, -1e-6]])

# -- activations in their tails ---------------------------------------------------------------------------------------


def _cdf_by_tanh(z: Any) -> Any:
    return 1 / (1 + mpmath.exp(-mpmath.sqrt(8 / mpmath.pi) * z * (1 + mpmath.mpf("0.044715") * z * z)))


def _slope_by_tanh(z: Any) -> Any:
    slope = mpmath.sqrt(8 / mpmath.pi) * (1 + 3 * mpmath.mpf("0.044715") * z * z)
    return z * _cdf_by_tanh(z) * _cdf_by_tanh(-z) * slope


EXACT: dict[tuple[Any, ...], tuple[Callable[[Any], Any], Callable[[Any], list[Any]]]] = {
    ("gelu", "none"): (lambda z: z * mpmath.ncdf(z), lambda z: [mpmath.ncdf(z), z * mpmath.npdf(z)]),
    ("gelu", "tanh"): (lambda z: z * _cdf_by_tanh(z), lambda z: [_cdf_by_tanh(z), _slope_by_tanh(z)]),
    ("elu", 1.0): (lambda z: z if z > 0 else mpmath.expm1(z), lambda z: [mpmath.mpf(1) if z > 0 else mpmath.exp(z)]),
    ("elu", 0.3): (
        lambda z: z if z > 0 else mpmath.mpf(0.3) * mpmath.expm1(z),
        lambda z: [mpmath.mpf(1) if z > 0 else mpmath.mpf(0.3) * mpmath.exp(z)],
    ),
}
"""Each activation's value, and what its slope is the sum of."""


def _units_off(found: Any, exact: Any, terms: Any) -> float:
    """How far a number is off, in units in the last place of the largest term; the subnormal numbers count as one."""
    largest = found.dtype.type(max(abs(float(term)) for term in terms))
    unit = max(float(np.spacing(largest)), 300 * float(np.finfo(found.dtype).smallest_subnormal))
    return float(abs(mpmath.mpf(float(found)) - exact) / unit)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT, ids=lambda name: f"{name[0]} {name[1]}")
def test_gelu_and_elu_and_their_slopes_are_exact_to_a_few_units_in_the_last_place(
    name: tuple[Any, ...], dtype: Any
) -> None:
    z, (value_of, terms_of) = Z.astype(dtype), EXACT[name]
    plain = FORMULAS[name[0]].composition
    for fun in (Activation(name[0], name[1:]), lambda z: plain(z, *name[1:])):
        value, pullback = npnets.vjp(fun, on_backend(z))
        slope = as_numpy(pullback(on_backend(np.ones_like(z))))
        with mpmath.workdps(60):
            for entry, v, s in zip(map(mpmath.mpf, z.tolist()), as_numpy(value), slope, strict=True):
                assert _units_off(v, value_of(entry), [value_of(entry)]) <= 8, entry
                assert _units_off(s, sum(terms_of(entry)), terms_of(entry)) <= 8, entry


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_is_the_input_or_zero_with_their_slopes_at_the_largest_numbers(dtype: Any, approximate: str) -> None:
    z = on_backend(np.array([-3e38, -1e20, -100.0, 100.0, 1e20, 3e38], dtype))
    with np.errstate(all="raise"):
        value, pullback = npnets.vjp(Activation("gelu", (approximate,)), z)
        assert_array_equal(value, as_numpy(z) * [0, 0, 0, 1, 1, 1])
        assert_array_equal(pullback(np.ones_like(z)), [0, 0, 0, 1, 1, 1])


# -- bounds -----------------------------------------------------------------------------------------------------------

bounds = st.floats(1e-6, 1e6)


@given(bounds, st.sampled_from([np.float32, np.float64]))
@pytest.mark.numpy_alone("the next test runs on every backend")
def test_squash_holds_every_bound_exactly_and_comes_next_to_it(bound: float, dtype: Any) -> None:
    z = np.array([-1e4, 1e4, 0.3], dtype)
    for squashed in (npnets.functional.squash(z, bound), npnets.functional.squash(z, (bound, bound, 1.0))):
        assert squashed.dtype == dtype
        largest = float(np.abs(squashed[:2]).max())
        assert largest <= bound
        assert float(np.nextafter(dtype(largest), dtype(np.inf))) >= bound


NETWORKS: dict[str, Callable[[Any], Any]] = {
    "Actor": lambda bound: npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2, max_action=bound),
    "ActorProb": lambda bound: npnets.ActorProb(npnets.Net(3, hidden_sizes=(4,)), 2, max_action=bound),
    "RecurrentActorProb": lambda bound: npnets.RecurrentActorProb(1, 3, 2, max_action=bound, hidden_layer_size=4),
    "Perturbation": lambda bound: npnets.Perturbation(npnets.Net(5, 2), bound, phi=10.0),
    "VAE": lambda bound: npnets.VAE(npnets.MLP(5, hidden_sizes=(4,)), npnets.MLP(5, 2, hidden_sizes=(4,)), 4, 2, bound),
}


@pytest.mark.parametrize("bound", [0.1, 0.3, (0.1, 0.7)])
@pytest.mark.parametrize("name", NETWORKS)
def test_no_network_leaves_its_bounds_by_a_rounding(name: str, bound: Any) -> None:
    net = NETWORKS[name](bound)
    params = npnets.tree.map(lambda leaf: leaf * 1000, net.init(np.random.default_rng(0)))
    obs, act = on_backend((np.random.default_rng(1).normal(size=(64, 3)) * 9, np.ones((64, 2))))
    args = {"Perturbation": (obs, act), "VAE": (obs, act)}.get(name, (obs,))
    noise = {"noise": on_backend(np.zeros((64, 2)))} if name == "VAE" else {}
    action = net.forward(on_backend(params), *args, **noise)
    while isinstance(action, tuple):
        action = action[0]
    action = as_numpy(action)
    assert action.dtype == F32
    assert (np.abs(action.astype(np.float64)) <= np.asarray(bound)).all()
    assert np.abs(action).max() > 0.999 * np.max(bound)


def test_an_interval_wider_than_the_largest_number_gives_finite_densities_and_right_gradients() -> None:
    low, high = -3e38, 3e38
    mu = np.array([[0.3, -1.0, 2.0]])
    x = np.array([[2.5e38, -2.9e38, 0.0]])

    def log_prob(dtype: Any) -> Any:
        return lambda m: nnp.sum(
            SquashedGaussian(m, on_backend(np.ones_like(mu, dtype)), low, high).log_prob(on_backend(x.astype(dtype)))
        )

    found = npnets.value_and_grad(log_prob(F32))(on_backend(mu.astype(F32)))
    exact = npnets.value_and_grad(log_prob(np.float64))(on_backend(mu))
    assert_allclose(found[0], as_numpy(exact[0]), rtol=1e-6)
    assert_allclose(found[1], as_numpy(exact[1]), rtol=1e-5)
    sample = SquashedGaussian(on_backend(mu.astype(F32)), on_backend(np.ones_like(mu, F32)), low, high).sample(
        noise=np.array([[50.0, -50.0, 0.0]])
    )
    assert_allclose(sample, [[3e38, -3e38, 3e38 * np.tanh(2.0)]], rtol=1e-6)


def test_the_density_next_to_a_bound_of_zero_is_that_of_float64() -> None:
    x, mu = np.array([[1e-45, 3e-45, 1e-30]], F32), np.array([[-50.0, -51.0, -30.0]])

    def log_prob(dtype: Any) -> Any:
        arrays = on_backend((mu.astype(dtype), np.ones_like(mu, dtype), x.astype(dtype)))
        return SquashedGaussian(*arrays[:2], 0.0, 1.0).log_prob(arrays[2])

    assert_allclose(log_prob(F32), as_numpy(log_prob(np.float64)), rtol=1e-6)


@pytest.mark.parametrize("mean", [1e-38, 1e-20])
def test_numbers_that_vanish_in_a_distribution_raise_nothing_whatever_seterr_says(mean: float) -> None:
    mu, sigma = on_backend((np.full((2, 3), mean, F32), np.full((2, 3), 1e-20, F32)))
    with np.errstate(all="raise"):
        for distribution in (Gaussian(mu, sigma), SquashedGaussian(mu, sigma, -0.3, 0.3)):
            noise = on_backend(np.full((2, 3), 1e-25, F32))
            action, log_prob = distribution.sample_and_log_prob(noise=noise)
            mode, kl = distribution.mode(), distribution.kl(distribution)
            for value in (action, log_prob, distribution.sample(noise=noise), mode, distribution.log_prob(mode), kl):
                assert np.isfinite(as_numpy(value)).all()


# -- optimizers -------------------------------------------------------------------------------------------------------


def test_the_norm_of_gradients_neither_overflows_nor_vanishes() -> None:
    for scale in (2e19, 3e-30, 1e37):
        grads = on_backend({"w": np.array([3.0, 0.0], F32) * F32(scale), "b": np.array([4.0], F32) * F32(scale)})
        clipped, norm = optim.clip_by_global_norm(grads, 1.0)
        assert norm == pytest.approx(5 * scale, rel=1e-6, abs=0)
        factor = min(1 / (5 * scale + 1e-6), 1.0)
        assert_allclose(clipped["w"], [3 * scale * factor, 0], rtol=1e-6)
        assert_allclose(clipped["b"], [4 * scale * factor], rtol=1e-6)


def test_a_gradient_of_zero_has_norm_zero_and_stays() -> None:
    clipped, norm = optim.clip_by_global_norm(on_backend({"w": np.zeros(3, F32)}), 1.0)
    assert norm == 0
    assert_array_equal(clipped["w"], [0, 0, 0])


@pytest.mark.parametrize("learning_rate", [1e-6, 1e-4, 1e-2])
def test_adamw_is_within_a_rounding_of_the_exact_update_where_its_terms_are_tiny(learning_rate: float) -> None:
    rng = np.random.default_rng(0)
    p, g = rng.uniform(0.5, 2, 1000).astype(F32), rng.normal(size=1000).astype(F32)
    optimizer = optim.adamw(learning_rate, weight_decay=1e-8 / learning_rate)
    params = on_backend({"w": p})
    new, _ = optimizer.update(params=params, grads=on_backend({"w": g}), state=optimizer.init(params))
    exact = p.astype(np.float64) * (1 - 1e-8) - learning_rate * g / (np.abs(g) + 1e-8)
    assert (np.abs(as_numpy(new["w"]) - exact) <= np.spacing(p)).all()


def test_adamw_keeps_a_decay_that_is_lost_beside_the_parameter_alone() -> None:
    params, grads = on_backend(({"w": np.ones(1, F32)}, {"w": np.full(1, -1.0, F32)}))
    rate, decay = 2.0**-24, 2.0**-25  # each less than half the distance from one to the next float32 below, 2**-24
    optimizer = optim.adamw(rate, eps=0.0, weight_decay=decay / rate)
    state = optimizer.init(params)
    plus, _ = optimizer.update(params=params, grads=grads, state=state)
    assert_array_equal(plus["w"], [1.0])  # 1 + 2**-24 - 2**-25
    minus, _ = optimizer.update(params=params, grads=on_backend({"w": np.ones(1, F32)}), state=state)
    assert_array_equal(minus["w"], [F32(1 - 1.5 * 2.0**-24)])


INFINITE = np.array([np.inf, -np.inf, 3e38, -3e38, 1.0, np.inf], F32)
SOURCE = np.array([1.0, 2.0, -3e38, 3e38, np.inf, np.inf], F32)


@pytest.mark.parametrize("tau", [0.0, 0.005, 0.5, 0.9, 1.0])
def test_soft_update_is_right_for_infinite_and_very_large_parameters(tau: float) -> None:
    target, source = on_backend(({"w": INFINITE}, {"w": SOURCE}))
    with np.errstate(all="raise"):
        moved = optim.soft_update(target=target, source=source, tau=tau)["w"]
    with np.errstate(invalid="ignore"):
        between = (1 - tau) * INFINITE.astype(np.float64) + tau * SOURCE.astype(np.float64)
    expected = {0.0: INFINITE, 1.0: SOURCE}.get(tau, between)
    assert_allclose(moved, expected, rtol=1e-6)


def test_soft_update_moves_nothing_where_both_are_equal() -> None:
    w = on_backend({"w": np.random.default_rng(0).normal(size=1000).astype(F32)})
    for tau in (0.0, 0.005, 0.3, 1.0):
        assert_array_equal(optim.soft_update(w, w, tau)["w"], as_numpy(w["w"]))


# -- options as NumPy's scalars ---------------------------------------------------------------------------------------

OPTIONS: dict[str, Callable[[Any], Any]] = {
    "slope of leaky_relu": lambda s: npnets.Net(3, 2, (4,), activation="leaky_relu", act_args=(s(0.2),)),
    "slope by name": lambda s: npnets.Net(3, 2, (4,), activation="leaky_relu", act_args={"negative_slope": s(0.2)}),
    "beta of softplus": lambda s: npnets.MLP(3, 2, (4,), activation="softplus", act_args=(s(2.0), s(20.0))),
    "alpha of elu": lambda s: npnets.MLP(3, 2, (4, 4), activation=["elu", "elu"], act_args=[(s(0.5),), (s(2.0),)]),
    "eps of layer norm": lambda s: npnets.Net(3, 2, (4,), norm_layer="layer_norm", norm_args={"eps": s(1e-3)}),
    "max_action": lambda s: npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2, max_action=s(0.5)),
    "phi": lambda s: npnets.Perturbation(npnets.Net(5, 2), s(0.5), phi=s(0.25)),
    "a partial": lambda s: npnets.Net(3, 2, (4,), activation=functools.partial(_scaled_tanh, scale=s(0.5))),
}


def _scaled_tanh(z: Any, scale: float) -> Any:
    return nnp.tanh(z) * scale


@pytest.mark.parametrize("scalar", [np.float64, np.float32])
@pytest.mark.parametrize("make", OPTIONS.values(), ids=OPTIONS)
def test_an_option_as_a_scalar_of_numpy_is_the_same_as_a_number(make: Callable[[Any], Any], scalar: Any) -> None:
    plain, net = make(float), make(scalar)
    params = on_backend(net.init(np.random.default_rng(0)))
    obs = on_backend(np.random.default_rng(1).normal(size=(4, 3)))
    args = (obs, on_backend(np.ones((4, 2)))) if isinstance(net, npnets.Perturbation) else (obs,)

    def loss(params: Any, net: Any) -> Any:
        out = net.forward(params, *args)
        return nnp.sum(out[0] if isinstance(out, tuple) else out)

    value, grads = npnets.value_and_grad(loss)(params, net)
    assert value.dtype == F32 and {leaf.dtype for leaf in npnets.tree.leaves(grads)} == {np.dtype(F32)}
    if scalar is np.float64:
        assert (net, repr(net)) == (plain, repr(plain))
        assert_array_equal(value, as_numpy(npnets.value_and_grad(loss)(params, plain)[0]))


@pytest.mark.parametrize(
    "make",
    [
        lambda s: optim.sgd(s(0.1), s(0.5), s(0.01), nesterov=True),
        lambda s: optim.rmsprop(s(0.1), s(0.9), s(1e-3), s(0.01), s(0.5)),
        lambda s: optim.adam(s(0.1), (s(0.9), s(0.99)), s(1e-3), s(0.01)),
        lambda s: optim.adamw(s(0.1), (s(0.9), s(0.99)), s(1e-3), s(0.01)),
    ],
)
def test_hyper_parameters_as_scalars_of_numpy_give_the_same_bits(make: Callable[[Any], Any]) -> None:
    params, grads = on_backend(({"w": np.ones(5, F32)}, {"w": np.linspace(-1, 1, 5).astype(F32)}))
    new = [o.update(params=params, grads=grads, state=o.init(params))[0]["w"] for o in map(make, (float, np.float64))]
    assert_array_equal(new[1], as_numpy(new[0]))
    assert_array_equal(
        optim.soft_update(params, grads, np.float64(0.3))["w"], as_numpy(optim.soft_update(params, grads, 0.3)["w"])
    )
