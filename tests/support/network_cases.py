"""One network of each kind and shape with its inputs, for the tests of laws; parameters are on the running backend."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

import numpy as np
import pytest
from backends import device, on_backend

import npnets
from npnets import discrete

OBS, ACT = 5, 3
BOUNDS = (0.5, 1.0, 2.5)
ENSEMBLE = functools.partial(npnets.EnsembleLinear, 4)
NOISE = np.random.default_rng(9).normal(size=(4, 2))
STEPS = 5
LENGTHS = np.array([5, 1, 3, 4])
RESETS = np.zeros((4, STEPS), bool)
RESETS[[0, 2, 2, 3], [3, 0, 2, 4]] = True


class Case(NamedTuple):
    """A network, the width or shape of a row of each input, and the axis of outputs for rows."""

    net: Any
    widths: tuple[int | tuple[int, ...], ...]
    options: dict[str, Any] = {}
    row_axis: int = 0

    def inputs(self, batch: int = 4, dtype: type = np.float32, seed: int = 1) -> list[Any]:
        """Draw a batch of inputs."""
        rng = np.random.default_rng(seed)
        rows = [(width,) if isinstance(width, int) else width for width in self.widths]
        drawn = [rng.uniform(-1, 1, (batch, *row)).astype(dtype) for row in rows]
        return on_backend(drawn)  # type: ignore[no-any-return]

    def of_rows(self, rows: Any) -> Case:
        """Return the same case with options for these rows of a batch."""
        chosen = npnets.tree.map(lambda leaf: leaf[rows] if hasattr(leaf, "shape") else leaf, self.options)
        return self._replace(options=chosen)

    def params(self, dtype: type = np.float32, seed: int = 0) -> Any:
        """Return parameters of the network, none of them at a special value such as zero."""
        params = self.net.init(np.random.default_rng(seed), dtype)
        rng = np.random.default_rng(seed + 1)
        drawn = npnets.tree.map(lambda leaf: leaf + rng.normal(size=leaf.shape).astype(dtype) * 0.1, params)
        return on_backend(drawn)

    def run(self, params: Any, *inputs: Any) -> list[Any]:
        """Return the arrays that `forward` returns."""
        output = self.net.forward(params, *inputs, **on_backend(self.options))
        return [leaf for leaf in npnets.tree.leaves(output) if leaf is not None]


def there(net: Any) -> Any:
    """Return the network and its parts on the device of the running test; bare layers have no device."""
    parts = {field.name: getattr(net, field.name) for field in dataclasses.fields(net)}
    changes = {name: there(part) for name, part in parts.items() if hasattr(type(part), "forward")}
    if "device" in parts:
        changes["device"] = device()
    if not parts.get("has_last", True):
        changes["output_dim"] = 0  # in an MLP without a last layer the attribute is the number of output features
    return dataclasses.replace(net, **changes)


def initial(net: Any, rng: np.random.Generator, dtype: type = np.float32) -> Any:
    """Return initial parameters on the running backend; those of a bare layer, which has no device, are moved there."""
    params = there(net).init(rng, dtype)
    return params if hasattr(net, "device") else on_backend(params)


def small_net(*args: Any, **kwargs: Any) -> npnets.Net:
    """Return a `Net` for the cases' observations."""
    return npnets.Net(OBS, *args, **{"hidden_sizes": (8, 6), **kwargs})


def _square(z: Any) -> Any:
    return z * z


def _state(layers: int, hidden: int) -> dict[str, Any]:
    rng = np.random.default_rng(10)
    return {name: rng.uniform(-1, 1, (4, layers, hidden)) for name in ("hidden", "cell")}


ACTIONS = np.array([2, 0, 1, 1])
TAUS = np.random.default_rng(12).random((4, 3))
GIVEN_FRACTIONS = {
    "propose_model": None,
    "propose_params": None,
    "fractions": discrete.Fractions(TAUS, TAUS[:, :2], TAUS[:, 0]),
    "training": False,
}
FOLLOWING = np.random.default_rng(11).uniform(-1, 1, (4, OBS))
VAE = npnets.VAE(npnets.MLP(OBS + ACT, 6, (7,)), npnets.MLP(OBS + 2, ACT, (7,)), 6, 2, BOUNDS)
CASES = {
    "Linear": Case(npnets.Linear(OBS, 3), (OBS,)),
    "Linear without bias": Case(npnets.Linear(OBS, 3, False), (OBS,)),
    "EnsembleLinear": Case(npnets.EnsembleLinear(4, OBS, 3), (OBS,), row_axis=1),
    "LayerNorm": Case(npnets.LayerNorm(OBS, 1e-4, bias=False), (OBS,)),
    "MLP": Case(npnets.MLP(OBS, 2, [7], ["layer_norm"], activation=["elu"], act_args=[(0.5,)]), (OBS,)),
    "MLP of a function": Case(npnets.MLP(OBS, hidden_sizes=(4, 3), activation=_square), (OBS,)),
    "Net": Case(small_net(2, activation="tanh", norm_layer="layer_norm", norm_args={"eps": 1e-3}), (OBS,)),
    "Net with softmax and atoms": Case(small_net((2,), softmax=True, num_atoms=5), (OBS,)),
    "Net that duels": Case(small_net(2, dueling_param=({"hidden_sizes": [3]}, {"hidden_sizes": [4]})), (OBS,)),
    "Net of an ensemble": Case(small_net(2, linear_layer=ENSEMBLE), (OBS,), row_axis=1),
    "Actor": Case(npnets.Actor(small_net(), ACT, (4,), BOUNDS), (OBS,)),
    "ActorProb": Case(npnets.ActorProb(small_net(), (ACT,), max_action=2), (OBS,)),
    "ActorProb conditioned": Case(npnets.ActorProb(small_net(), ACT, unbounded=True, conditioned_sigma=True), (OBS,)),
    "Critic": Case(npnets.Critic(small_net(), (4,)), (OBS,)),
    "Critic of actions": Case(npnets.Critic(small_net(ACT, concat=True)), (OBS, ACT)),
    "Critic of an ensemble": Case(
        npnets.Critic(
            small_net(ACT, concat=True, linear_layer=ENSEMBLE), [6], linear_layer=ENSEMBLE, flatten_input=False
        ),
        (OBS, ACT),
        row_axis=1,
    ),
    "Critic of features and actions": Case(
        npnets.Critic(small_net(), (4,), apply_preprocess_net_to_obs_only=True, action_shape=ACT), (OBS, ACT)
    ),
    "Critic of an ensemble's features and actions": Case(
        npnets.Critic(
            small_net(linear_layer=ENSEMBLE),
            linear_layer=ENSEMBLE,
            flatten_input=False,
            apply_preprocess_net_to_obs_only=True,
            action_shape=(ACT,),
        ),
        (OBS, ACT),
        row_axis=1,
    ),
    "Perturbation": Case(npnets.Perturbation(npnets.Net(OBS + ACT, ACT, (8,)), BOUNDS, phi=0.2), (OBS, ACT)),
    "VAE": Case(VAE, (OBS, ACT), {"noise": NOISE}),
    "discrete.Actor": Case(discrete.Actor(small_net(), ACT, (4,)), (OBS,)),
    "discrete.Actor of logits": Case(discrete.Actor(small_net(), (ACT, 2), softmax_output=False), (OBS,)),
    "discrete.Critic of each action": Case(discrete.Critic(small_net(), (4,), ACT), (OBS,)),
    "discrete.IntrinsicCuriosityModule": Case(
        discrete.IntrinsicCuriosityModule(npnets.MLP(OBS, 4, (7,)), 4, ACT, (6,)),
        (OBS,),
        {"act": ACTIONS, "s2": FOLLOWING},
    ),
    "discrete.CosineEmbeddingNetwork": Case(discrete.CosineEmbeddingNetwork(4, 6), (3,)),
    "discrete.ImplicitQuantileNetwork": Case(
        discrete.ImplicitQuantileNetwork(small_net(), ACT, (4,), 5), (OBS,), {"sample_size": 2, "taus": TAUS[:, :2]}
    ),
    "discrete.FractionProposalNetwork": Case(discrete.FractionProposalNetwork(4, OBS), (OBS,)),
    "discrete.FullQuantileFunction": Case(
        discrete.FullQuantileFunction(small_net(), (ACT, 2), num_cosines=4), (OBS,), GIVEN_FRACTIONS
    ),
    "discrete.NoisyLinear": Case(discrete.NoisyLinear(OBS, 3, 0.4), (OBS,)),
    "Net of noisy layers": Case(small_net(2, linear_layer=discrete.NoisyLinear), (OBS,)),
    "BranchingNet": Case(npnets.BranchingNet(OBS, 2, 3, (7,), (6,), (5,), "layer_norm", activation="tanh"), (OBS,)),
    "Recurrent": Case(npnets.Recurrent(2, OBS, ACT, hidden_layer_size=4), ((STEPS, OBS),)),
    "Recurrent with all options": Case(
        npnets.Recurrent(3, (OBS,), 2, hidden_layer_size=3),
        ((STEPS, OBS),),
        {"state": _state(3, 3), "lengths": LENGTHS, "resets": RESETS, "all_steps": True},
    ),
    "RecurrentActorProb": Case(
        npnets.RecurrentActorProb(1, OBS, (ACT,), 6, BOUNDS),
        ((STEPS, OBS),),
        {"state": _state(1, 6), "lengths": LENGTHS},
    ),
    "RecurrentActorProb conditioned": Case(
        npnets.RecurrentActorProb(2, OBS, ACT, 4, unbounded=True, conditioned_sigma=True),
        ((STEPS, OBS),),
        {"resets": RESETS, "all_steps": True},
    ),
    "RecurrentActorProb of one step": Case(npnets.RecurrentActorProb(1, OBS, ACT, 5), (OBS,)),
    "RecurrentCritic": Case(npnets.RecurrentCritic(1, OBS, hidden_layer_size=6), ((STEPS, OBS),)),
    "RecurrentCritic of actions": Case(
        npnets.RecurrentCritic(2, OBS, ACT, hidden_layer_size=4),
        ((STEPS, OBS), ACT),
        {"state": _state(2, 4), "lengths": LENGTHS, "resets": RESETS, "return_state": True},
    ),
    "RecurrentCritic of actions at every step": Case(
        npnets.RecurrentCritic(1, OBS, (ACT,), hidden_layer_size=5),
        ((STEPS, OBS), (STEPS, ACT)),
        {"lengths": LENGTHS, "all_steps": True},
    ),
}
WITH_CONSTANTS = ("discrete.FractionProposalNetwork", "discrete.NoisyLinear", "Net of noisy layers")
"""Networks in which some parameters or outputs are constants, so that differences are not derivatives."""

_DIFFERENTIABLE = {name: case for name, case in CASES.items() if name not in WITH_CONSTANTS}
each_differentiable_case = pytest.mark.parametrize("case", _DIFFERENTIABLE.values(), ids=_DIFFERENTIABLE)
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
