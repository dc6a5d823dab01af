"""Invalid arguments and inputs of networks for discrete actions raise an error in the user's words."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import pytest
from small_networks import error_cases, forward, obs, ones

import npnets
from npnets import BranchingNet, EnsembleLinear, Net, discrete
from npnets.discrete import IntrinsicCuriosityModule

MLP = npnets.MLP
NET = Net(5, hidden_sizes=(4,))
TWINS = Net(5, hidden_sizes=(4,), linear_layer=functools.partial(EnsembleLinear, 2))
CURIOSITY = IntrinsicCuriosityModule(MLP(5, 4), 4, 3)


class Space(NamedTuple):
    """A space that is no Box: Gymnasium's `Discrete` with another start."""

    n: int
    start: int

    def contains(self, x: Any) -> bool:
        return True

    def sample(self) -> int:
        return self.start


class Box(NamedTuple):
    """The attributes of Gymnasium's space of that name."""

    low: Any
    high: Any
    shape: Any


BOX = Box(np.full(2, -1.0), np.full(2, 1.0), (2,))


@pytest.mark.numpy_alone("no arrays in it")
@error_cases(
    {
        "no actions": (lambda: discrete.Actor(NET, 0), ValueError, "action_shape must be at least 1, but is 0"),
        "half an action": (lambda: discrete.Actor(NET, 2.5), TypeError, "action_shape must be an integer"),  # type: ignore[arg-type]
        "a Box of actions": (
            lambda: discrete.Actor(NET, BOX),
            TypeError,
            "action_shape must be a number of actions .* are real numbers; use npnets.Actor or npnets.ActorProb",
        ),
        "actions from one": (
            lambda: discrete.Actor(NET, Space(3, 1)),
            ValueError,
            "must be a Discrete that begins at 0, .* pass action_shape=3, and add 1 to each action before env.step",
        ),
        "a word for softmax": (
            lambda: discrete.Actor(NET, 3, softmax_output="no"),  # type: ignore[arg-type]
            TypeError,
            "softmax_output must be True or False, but is 'no'",
        ),
        "the arguments of the other actor": (
            lambda: discrete.Actor(NET, 3, (), 2.0),  # type: ignore[arg-type]
            TypeError,
            "softmax_output must be True or False, but is 2.0",
        ),
        "a device": (lambda: discrete.Actor(NET, 3, device="gpu"), ValueError, "device must be 'cpu'"),
        "an MLP as a trunk": (
            lambda: discrete.Actor(MLP(5, 4), 3),  # type: ignore[arg-type]
            TypeError,
            r"preprocess_net must have forward\(params, obs, state=None\), .* use a Net instead",
        ),
        "an MLP as a critic's trunk": (
            lambda: discrete.Critic(MLP(5, 4)),  # type: ignore[arg-type]
            TypeError,
            r"preprocess_net must have forward\(params, obs, state=None\), .* use a Net instead",
        ),
        "other features": (
            lambda: discrete.Critic(NET, preprocess_net_output_dim=7),
            ValueError,
            "preprocess_net returns 4 features, but preprocess_net_output_dim is 7",
        ),
        "no values": (lambda: discrete.Critic(NET, last_size=0), ValueError, "last_size must be at least 1"),
        "a shape of values": (lambda: discrete.Critic(NET, (), (3,)), TypeError, "last_size must be an integer"),  # type: ignore[arg-type]
        "other features of curiosity": (
            lambda: IntrinsicCuriosityModule(MLP(5, 4), 5, 3),
            ValueError,
            "feature_net returns 4 features, but feature_dim is 5",
        ),
        "no features": (
            lambda: IntrinsicCuriosityModule(MLP(5, 4), 0, 3),
            ValueError,
            "feature_dim must be at least 1",
        ),
        "a shape of curiosity's actions": (
            lambda: IntrinsicCuriosityModule(MLP(5, 4), 4, (3,)),  # type: ignore[arg-type]
            TypeError,
            r"action_dim must be an integer of at least 1, but is \(3,\)",
        ),
        "a Box of curiosity's actions": (
            lambda: IntrinsicCuriosityModule(MLP(5, 4), 4, BOX),  # type: ignore[arg-type]
            TypeError,
            "action_dim must be a number of actions",
        ),
        "no feature net": (
            lambda: IntrinsicCuriosityModule(None, 4, 3),  # type: ignore[arg-type]
            TypeError,
            "feature_net must be a network",
        ),
        "no branches": (lambda: BranchingNet(5), ValueError, "num_branches must be at least 1, but is 0"),
        "too many branches": (lambda: BranchingNet(5, 10**9), ValueError, "num_branches must be at most 10000"),
        "no choices": (lambda: BranchingNet(5, 2, 0), ValueError, "action_per_branch must be at least 1"),
        "one hidden size": (lambda: BranchingNet(5, 2, 2, 64), TypeError, "common_hidden_sizes must be a sequence"),  # type: ignore[arg-type]
        "a hidden size of a branch": (
            lambda: BranchingNet(5, 2, 2, (4,), None, (0,)),
            ValueError,
            r"action_hidden_sizes\[0\] must be at least 1",
        ),
        "norms for other layers": (
            lambda: BranchingNet(5, 2, 2, (4,), (4, 4), norm_layer=["layer_norm"]),
            ValueError,
            "norm_layer given as a list must have one entry for each of the 2 hidden layers, but has 1",
        ),
        "an activation": (lambda: BranchingNet(5, 2, 2, (4,), activation="rellu"), ValueError, "did you mean 'relu'"),
    }
)
def test_invalid_arguments_are_an_error(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def _curious(**instead: Any) -> Any:
    given = {"s1": obs(), "act": [0, 2], "s2": obs(), **instead}
    return forward(CURIOSITY, *given.values())


@error_cases(
    {
        "observations of another width": (
            lambda: forward(discrete.Actor(NET, 3), ones(2, 4)),
            ValueError,
            r"expected an input of shape \(batch, 5\), but got \(2, 4\)",
        ),
        "a single observation": (
            lambda: forward(discrete.Critic(NET), ones(5)),
            ValueError,
            r"obs must have a batch axis .* pass obs\[None\]",
        ),
        "an ensemble before an actor": (
            lambda: forward(discrete.Actor(TWINS, 3), ones(3, 5)),
            ValueError,
            r"is an ensemble: its features of shape \(2, 3, 4\) .* an actor needs the features of a single network",
        ),
        "an ensemble before a critic": (
            lambda: forward(discrete.Critic(TWINS), ones(3, 5)),
            ValueError,
            "is an ensemble: .* a critic for discrete actions needs the features of a single network",
        ),
        "a state by position": (
            lambda: forward(discrete.Critic(NET), obs(), {"hidden": ones(2, 1, 4)}),
            TypeError,
            "positional",
        ),
        "actions that are floats": (
            lambda: _curious(act=[0.0, 2.0]),
            TypeError,
            r"act must be integers, the numbers of the actions, but has dtype float64; .* act.astype\(int\)",
        ),
        "rows with a one": (lambda: _curious(act=np.eye(3)[[0, 2]]), TypeError, r"act.argmax\(-1\)"),
        "booleans": (lambda: _curious(act=[True, False]), TypeError, "act must be integers, .* has dtype bool"),
        "an action too large": (
            lambda: _curious(act=[0, 3]),
            ValueError,
            "act must lie between 0 and 2, but lies between 0 and 3; is action_dim the number of actions?",
        ),
        "a negative action": (lambda: _curious(act=[0, -1]), ValueError, "lies between -1 and 0"),
        "a column of actions": (
            lambda: _curious(act=[[0], [1]]),
            ValueError,
            r"act must have shape \(2,\), one action for each observation, but has \(2, 1\); .* act\[:, 0\]",
        ),
        "too few actions": (lambda: _curious(act=[1]), ValueError, r"act must have shape \(2,\)"),
        "one action": (lambda: _curious(act=1), ValueError, r"act must have shape \(2,\)"),
        "fewer following observations": (
            lambda: _curious(s2=ones(1, 5)),
            ValueError,
            "s1 and s2 must have a row for each step, but have 2 and 1",
        ),
        "another width of following observations": (
            lambda: _curious(s2=ones(2, 4)),
            ValueError,
            r"expected an input of shape \(batch, 5\), but got \(2, 4\)",
        ),
        "words for observations": (lambda: _curious(s1=[["a"], ["b"]]), TypeError, "s1 must be an array of real num"),
        "a single step": (lambda: _curious(s1=ones(5), act=0), ValueError, r"s1 must have a batch axis.* s1\[None\]"),
        "a Net as a feature net": (
            lambda: forward(IntrinsicCuriosityModule(Net(5, 4), 4, 3), obs(), [0, 1], obs()),  # type: ignore[arg-type]
            TypeError,
            "the feature_net must return an array, .* returned a tuple; if it is a Net, use its .model",
        ),
        "features of an ensemble": (
            lambda: forward(IntrinsicCuriosityModule(EnsembleLinear(2, 5, 4), 4, 3), obs(), [0, 1], obs()),
            ValueError,
            r"feature_net must return features of shape \(batch, 4\), but returned \(2, 2, 4\)",
        ),
        "branches of other observations": (
            lambda: forward(BranchingNet(5, 2, 2, (4,)), ones(2, 4)),
            ValueError,
            r"expected an input of shape \(batch, 5\), but got \(2, 4\)",
        ),
    }
)
def test_invalid_inputs_are_an_error(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_parameters_of_another_network_are_an_error_that_names_the_path() -> None:
    params = npnets.tree.map(lambda leaf: leaf, discrete.Actor(NET, 2).init(np.random.default_rng(0)))
    with pytest.raises(ValueError, match="last.linear_0.weight"):
        discrete.Actor(NET, 3).forward(params, ones(2, 5))
    branches = BranchingNet(5, 2, 2, (4,))
    fewer = BranchingNet(5, 1, 2, (4,)).init(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"BranchingNet\(5, num_branches=2.* lack \['branch_1'\]"):
        branches.forward(fewer, ones(2, 5))
    with pytest.raises(TypeError, match="float16"):
        half = npnets.tree.map(lambda leaf: leaf.astype(np.float16), MLP(5, 4).init(np.random.default_rng(0)))
        CURIOSITY.forward({**CURIOSITY.init(np.random.default_rng(0)), "feature_net": half}, obs(), [0, 1], obs())
