"""Invalid arguments of networks, layers and bounds raise an error in the user's words when the network is made."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from small_networks import (
    ACTOR,
    CODER,
    CRITIC,
    LINEAR,
    NET,
    NORM,
    PERTURB,
    PLAIN,
    PROB,
    RECURRENT,
    RECURRENT_CRITIC,
    RECURRENT_PROB,
    error_cases,
    fresh_rng,
)

import npnets
from npnets import MLP, VAE, Actor, ActorProb, Critic, EnsembleLinear, LayerNorm, Linear, Net, Perturbation

pytestmark = pytest.mark.numpy_alone("descriptions hold no arrays")

ENSEMBLE = functools.partial(EnsembleLinear, 4)


class ReLU:
    """A class as of another framework."""

    def forward(self, x: Any) -> Any:
        return x


class NotANorm(ReLU):
    def __init__(self, features: int) -> None:
        self.features = features


ROUND = r"must be an integer of at least 1, but is "
UNKNOWN = r"expected one of relu, .*clipped_exp, or a function"
BOUND = r"max_action must be positive and finite, but is .*unbounded=True"
NUMBERS = "max_action must be a number or a sequence of numbers, but is "


@error_cases(
    {
        "no action dimension": (lambda: Actor(NET, ()), ValueError, "action_shape .* is empty; a single number is"),
        "no observation": (lambda: Net(()), ValueError, "state_shape .* is empty"),
        "a size of zero": (lambda: Actor(NET, (3, 0)), ValueError, r"action_shape\[1\] must be at least 1, but is 0"),
        "a negative size": (lambda: MLP(-1), ValueError, "input_dim must be at least 1, but is -1"),
        "a negative output": (lambda: MLP(3, -1), ValueError, "output_dim must be at least 0, but is -1"),
        "a size that is a float": (lambda: Actor(NET, 3.0), TypeError, f"action_shape {ROUND}3.0"),
        "a width that is a float": (lambda: Net(5, 2, (64.0,)), TypeError, rf"hidden_sizes\[0\] {ROUND}64.0"),
        "a size that is a bool": (lambda: Linear(True, 3), TypeError, f"in_features {ROUND}True"),
        "a size that is a text": (lambda: Actor(NET, "3"), TypeError, f"action_shape {ROUND}'3'"),
        "one hidden size": (lambda: Net(5, 2, 64), TypeError, r"hidden_sizes .* such as \(256, 256\), but is 64"),
        "no members": (lambda: EnsembleLinear(0, 3, 3), ValueError, "ensemble_size must be at least 1"),
        "no atoms": (lambda: Net(5, 2, num_atoms=0), ValueError, "num_atoms must be at least 1"),
        "eps": (lambda: LayerNorm(3, eps=0.0), ValueError, "eps must be a positive number, but is 0.0"),
        "eps of text": (lambda: LayerNorm(3, eps="a"), ValueError, "eps must be a positive number, but is 'a'"),  # type: ignore[arg-type]
        "phi": (lambda: Perturbation(NET, 1.0, phi=np.nan), ValueError, "phi must be a finite number, but is nan"),
        "phi of text": (lambda: Perturbation(NET, 1.0, phi="a"), ValueError, "phi must be a finite number"),
        "a device": (lambda: Actor(NET, 3, device="gpu"), ValueError, "device must be 'cpu', .* but is 'gpu'"),
        "a device's number": (lambda: MLP(3, device=-1), ValueError, "'cuda:<number>' .* but is -1"),
        "a device of text": (lambda: Net(3, device="cuda:x"), ValueError, "but is 'cuda:x'"),
        "a device that is a bool": (lambda: Critic(NET, device=True), ValueError, "but is True"),
        "a device of a VAE": (lambda: VAE(MLP(8, 6), MLP(7, 3), 6, 2, 1.0, "tpu"), ValueError, "but is 'tpu'"),
    }
)
def test_invalid_sizes_and_numbers_are_an_error(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@error_cases(
    {
        "misspelt": (
            lambda: MLP(3, 2, (4,), activation="rellu"),
            ValueError,
            f"'rellu': {UNKNOWN}; did you mean 'relu'",
        ),
        "in capitals": (lambda: MLP(3, 2, (4,), activation="ReLU"), ValueError, "did you mean 'relu'"),
        "unknown": (lambda: MLP(3, 2, (4,), activation="zzz"), ValueError, f"'zzz': {UNKNOWN}$"),
        "a class": (
            lambda: MLP(3, 2, (4,), activation=ReLU),
            TypeError,
            "name such as 'relu', or a function.*by its name",
        ),
        "an object": (lambda: MLP(3, 2, (4,), activation=ReLU()), TypeError, "'relu' for torch.nn.ReLU"),
        "its arguments": (
            lambda: MLP(3, 2, (4,), activation="elu", act_args=(1, 2)),
            TypeError,
            r"'elu' takes the arguments \(alpha: float = 1.0\): too many",
        ),
        "its names": (
            lambda: MLP(3, 2, (4,), activation="elu", act_args={"beta": 1}),
            TypeError,
            r"'elu' takes the arguments \(alpha: float = 1.0\): got an unexpected keyword argument 'beta'",
        ),
        "a bare argument": (
            lambda: MLP(3, 2, (4,), activation="elu", act_args=0.5),
            TypeError,
            "arguments must be a tuple or a dict, but are 0.5",
        ),
        "gelu": (
            lambda: MLP(3, 2, (4,), activation="gelu", act_args=("x",)),
            ValueError,
            "approximate must be 'none' or 'tanh', but is 'x'",
        ),
        "too few": (
            lambda: MLP(3, 2, (4, 4), activation=["relu"]),
            ValueError,
            "activation given as a list must have one entry for each of the 2 hidden layers, but has 1",
        ),
        "too many norms": (
            lambda: MLP(3, 2, (4,), norm_layer=["layer_norm"] * 2),
            ValueError,
            "norm_layer given as a list must have one entry for each of the 1 hidden layers, but has 2",
        ),
        "too many arguments of norms": (
            lambda: MLP(3, 2, (4,), norm_layer="layer_norm", norm_args=[{}, {}]),
            ValueError,
            "norm_args given as a list .* but has 2",
        ),
        "a norm": (lambda: MLP(3, 2, (4,), "batch_norm"), ValueError, "unknown norm_layer 'batch_norm': .* layer_norm"),
        "a norm's class": (lambda: MLP(3, 2, (4,), NotANorm), TypeError, r"norm_layer makes .* with init\(rng\)"),
        "a norm's number": (lambda: MLP(3, 2, (4,), 3), TypeError, "norm_layer must be a name, a callable .* but is 3"),
        "a layer": (lambda: MLP(3, 2, linear_layer=Linear(3, 2)), TypeError, "linear_layer must be a callable"),
        "no layer": (lambda: MLP(3, 2, linear_layer=lambda i, o: 3), TypeError, "linear_layer makes .* but is 3"),
        "an ensemble of no size": (
            lambda: MLP(3, 2, linear_layer=EnsembleLinear),
            TypeError,
            r"from two sizes, as functools.partial\(npnets.EnsembleLinear, 4\) does, but: .* missing",
        ),
        "dueling": (lambda: Net(5, 3, dueling_param={}), TypeError, "dueling_param must be a pair of dicts"),
        "dueling of three": (lambda: Net(5, 3, dueling_param=({}, {}, {})), TypeError, "must be a pair of dicts"),
        "dueling of a number": (lambda: Net(5, 3, dueling_param=({}, 3)), TypeError, "must be a pair of dicts"),
        "dueling's names": (
            lambda: Net(5, 3, dueling_param=({"hidden": 1}, {})),
            ValueError,
            r"unknown arguments \['hid",
        ),
    }
)
def test_unknown_layers_norms_and_activations_are_an_error(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@error_cases(
    {
        "NaN": (lambda: Actor(NET, 3, max_action=np.nan), ValueError, BOUND),
        "infinity": (lambda: Actor(NET, 3, max_action=[1, np.inf, 1]), ValueError, BOUND),
        "zero": (lambda: Perturbation(Net(8, 3), 0), ValueError, BOUND),
        "a negative one": (lambda: ActorProb(NET, 3, max_action=[1, -1, 1]), ValueError, BOUND),
        "too short": (lambda: Actor(NET, 3, max_action=[1, 1]), ValueError, r"shape \(3,\), one .* has shape \(2,\)"),
        "one for two": (
            lambda: ActorProb(NET, 2, max_action=[1]),
            ValueError,
            r"shape \(2,\), one .* has shape \(1,\)",
        ),
        "too long": (lambda: VAE(MLP(8, 6), MLP(7, 3), 6, 2, [1] * 4), ValueError, r"shape \(3,\).*has shape \(4,\)"),
        "of another width": (lambda: Perturbation(Net(8, 3), [1, 1]), ValueError, r"shape \(3,\).*has shape \(2,\)"),
        "two axes": (lambda: Perturbation(Net(8, 3), np.ones((1, 3))), ValueError, r"has shape \(1, 3\)"),
        "text": (lambda: Actor(NET, 3, max_action="2"), TypeError, NUMBERS + "'2'"),
        "a bool": (lambda: Actor(NET, 3, max_action=True), TypeError, NUMBERS + "True"),
        "None": (lambda: Actor(NET, 3, max_action=None), TypeError, NUMBERS + "None"),
        "ragged": (lambda: Actor(NET, 3, max_action=[[1], [1, 2]]), TypeError, NUMBERS),
    }
)
def test_invalid_bounds_are_an_error(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


NO_NET = r"preprocess_net must be a network, with init\(rng\) and forward\(params, ...\), such as npnets.Net; but is "


@error_cases(
    {
        "none": (lambda: Actor(None, 3), TypeError, NO_NET + "None"),
        "a class": (lambda: ActorProb(Net, 3), TypeError, NO_NET + "<class"),
        "parameters": (lambda: Critic(ACTOR.init(fresh_rng())), TypeError, NO_NET + "{'preprocess'"),
        "an MLP": (lambda: Actor(PLAIN, 3), TypeError, r"takes no state; if it is an MLP, use a Net"),
        "another width": (
            lambda: Actor(NET, 3, preprocess_net_output_dim=7),
            ValueError,
            "returns 4 features, but preprocess_net_output_dim is 7",
        ),
        "an ensemble of atoms": (
            lambda: Net(5, 3, num_atoms=3, linear_layer=ENSEMBLE),
            ValueError,
            "ensemble .* num_atoms",
        ),
        "heads of a dueling network of two widths": (
            lambda: Net(5, 3, (8,), concat=True, dueling_param=({"hidden_sizes": (4,)}, {"hidden_sizes": (6,)})),
            ValueError,
            "Q 4 wide and V 6",
        ),
        "an encoder's width": (
            lambda: VAE(MLP(8, 5), MLP(7, 3), 6, 2, 1.0),
            ValueError,
            "encoder returns 5 features, but hidden_dim is 6",
        ),
    }
)
def test_parts_that_do_not_fit_are_an_error_when_the_network_is_made(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@error_cases(
    {
        "an int": (
            lambda: ACTOR.init(0),
            TypeError,
            r"Generator, but is 0; make one with numpy.random.default_rng\(seed",
        ),
        "none": (lambda: LINEAR.init(None), TypeError, "rng must be a numpy.random.Generator, but is None"),
        "the old kind": (lambda: NORM.init(np.random.RandomState(0)), TypeError, "but is RandomState"),
        "int": (
            lambda: ACTOR.init(fresh_rng(), int),
            TypeError,
            "floating-point numbers, but dtype is int64; use float32",
        ),
        "int32": (lambda: NORM.init(fresh_rng(), np.int32), TypeError, "dtype is int32"),
        "complex": (lambda: LINEAR.init(fresh_rng(), complex), TypeError, "dtype is complex128"),
    }
)
def test_other_kinds_of_generators_and_dtypes_are_an_error(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: npnets.MLP(3, 2, (4,), activation=""), ValueError, "unknown activation ''"),
        (lambda: npnets.MLP(3, 2, (4,), activation=False), TypeError, "an activation must be a name"),
        (lambda: npnets.MLP(3, 2, (4,), norm_layer=""), ValueError, "unknown norm_layer ''"),
        (lambda: npnets.MLP(3, 2, (4,), "layer_norm", 0.1), TypeError, "norm_args must be a tuple or a dict"),
        (lambda: npnets.MLP(3, 2, (4,), "layer_norm", {"epsilon": 1}), TypeError, "cannot be made from norm_args"),
        (lambda: npnets.MLP(3, 2, (4,), activation="elu", act_args=("a",)), TypeError, "does not take the arguments"),
        (lambda: npnets.MLP(3, 2, (4,), activation="softplus", act_args=(0,)), (TypeError, ValueError), "'softplus'"),
        (lambda: npnets.MLP(3, 2, (4,), activation="gelu", act_args=("tan",)), ValueError, "'none' or 'tanh'"),
    ],
)
def test_invalid_arguments_of_activations_and_norms_are_an_error_when_the_network_is_made(
    make: Any, error: Any, words: str
) -> None:
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("max_action", [float("inf"), -1.0, 2.0])
def test_an_unbounded_actor_discards_any_bound_with_a_warning(max_action: float) -> None:
    with pytest.warns(UserWarning, match="max_action is discarded"):
        actor = npnets.ActorProb(npnets.Net(3, hidden_sizes=(4,)), 2, max_action=max_action, unbounded=True)
    assert actor.max_action == 1.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: npnets.Linear(3, 2, bias="no"),  # type: ignore[arg-type]
        lambda: npnets.EnsembleLinear(2, 3, 2, bias=None),  # type: ignore[arg-type]
        lambda: npnets.LayerNorm(3, elementwise_affine="no"),  # type: ignore[arg-type]
        lambda: npnets.Net(3, 2, softmax="yes"),  # type: ignore[arg-type]
        lambda: npnets.Net(3, 2, concat=2),  # type: ignore[arg-type]
        lambda: npnets.MLP(3, 2, flatten_input="no"),  # type: ignore[arg-type]
        lambda: npnets.Critic(npnets.Net(3, hidden_sizes=(4,)), flatten_input="no"),  # type: ignore[arg-type]
        lambda: npnets.ActorProb(npnets.Net(3, hidden_sizes=(4,)), 2, unbounded="no"),  # type: ignore[arg-type]
    ],
)
def test_a_flag_must_be_true_or_false(make: Any) -> None:
    with pytest.raises(TypeError, match="must be True or False, but is"):
        make()


def test_every_network_of_the_package_is_in_this_file() -> None:
    elsewhere = {"ActorCritic", "BranchingNet", "Policy"}  # in their own tests
    nets = {name for name in npnets.__all__ if name[0].isupper()} - elsewhere
    feed_forward = (ACTOR, PROB, CRITIC, PERTURB, CODER, PLAIN, LINEAR, NORM, NET, ENSEMBLE(1, 1))
    recurrent = (RECURRENT, RECURRENT_PROB, RECURRENT_CRITIC)
    assert nets == {type(net).__name__ for net in (*feed_forward, *recurrent)}
