"""The implicit quantile network: its formula, its fractions, and the trunks that it takes."""

from __future__ import annotations

import functools
from typing import Any

import gymnasium
import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, on_backend
from finite_differences import check_first_order, check_second_order

import npnets
import npnets.numpy as nnp
from npnets.discrete import (
    CosineEmbeddingNetwork,
    FractionProposalNetwork,
    FullQuantileFunction,
    ImplicitQuantileNetwork,
)

NET = ImplicitQuantileNetwork(npnets.Net(4, hidden_sizes=(6,)), 3, (5,), num_cosines=8)
SMOOTH = ImplicitQuantileNetwork(npnets.Net(4, hidden_sizes=(6,), activation="tanh"), (2, 2), num_cosines=3)


def _given(net: Any = NET, dtype: Any = np.float64) -> tuple[Any, Any, Any]:
    """Return parameters, two observations, and three fractions for each."""
    rng = np.random.default_rng(1)
    params = net.init(np.random.default_rng(0), dtype)
    return on_backend((params, rng.normal(size=(2, 4)), rng.random((2, 3))))  # type: ignore[no-any-return]


def test_a_fraction_is_embedded_by_cosines_a_linear_layer_and_relu() -> None:
    net, taus = CosineEmbeddingNetwork(5, 7), np.random.default_rng(0).random((2, 3))
    params = net.init(np.random.default_rng(1), np.float64)
    cosines = np.cos(np.pi * taus[..., None] * np.arange(1, 6))
    expected = np.maximum(cosines @ params["linear"]["weight"] + params["linear"]["bias"], 0)
    assert_allclose(net.forward(on_backend(params), on_backend(taus)), expected, rtol=1e-12, atol=1e-14)


def test_quantiles_are_the_head_of_the_features_times_the_embedding() -> None:
    params, obs, taus = _given()
    (quantiles, _), _ = NET.forward(params, obs, 3, taus=taus)
    features, _ = NET.preprocess_net.forward(params["preprocess"], obs)
    embedding = NET.embed_model.forward(params["embed_model"], taus)
    for sample in range(3):
        expected = NET.last.forward(params["last"], features * embedding[:, sample])
        assert_allclose(quantiles[:, :, sample], expected, rtol=1e-12)


def test_a_generator_draws_the_fractions_evenly_and_they_are_returned() -> None:
    params, obs, _ = _given(dtype=np.float32)
    (drawn, taus), _ = NET.forward(params, obs, 4000, rng=np.random.default_rng(3))
    assert_array_equal(taus, np.random.default_rng(3).random((2, 4000)).astype(np.float32))
    (given, _), _ = NET.forward(params, obs, 4000, taus=taus)
    assert_array_equal(drawn, given)
    host = as_numpy(taus)
    assert 0 <= host.min() < 0.01 and 0.99 < host.max() <= 1 and abs(host.mean() - 0.5) < 0.02


def test_fractions_of_another_dtype_are_converted_to_that_of_the_parameters() -> None:
    params, obs, taus = _given(dtype=np.float32)
    (quantiles, converted), _ = NET.forward(params, obs, 3, taus=as_numpy(taus).tolist())
    assert quantiles.dtype == converted.dtype == np.float32
    assert_array_equal(converted, as_numpy(taus).astype(np.float32))


@pytest.mark.parametrize("order", [check_first_order, check_second_order])
def test_derivatives_by_parameters_observations_and_fractions_are_finite_differences(order: Any) -> None:
    params, obs, taus = _given(SMOOTH)

    def run(at: Any) -> Any:
        return SMOOTH.forward(at["params"], at["obs"], 3, taus=at["taus"])[0][0]

    order(run, {"params": params, "obs": obs, "taus": taus}, np.random.default_rng(5))


def test_gradients_do_not_change_when_fractions_are_overwritten() -> None:
    params, obs, taus = _given()
    _, pullback = npnets.vjp(lambda p: NET.forward(p, obs, 3, taus=taus)[0][0], params)
    ones = on_backend(np.ones((2, 3, 3)))
    before = bits(pullback(ones))
    taus[...] = 0.25
    assert bits(pullback(ones)) == before


def test_a_recurrent_trunk_returns_its_state_and_uses_the_one_that_it_is_given() -> None:
    trunk = npnets.Recurrent(1, 4, 6, hidden_layer_size=5)
    net = ImplicitQuantileNetwork(trunk, 3)
    params, obs, taus = _given(net)
    (first, _), state = net.forward(params, obs, 3, taus=taus)
    (second, _), _ = net.forward(params, obs, 3, state=state, taus=taus)
    features, expected = trunk.forward(params["preprocess"], obs)
    assert_array_equal(state["cell"], as_numpy(expected["cell"]))
    assert np.abs(as_numpy(first) - as_numpy(second)).max() > 1e-3
    assert nnp.shape(features) == (2, 6)


class _Rows:
    """A trunk of one's own, without parameters, whose observations are dicts."""

    output_dim = 4

    def init(self, rng: np.random.Generator) -> Any:
        return {}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs["rows"], state


def test_a_trunk_of_ones_own_receives_the_observations_as_they_are() -> None:
    net = ImplicitQuantileNetwork(_Rows(), 3, num_cosines=8)
    params, obs, taus = _given(net)
    (quantiles, _), state = net.forward(params, {"rows": obs}, 3, state="kept", taus=taus)
    embedding = net.embed_model.forward(params["embed_model"], taus)
    expected = net.last.forward(params["last"], obs * embedding[:, 1])
    assert_allclose(quantiles[:, :, 1], expected, rtol=1e-12)
    assert state == "kept"


class _Grid(_Rows):
    """A trunk of one's own, whose features have two axes."""

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return nnp.reshape(obs["rows"], (len(obs["rows"]), 2, -1)), state


def test_features_of_several_axes_are_flattened_and_of_another_number_an_error() -> None:
    net, flat = (ImplicitQuantileNetwork(trunk, 3, num_cosines=8) for trunk in (_Grid(), _Rows()))
    params, obs, taus = _given(net)
    (quantiles, _), _ = net.forward(params, {"rows": obs}, 3, taus=taus)
    (expected, _), _ = flat.forward(params, {"rows": obs}, 3, taus=taus)
    assert_array_equal(quantiles, as_numpy(expected))
    with pytest.raises(ValueError, match=r"features of shape \(2, 2, 1\), but 4 features are expected"):
        net.forward(params, {"rows": obs[:, :2]}, 3, taus=taus)


def test_a_trunk_that_is_an_ensemble_is_an_error_with_the_reason() -> None:
    members = functools.partial(npnets.EnsembleLinear, 4)
    net = ImplicitQuantileNetwork(npnets.Net(4, hidden_sizes=(6,), linear_layer=members), 3)
    params, obs, taus = _given(net)
    with pytest.raises(ValueError, match="is an ensemble.*a quantile network needs the features of a single network"):
        net.forward(params, obs, 3, taus=taus)


ONE_OF_TWO = "exactly one of rng .* and taus"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, TypeError, ONE_OF_TWO),
        ({"rng": np.random.default_rng(0), "taus": np.zeros((2, 3))}, TypeError, ONE_OF_TWO),
        ({"rng": 3}, TypeError, "rng must be a numpy.random.Generator, but is 3"),
        ({"taus": np.zeros((2, 4))}, ValueError, r"taus must have shape \(2, 3\), but has"),
        ({"taus": np.zeros(3)}, ValueError, r"taus must have shape \(2, 3\), but has \(3,\)"),
        ({"taus": ["a"]}, TypeError, "taus must be an array of real numbers"),
    ],
    ids=["neither", "both", "no generator", "another number", "no batch", "text"],
)
def test_fractions_that_do_not_fit_are_an_error(arguments: Any, error: Any, words: str) -> None:
    params, obs, _ = _given()
    with pytest.raises(error, match=words):
        NET.forward(params, obs, 3, **arguments)


@pytest.mark.numpy_alone("no arrays in it")
@pytest.mark.parametrize("kind", [ImplicitQuantileNetwork, FullQuantileFunction])
def test_a_discrete_space_is_as_good_as_its_number_of_actions(kind: Any) -> None:
    trunk = npnets.Net(4, hidden_sizes=(6,))
    assert kind(trunk, gymnasium.spaces.Discrete(3)) == kind(trunk, 3)
    with pytest.raises(ValueError, match="start"):
        kind(trunk, gymnasium.spaces.Discrete(3, start=1))


@pytest.mark.numpy_alone("no arrays in it")
@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ImplicitQuantileNetwork(npnets.MLP(4, 6), 3), TypeError, "if it is an MLP, use a Net"),
        (lambda: ImplicitQuantileNetwork(npnets.Net(4), 0), ValueError, "action_shape must be at least 1"),
        (lambda: ImplicitQuantileNetwork(npnets.Net(4), 3, num_cosines=0), ValueError, "num_cosines must be at least"),
        (lambda: ImplicitQuantileNetwork(npnets.Net(4), 3, 5), TypeError, "hidden_sizes must be a sequence"),
        (lambda: CosineEmbeddingNetwork(8, 2.5), TypeError, "embedding_dim must be an integer"),
        (lambda: FractionProposalNetwork(0, 4), ValueError, "num_fractions must be at least 1"),
        (lambda: FractionProposalNetwork(4, 0), ValueError, "embedding_dim must be at least 1"),
    ],
    ids=[
        "a trunk without state",
        "no actions",
        "no cosines",
        "one size",
        "half a feature",
        "no fractions",
        "no features",
    ],
)
def test_descriptions_that_make_no_sense_are_an_error(make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("sample_size", [0, 2.5, True])
def test_a_number_of_fractions_that_is_no_positive_integer_is_an_error(sample_size: Any) -> None:
    params, obs, _ = _given()
    with pytest.raises((TypeError, ValueError), match="sample_size must be"):
        NET.forward(params, obs, sample_size, rng=np.random.default_rng(0))


def test_fractions_in_the_place_of_their_number_are_an_error_with_the_remedy() -> None:
    params, obs, taus = _given()
    for given in (taus, as_numpy(taus).tolist()):
        with pytest.raises(TypeError, match=r"fractions are given by name: .*taus=taus"):
            NET.forward(params, obs, given)


def test_fractions_without_a_batch_axis_are_an_error_with_the_remedy() -> None:
    net = CosineEmbeddingNetwork(5, 7)
    params, taus = on_backend((net.init(np.random.default_rng(1)), np.zeros(3)))
    with pytest.raises(ValueError, match=r"must have the shape \(batch, samples\).*numpy.broadcast_to\(taus"):
        net.forward(params, taus)
