"""Observations, actions and parameters that a network cannot take are refused before any arithmetic, and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_networks import (
    ACT,
    ACTOR,
    CODER,
    CODER_P,
    CRITIC,
    CRITIC_P,
    LINEAR,
    LINEAR_P,
    NORM,
    NORM_P,
    OBS,
    PERTURB,
    PERTURB_P,
    PLAIN,
    PLAIN_P,
    PROB,
    PROB_P,
    P,
    fresh_rng,
)

import npnets
from npnets import Critic, Net

LAST = ("last", "linear_0", "weight")
TRUNK = ("preprocess", "model", "linear_0", "weight")


def _with(params: Any, value: Any, *path: str) -> Any:
    """The parameters with another value at a path, or without it where the value is `...`."""
    head, *rest = path
    if not rest and value is ...:
        return {key: part for key, part in params.items() if key != head}
    return {**params, head: _with(params[head], value, *rest) if rest else value}


def _refused(cases: dict[str, tuple[Callable[[], Any], type[Exception], str]]) -> Any:
    return pytest.mark.parametrize(("call", "error", "words"), cases.values(), ids=cases)


def _wide(*shape: int) -> Any:
    return np.ones(shape)


LACKS = "must have the keys .* but lack "
TWO = "parameters of two dtypes in one tree"
FLOATS = r"floating-point .* has dtype int64; convert .*with astype\(numpy.float32\)"


@_refused(
    {
        "missing at the top": (
            lambda: ACTOR.forward(_with(P, ..., "last"), OBS),
            ValueError,
            r"of Actor\(.* the keys \['preprocess', 'last'\], but lack \['last'\]; were they made by another",
        ),
        "left over at the top": (
            lambda: ACTOR.forward({**P, "mu": {}}, OBS),
            ValueError,
            r"but have \['mu'\] besides; were they made by another network",
        ),
        "missing and left over": (
            lambda: PROB.forward({**_with(PROB_P, ..., "mu"), "last": {}}, OBS),
            ValueError,
            r"lack \['mu'\] and have \['last'\] besides",
        ),
        "missing in a layer": (
            lambda: ACTOR.forward(_with(P, ..., *LAST), OBS),
            ValueError,
            rf"parameters of Linear\(4, 3\) {LACKS}\['weight'\]",
        ),
        "left over in a layer": (
            lambda: ACTOR.forward(_with(P, 1.0, "last", "linear_0", "gain"), OBS),
            ValueError,
            r"Linear\(4, 3\) .* but have \['gain'\] besides",
        ),
        "a missing layer": (
            lambda: PLAIN.forward(_with(PLAIN_P, ..., "linear_1"), OBS),
            ValueError,
            rf"parameters of MLP\(5.* {LACKS}\['linear_1'\]",
        ),
        "a missing norm": (lambda: NORM.forward({"weight": NORM_P["weight"]}, OBS), ValueError, rf"{LACKS}\['bias'\]"),
        "transposed": (
            lambda: ACTOR.forward(_with(P, P["last"]["linear_0"]["weight"].T, *LAST), OBS),
            ValueError,
            r"'weight' of Linear\(4, 3\) must be an array of shape \(4, 3\), but has shape \(3, 4\); was it made by",
        ),
        "a bias that would broadcast": (
            lambda: LINEAR.forward({**LINEAR_P, "bias": np.ones(1, np.float32)}, OBS),
            ValueError,
            r"'bias' .* of shape \(3,\), but has shape \(1,\)",
        ),
        "of another network": (lambda: ACTOR.forward(CRITIC_P, OBS), ValueError, r"\(5, 4\), but has shape \(8, 4\)"),
        "log_sigma": (
            lambda: PROB.forward(_with(PROB_P, np.ones(1, np.float32), "log_sigma"), OBS),
            ValueError,
            r"'log_sigma' of ActorProb.* of shape \(3,\), but has shape \(1,\)",
        ),
        "a parameter that is None": (
            lambda: ACTOR.forward(_with(P, None, *LAST), OBS),
            ValueError,
            "but is a NoneType",
        ),
        "a parameter that is a list": (lambda: ACTOR.forward(_with(P, [[1]], *LAST), OBS), ValueError, "but is a list"),
        "integers": (
            lambda: ACTOR.forward(_with(P, np.ones((4, 3), int), *LAST), OBS),
            TypeError,
            FLOATS,
        ),
        "integers first": (lambda: ACTOR.forward(_with(P, np.ones((5, 4), int), *TRUNK), OBS), TypeError, FLOATS),
        "integers last": (
            lambda: LINEAR.forward({**LINEAR_P, "bias": np.ones(3, int)}, OBS),
            TypeError,
            rf"parameter 'bias' of Linear\(5, 3\) must hold {FLOATS}",
        ),
        "none at all": (lambda: ACTOR.forward(None, OBS), TypeError, "as a dict with the keys .* got a NoneType"),
        "none of a part": (
            lambda: ACTOR.forward({**P, "preprocess": None}, OBS),
            TypeError,
            r"of Net\(.* got a NoneType",
        ),
        "an empty dict": (lambda: PLAIN.forward({}, OBS), TypeError, "dict of arrays as parameters, but got {}"),
    }
)
def test_parameters_of_another_network_are_refused_and_named(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("net", "params", "inputs", "path", "shape"),
    [
        (LINEAR, LINEAR_P, (OBS,), ("bias",), (3,)),
        (NORM, NORM_P, (OBS,), ("bias",), (5,)),
        (ACTOR, P, (OBS,), LAST, (4, 3)),
        (ACTOR, P, (OBS,), ("last", "linear_0", "bias"), (3,)),
        (ACTOR, P, (OBS,), TRUNK, (5, 4)),
        (PROB, PROB_P, (OBS,), ("log_sigma",), (3,)),
        (CRITIC, CRITIC_P, (OBS, ACT), LAST, (4, 1)),
        (CRITIC, CRITIC_P, (OBS, ACT), TRUNK, (8, 4)),
        (PERTURB, PERTURB_P, (OBS, ACT), ("preprocess", "model", "linear_1", "bias"), (3,)),
        (CODER, CODER_P, (OBS, ACT), ("mean", "weight"), (6, 2)),
        (CODER, CODER_P, (OBS, ACT), ("log_std", "bias"), (2,)),
        (CODER, CODER_P, (OBS, ACT), ("decoder", "linear_0", "weight"), (7, 7)),
    ],
)
def test_parameters_of_two_dtypes_in_one_tree_are_refused(
    net: Any, params: Any, inputs: Any, path: Any, shape: Any
) -> None:
    options = {"noise": np.zeros((2, 2))} if net is CODER else {}
    net.forward(params, *inputs, **options)
    with pytest.raises(TypeError, match=TWO):
        net.forward(_with(params, np.ones(shape), *path), *inputs, **options)


WIDTHS = "do the widths of observations and actions match those the network was made for"
BATCH = r"must have a batch axis and then features, but has shape "
REAL = "must be an array of real numbers, but is "
ROWS = r"state and action must both be \(batch, features\) with the same batch, but have shapes "


@_refused(
    {
        "too wide": (lambda: ACTOR.forward(P, _wide(2, 6)), ValueError, rf"\(batch, 5\), but got \(2, 6\); {WIDTHS}"),
        "too wide an action": (
            lambda: CRITIC.forward(CRITIC_P, OBS, _wide(2, 4)),
            ValueError,
            r"8\), but got \(2, 9\)",
        ),
        "no action": (lambda: CRITIC.forward(CRITIC_P, OBS), ValueError, r"8\), but got \(2, 5\); .*concat=True"),
        "an action for none": (
            lambda: Critic(Net(5, hidden_sizes=(4,))).forward(P, OBS, ACT),
            ValueError,
            "concat=True",
        ),
        "of a layer": (lambda: LINEAR.forward(LINEAR_P, _wide(2, 1)), ValueError, r"\(batch, 5\), but got \(2, 1\)"),
        "of a norm": (lambda: NORM.forward(NORM_P, _wide(2, 1)), ValueError, r"LayerNorm\(5\) .* but got \(2, 1\)"),
        "of a VAE": (
            lambda: CODER.forward(CODER_P, _wide(2, 6), ACT, rng=fresh_rng()),
            ValueError,
            r"8\), but got \(2, 9\)",
        ),
        "a latent": (lambda: CODER.decode(CODER_P, OBS, _wide(2, 1)), ValueError, "latent_z must have 2 .* but has 1"),
        "noise": (
            lambda: CODER.forward(CODER_P, OBS, ACT, noise=_wide(2, 1)),
            ValueError,
            r"noise .* \(2, 2\), .* \(2, 1\)",
        ),
        "no batch": (
            lambda: ACTOR.forward(P, _wide(5)),
            ValueError,
            rf"obs {BATCH}\(5,\); for a single one pass obs\[None",
        ),
        "no batch of actions": (
            lambda: CRITIC.forward(CRITIC_P, OBS, _wide(3)),
            ValueError,
            rf"act {BATCH}.* act\[None",
        ),
        "no batch of a layer": (
            lambda: LINEAR.forward(LINEAR_P, _wide(5)),
            ValueError,
            r"with a batch axis.* x\[None\]",
        ),
        "no batch of a VAE": (
            lambda: CODER.forward(CODER_P, _wide(5), _wide(3), rng=fresh_rng()),
            ValueError,
            rf"{ROWS}\(5,\) and \(3,\); for a single one pass state\[None\]",
        ),
        "a number": (lambda: PROB.forward(PROB_P, 3.0), ValueError, rf"obs {BATCH}\(\)"),
        "batches that differ": (
            lambda: CRITIC.forward(CRITIC_P, OBS, _wide(1, 3)),
            ValueError,
            "obs and act must have a row for each of the same batch, but have 2 and 1",
        ),
        "batches of a VAE": (lambda: CODER.forward(CODER_P, OBS, _wide(1, 3), rng=fresh_rng()), ValueError, ROWS),
        "batches to perturb": (lambda: PERTURB.forward(PERTURB_P, OBS, _wide(1, 3)), ValueError, ROWS),
        "None": (lambda: ACTOR.forward(P, None), TypeError, f"obs {REAL}None"),
        "None in rows": (lambda: ACTOR.forward(P, [[None] * 5]), TypeError, f"obs {REAL}"),
        "no action to perturb": (lambda: PERTURB.forward(PERTURB_P, OBS, None), TypeError, f"action {REAL}None"),
        "text": (lambda: LINEAR.forward(LINEAR_P, "hello"), TypeError, f"x {REAL}'hello'"),
        "numbers as text": (lambda: ACTOR.forward(P, np.array([["1"] * 5])), TypeError, f"obs {REAL}"),
        "complex numbers": (lambda: CRITIC.forward(CRITIC_P, OBS, ACT * 1j), TypeError, f"act {REAL}"),
        "ragged rows": (lambda: ACTOR.forward(P, [[1, 2, 3, 4, 5], [1]]), TypeError, "obs must be an array of numbers"),
        "a dict": (
            lambda: ACTOR.forward(P, {"obs": 1}),
            TypeError,
            f"obs {REAL}.*; forward takes the parameters first",
        ),
    }
)
def test_inputs_that_do_not_fit_are_refused(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("net", "params", "inputs"),
    [
        (ACTOR, P, (OBS,)),
        (PROB, PROB_P, (OBS,)),
        (CRITIC, CRITIC_P, (OBS, ACT)),
        (PERTURB, PERTURB_P, (OBS, ACT)),
        (CODER, CODER_P, (OBS, ACT)),
        (LINEAR, LINEAR_P, (OBS,)),
        (NORM, NORM_P, (OBS,)),
        (PLAIN, PLAIN_P, (OBS,)),
        (Net(5, hidden_sizes=(4,)), P["preprocess"], (OBS,)),
    ],
    ids=lambda x: type(x).__name__,
)
def test_parameters_that_are_passed_in_the_place_of_observations_are_told_where_they_belong(
    net: Any, params: Any, inputs: Any
) -> None:
    with pytest.raises(TypeError, match=r"forward takes the parameters first: forward\(params, ...\)"):
        net.forward(inputs[0], params, *inputs[1:])


def test_an_empty_batch_is_an_input_like_any_other() -> None:
    assert ACTOR.forward(P, np.ones((0, 5)))[0].shape == (0, 3)
    assert CRITIC.forward(CRITIC_P, np.ones((0, 5)), np.ones((0, 3))).shape == (0, 1)


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
