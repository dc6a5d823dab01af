"""Quantile networks and noisy layers keep the laws of every network, and violations of them are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import npnets
from npnets import discrete, testing
from npnets.discrete.noisy_linear import noise_paths

pytestmark = pytest.mark.numpy_alone("draws examples in NumPy; test_testing_devices is for both backends")

TRUNK = npnets.Net(4, hidden_sizes=(6,))
NETWORKS: list[Any] = [
    discrete.CosineEmbeddingNetwork(3, 5),
    discrete.ImplicitQuantileNetwork(TRUNK, 3, (5,), 4),
    discrete.ImplicitQuantileNetwork(npnets.Recurrent(1, 3, 5, hidden_layer_size=4), 2, num_cosines=3),
    discrete.FractionProposalNetwork(4, 6),
    discrete.FullQuantileFunction(TRUNK, (2, 2), num_cosines=4),
    discrete.NoisyLinear(4, 3),
    npnets.Net(4, 2, (5,), linear_layer=discrete.NoisyLinear),
]


@pytest.mark.parametrize("net", NETWORKS, ids=repr)
def test_a_network_keeps_the_laws(net: Any) -> None:
    testing.check_network(net, max_examples=2)


@dataclass(frozen=True)
class _Mixing(discrete.ImplicitQuantileNetwork):
    """Its quantiles depend on the other rows of a batch."""

    def forward(self, params: Any, obs: Any, sample_size: int, *, state: Any = None, taus: Any = None) -> Any:
        (quantiles, taus), state = super().forward(params, obs, sample_size, state=state, taus=taus)
        return (quantiles - quantiles.mean(0), taus), state


@pytest.mark.slow
def test_quantiles_that_depend_on_other_rows_are_found() -> None:
    with pytest.raises(testing.NetworkLawError, match="'rows'"):
        testing.check_network(_Mixing(TRUNK, 3, num_cosines=4), max_examples=5)


@dataclass(frozen=True)
class _Still(discrete.NoisyLinear):
    """No gradient reaches its sizes of the noise."""

    @property
    def output_dim(self) -> int:
        return self.out_features

    def forward(self, params: Any, x: Any) -> Any:
        return super().forward({**params, "sigma_weight": npnets.stop_gradient(params["sigma_weight"])}, x)


def test_a_gradient_that_does_not_reach_the_sizes_of_the_noise_is_found() -> None:
    with pytest.raises(testing.NetworkLawError, match=r"the gradient by params.sigma_weight"):
        testing.check_network(_Still(4, 3), state_shape=4, max_examples=5)


def test_the_paths_of_noise_are_those_of_noisy_layers_alone() -> None:
    layer = discrete.NoisyLinear(2, 3).init(np.random.default_rng(0))
    params = {"a": {"b": [layer, {"eps_p": layer["eps_p"]}]}, "eps_q": layer["eps_q"]}
    assert noise_paths(params) == {"a.b.0.eps_p", "a.b.0.eps_q"}
    assert noise_paths(layer) == {"eps_p", "eps_q"}


@pytest.mark.parametrize("kind", [discrete.ImplicitQuantileNetwork, discrete.FullQuantileFunction])
def test_actions_of_a_quantile_network_are_integers_below_their_number(kind: Any) -> None:
    @settings(max_examples=20)
    @given(testing.actions(kind(TRUNK, 3), batch=4))
    def check(actions: Any) -> None:
        assert actions.shape == (4,) and actions.dtype == np.int64
        assert ((0 <= actions) & (actions < 3)).all()

    check()
