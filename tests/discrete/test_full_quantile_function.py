"""The fraction proposal network and the fully parameterized quantile function: formulas, constants and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend
from finite_differences import check_first_order, check_second_order

import npnets
import npnets.numpy as nnp
from npnets.discrete import FractionProposalNetwork, Fractions, FullQuantileFunction, ImplicitQuantileNetwork

TRUNK = npnets.Net(4, hidden_sizes=(6,), activation="tanh")
NET = FullQuantileFunction(TRUNK, 3, num_cosines=4)
PROPOSE = FractionProposalNetwork(5, 6)


def _given(dtype: Any = np.float64) -> tuple[Any, Any, Any]:
    """Return parameters of the network, those of the proposal, moved from zero, and two observations."""
    rng = np.random.default_rng(2)
    params, propose = NET.init(np.random.default_rng(0), dtype), PROPOSE.init(np.random.default_rng(1), dtype)
    propose = npnets.tree.map(lambda leaf: leaf + rng.normal(size=leaf.shape).astype(dtype), propose)
    return on_backend((params, propose, rng.normal(size=(2, 4))))  # type: ignore[no-any-return]


def test_fractions_are_sums_of_probabilities_with_their_middles_and_entropy() -> None:
    _, params, _ = _given()
    features = np.random.default_rng(3).normal(size=(2, 6))
    fractions = PROPOSE.forward(params, on_backend(features))
    host = as_numpy(params)["linear"]
    powers = np.exp(features @ host["weight"] + host["bias"])
    probs = powers / powers.sum(1, keepdims=True)
    taus = np.concatenate([np.zeros((2, 1)), probs.cumsum(1)], 1)
    assert isinstance(fractions, Fractions)
    assert_allclose(fractions.taus, taus, rtol=1e-12)
    assert_allclose(fractions.tau_hats, (taus[:, 1:] + taus[:, :-1]) / 2, rtol=1e-12)
    assert_allclose(fractions.entropies, -(probs * np.log(probs)).sum(1), rtol=1e-12)


@pytest.mark.numpy_alone("initial values are drawn in NumPy")
def test_the_first_fractions_are_about_even() -> None:
    net = FractionProposalNetwork(40, 60)
    params = net.init(np.random.default_rng(0), np.float64)
    limit = 0.01 * np.sqrt(6 / 100)
    weight = params["linear"]["weight"]
    assert -limit <= weight.min() < -0.99 * limit and 0.99 * limit < weight.max() <= limit
    assert not params["linear"]["bias"].any()
    taus = net.forward(params, np.random.default_rng(1).normal(size=(3, 60))).taus
    assert_allclose(taus, np.broadcast_to(np.linspace(0, 1, 41), (3, 41)), atol=2e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fractions_rise_from_zero_to_one_for_features_of_any_size(dtype: Any) -> None:
    _, params, _ = _given(dtype)
    features = np.random.default_rng(3).normal(size=(9, 6)) * np.array([0, 1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1])[:, None]
    taus, tau_hats, entropies = as_numpy(tuple(PROPOSE.forward(params, on_backend(features))))
    assert taus.dtype == tau_hats.dtype == entropies.dtype == dtype
    assert (taus[:, 0] == 0).all() and (np.diff(taus) >= 0).all()
    assert_allclose(on_backend(taus[:, -1]), 1, rtol=4 * np.finfo(dtype).eps)
    assert ((taus[:, :-1] <= tau_hats) & (tau_hats <= taus[:, 1:])).all()
    assert ((0 <= entropies) & (entropies <= np.log(5) * (1 + 1e-6))).all()


@pytest.mark.parametrize("order", [check_first_order, check_second_order])
def test_derivatives_of_fractions_and_entropies_are_finite_differences(order: Any) -> None:
    _, params, _ = _given()
    features = on_backend(np.random.default_rng(3).normal(size=(2, 6)))

    def run(at: Any) -> Any:
        taus, _, entropies = PROPOSE.forward(at["params"], at["features"])
        return [taus[:, 1:-1], entropies]

    order(run, {"params": params, "features": features}, np.random.default_rng(5))


def test_the_middles_are_constant_to_every_derivative() -> None:
    _, params, _ = _given()
    features = on_backend(np.ones((2, 6)))
    gradient = npnets.grad(lambda p: nnp.sum(PROPOSE.forward(p, features).tau_hats ** 2 + nnp.sum(p["linear"]["bias"])))
    bias, weight = as_numpy(npnets.tree.leaves(gradient(params)))
    assert not weight.any() and (bias == 10).all()


def test_quantiles_are_those_of_an_implicit_quantile_network_at_the_proposed_fractions() -> None:
    params, propose, obs = _given()
    (quantiles, fractions, quantiles_tau), state = NET.forward(params, obs, PROPOSE, propose, state="kept")
    same = ImplicitQuantileNetwork(TRUNK, 3, num_cosines=4)
    features, _ = TRUNK.forward(params["preprocess"], obs)
    expected = PROPOSE.forward(propose, features)
    for found, proposed in zip(fractions, expected, strict=True):
        assert_array_equal(found, as_numpy(proposed))
    (at_middles, _), _ = same.forward(params, obs, 5, taus=fractions.tau_hats)
    (between, _), _ = same.forward(params, obs, 4, taus=fractions.taus[:, 1:-1])
    assert_allclose(quantiles, at_middles, rtol=1e-12)
    assert_allclose(quantiles_tau, between, rtol=1e-12)
    assert state == "kept"


def test_given_fractions_are_used_in_the_place_of_proposed_ones() -> None:
    params, propose, obs = _given()
    (expected, fractions, _), _ = NET.forward(params, obs, PROPOSE, propose)
    (quantiles, same, _), _ = NET.forward(params, obs, None, None, fractions)
    assert isinstance(same, Fractions)
    for found, given in zip(same, fractions, strict=True):
        assert_array_equal(found, as_numpy(given))
    assert_array_equal(quantiles, as_numpy(expected))
    others = Fractions(fractions.taus**2, fractions.tau_hats**2, fractions.entropies)
    (moved, _, _), _ = NET.forward(params, obs, PROPOSE, propose, others)
    assert np.abs(as_numpy(moved) - as_numpy(expected)).max() > 1e-4


def test_without_training_the_quantiles_between_fractions_are_left_out() -> None:
    params, propose, obs = _given()
    (with_training, _, _), _ = NET.forward(params, obs, PROPOSE, propose)
    (quantiles, _, quantiles_tau), _ = NET.forward(params, obs, PROPOSE, propose, training=False)
    assert quantiles_tau is None
    assert_array_equal(quantiles, as_numpy(with_training))


def test_a_single_fraction_has_none_between_its_ends() -> None:
    params, _, obs = _given()
    one = FractionProposalNetwork(1, 6)
    (quantiles, fractions, between), _ = NET.forward(params, obs, one, on_backend(one.init(np.random.default_rng(0))))
    assert_allclose(fractions.tau_hats, np.full((2, 1), 0.5))
    assert quantiles.shape == (2, 3, 1) and between is not None and between.shape == (2, 3, 0)


def test_gradients_stop_where_those_of_tianshou_stop() -> None:
    params, propose, obs = _given()

    def of(part: str) -> Any:
        def loss(p: Any, q: Any) -> Any:
            (quantiles, fractions, between), _ = NET.forward(p, obs, PROPOSE, q)
            values = {"quantiles": quantiles, "between": between, **fractions._asdict()}
            return nnp.sum(values[part] ** 2) + 0 * nnp.sum(quantiles)

        grads = as_numpy(npnets.grad(loss, (0, 1))(params, propose))
        return [any(leaf.any() for leaf in npnets.tree.leaves(grad)) for grad in grads]

    assert of("quantiles") == [True, False]
    assert of("taus") == of("entropies") == [False, True]
    assert of("tau_hats") == of("between") == [False, False]


@pytest.mark.parametrize("order", [check_first_order, check_second_order])
def test_derivatives_of_quantiles_are_finite_differences(order: Any) -> None:
    params, propose, obs = _given()
    (_, fractions, _), _ = NET.forward(params, obs, PROPOSE, propose)

    def run(at: Any) -> Any:
        return NET.forward(at["params"], at["obs"], None, None, fractions)[0][0]

    order(run, {"params": params, "obs": obs}, np.random.default_rng(5))


def _fractions(rows: int, taus: int, tau_hats: int) -> Fractions:
    return Fractions(np.zeros((rows, taus)), np.zeros((rows, tau_hats)), np.zeros(rows))


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ((None, None), TypeError, r"propose_model must be a network such as FractionProposalNetwork\(32, 6\)"),
        (({}, PROPOSE), TypeError, "the order is forward.params, obs, propose_model, propose_params"),
        ((FractionProposalNetwork(5, 7), None), TypeError, "the parameters of discrete.FractionProposalNetwork"),
        ((None, None, (1, 2, 3)), TypeError, r"fractions must be a Fractions\(taus, tau_hats, entropies\), but"),
        (
            (None, None, _fractions(3, 6, 5)),
            ValueError,
            r"\(2, n \+ 1\).*but have \(3, 6\) and \(3, 5\).*another batch",
        ),
        ((None, None, _fractions(2, 5, 5)), ValueError, r"but have \(2, 5\) and \(2, 5\)"),
        ((None, None, Fractions(np.zeros((2, 6)), np.zeros((2, 5, 1)), np.zeros(2))), ValueError, r"and \(2, 5, 1\)"),
        ((None, None, Fractions(["a"], ["b"], [0])), TypeError, "fractions.taus must be an array of real numbers"),
    ],
    ids=["no model", "swapped", "no parameters", "a tuple", "another batch", "one too few", "three axes", "text"],
)
def test_fractions_that_do_not_fit_are_an_error(given: Any, error: Any, words: str) -> None:
    params, _, obs = _given()
    with pytest.raises(error, match=words):
        NET.forward(params, obs, *given)


def test_a_network_of_another_kind_that_proposes_is_an_error() -> None:
    params, _, obs = _given()
    net = npnets.Net(6, 5)
    with pytest.raises(TypeError, match=r"must return \(taus, tau_hats, entropies\), as .* but Net.* returned \("):
        NET.forward(params, obs, net, on_backend(net.init(np.random.default_rng(0))))  # type: ignore[arg-type]


def test_features_of_another_width_are_an_error_of_the_network_that_proposes() -> None:
    params, _, obs = _given()
    other = FractionProposalNetwork(5, 7)
    with pytest.raises(ValueError, match=r"Network\(5, 7\) expected an input of shape \(batch, 7\), but got \(2, 6\)"):
        NET.forward(params, obs, other, on_backend(other.init(np.random.default_rng(0))))


@pytest.mark.needs_gpus(1)
def test_a_proposal_on_another_device_than_the_features_is_an_error() -> None:
    params, propose, obs = _given()
    with pytest.raises(TypeError, match="obs_embeddings lies on 'cuda:0' and the parameters on 'cpu'"):
        NET.forward(params, obs, PROPOSE, npnets.tree.to_device(propose, "cpu"))
