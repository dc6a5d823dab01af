"""Invalid observations, actions and parameters are an error before any arithmetic, which names them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy
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
    act,
    error_cases,
    forward,
    fresh_rng,
    obs,
    ones,
    params_of,
)

from npnets import Critic, Net

LAST = ("last", "linear_0", "weight")
TRUNK = ("preprocess", "model", "linear_0", "weight")


def _with(params: Any, value: Any, *path: str) -> Any:
    """Return parameters with another value at a path, or without the path if the value is `...`."""
    head, *rest = path
    if not rest and value is ...:
        return {key: part for key, part in params.items() if key != head}
    return {**params, head: _with(params[head], value, *rest) if rest else value}


def _changed(net: Any, value: Any, *path: str) -> Any:
    return _with(params_of(net), value, *path)


LACKS = "must have the keys .* but lack "
TWO = "must all be of one dtype, but .* has dtype float.. and .* has dtype float"
FLOATS = r"float32 or float64 array.* has dtype int64; convert it with astype\(numpy.float32\)"


@error_cases(
    {
        "missing at the top": (
            lambda: ACTOR.forward(_changed(ACTOR, ..., "last"), obs()),
            ValueError,
            r"of Actor\(.* the keys \['preprocess', 'last'\], but lack \['last'\]; were they made by another",
        ),
        "left over at the top": (
            lambda: ACTOR.forward({**params_of(ACTOR), "mu": {}}, obs()),
            ValueError,
            r"but have \['mu'\] besides; were they made by another network",
        ),
        "missing and left over": (
            lambda: PROB.forward({**_changed(PROB, ..., "mu"), "last": {}}, obs()),
            ValueError,
            r"lack \['mu'\] and have \['last'\] besides",
        ),
        "missing in a layer": (
            lambda: ACTOR.forward(_changed(ACTOR, ..., *LAST), obs()),
            ValueError,
            r"must have the keys .* at 'last.linear_0', but lack \['weight'\]",
        ),
        "left over in a layer": (
            lambda: ACTOR.forward(_changed(ACTOR, 1.0, "last", "linear_0", "gain"), obs()),
            ValueError,
            r"Actor\(.* at 'last.linear_0', but have \['gain'\] besides",
        ),
        "a missing layer": (
            lambda: PLAIN.forward(_changed(PLAIN, ..., "linear_1"), obs()),
            ValueError,
            rf"parameters of MLP\(5.* {LACKS}\['linear_1'\]",
        ),
        "a missing norm": (
            lambda: NORM.forward({"weight": params_of(NORM)["weight"]}, obs()),
            ValueError,
            rf"{LACKS}\['bias'\]",
        ),
        "transposed": (
            lambda: ACTOR.forward(_changed(ACTOR, params_of(ACTOR)["last"]["linear_0"]["weight"].T, *LAST), obs()),
            ValueError,
            r"'last.linear_0.weight' of Actor\(.* an array of shape \(4, 3\), but has shape \(3, 4\); weights are \(in",
        ),
        "a bias that would broadcast": (
            lambda: LINEAR.forward({**params_of(LINEAR), "bias": ones(1, dtype=np.float32)}, obs()),
            ValueError,
            r"'bias' .* of shape \(3,\), but has shape \(1,\)",
        ),
        "of another network": (
            lambda: ACTOR.forward(params_of(CRITIC), obs()),
            ValueError,
            r"\(5, 4\), but has shape \(8, 4\)",
        ),
        "log_sigma": (
            lambda: PROB.forward(_changed(PROB, ones(1, dtype=np.float32), "log_sigma"), obs()),
            ValueError,
            r"'log_sigma' of ActorProb.* of shape \(3,\), but has shape \(1,\)",
        ),
        "a parameter that is None": (
            lambda: ACTOR.forward(_changed(ACTOR, None, *LAST), obs()),
            ValueError,
            "but is a NoneType",
        ),
        "a parameter that is a list": (
            lambda: ACTOR.forward(_changed(ACTOR, [[1]], *LAST), obs()),
            ValueError,
            "but is a list",
        ),
        "integers": (
            lambda: ACTOR.forward(_changed(ACTOR, ones(4, 3, dtype=int), *LAST), obs()),
            TypeError,
            FLOATS,
        ),
        "integers first": (
            lambda: ACTOR.forward(_changed(ACTOR, ones(5, 4, dtype=int), *TRUNK), obs()),
            TypeError,
            FLOATS,
        ),
        "integers last": (
            lambda: LINEAR.forward({**params_of(LINEAR), "bias": ones(3, dtype=int)}, obs()),
            TypeError,
            rf"parameter 'bias' of Linear\(5, 3\) must be a {FLOATS}",
        ),
        "none at all": (lambda: ACTOR.forward(None, obs()), TypeError, "as a dict with the keys .* got a NoneType"),
        "none of a part": (
            lambda: ACTOR.forward({**params_of(ACTOR), "preprocess": None}, obs()),
            TypeError,
            r"of Actor\(.* at 'preprocess' as a dict with the keys \['model'\], but got a NoneType",
        ),
        "an empty dict": (lambda: PLAIN.forward({}, obs()), ValueError, LACKS),
    }
)
def test_the_error_for_parameters_of_another_network_names_them(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("net", "inputs", "path", "shape"),
    [
        (LINEAR, (obs,), ("bias",), (3,)),
        (NORM, (obs,), ("bias",), (5,)),
        (ACTOR, (obs,), LAST, (4, 3)),
        (ACTOR, (obs,), ("last", "linear_0", "bias"), (3,)),
        (ACTOR, (obs,), TRUNK, (5, 4)),
        (PROB, (obs,), ("log_sigma",), (3,)),
        (CRITIC, (obs, act), LAST, (4, 1)),
        (CRITIC, (obs, act), TRUNK, (8, 4)),
        (PERTURB, (obs, act), ("preprocess", "model", "linear_1", "bias"), (3,)),
        (CODER, (obs, act), ("mean", "weight"), (6, 2)),
        (CODER, (obs, act), ("log_std", "bias"), (2,)),
        (CODER, (obs, act), ("decoder", "linear_0", "weight"), (7, 7)),
    ],
)
def test_parameters_of_two_dtypes_in_one_tree_are_an_error(net: Any, inputs: Any, path: Any, shape: Any) -> None:
    options = {"noise": ones(2, 2)} if net is CODER else {}
    given = [make() for make in inputs]
    forward(net, *given, **options)
    with pytest.raises(TypeError, match=TWO):
        net.forward(_changed(net, ones(*shape), *path), *given, **options)


WIDTHS = "do the widths of observations and actions match those the network was made for"
BATCH = r"must have a batch axis and then features, but has shape "
REAL = "must be an array of real numbers, but is "
ROWS = r"state and action must both be \(batch, features\) with the same batch, but have shapes "


@error_cases(
    {
        "too wide": (lambda: forward(ACTOR, ones(2, 6)), ValueError, rf"\(batch, 5\), but got \(2, 6\); {WIDTHS}"),
        "too wide an action": (
            lambda: forward(CRITIC, obs(), ones(2, 4)),
            ValueError,
            r"8\), but got \(2, 9\)",
        ),
        "no action": (lambda: forward(CRITIC, obs()), ValueError, r"8\), but got \(2, 5\); .*concat=True"),
        "an action for none": (
            lambda: forward(Critic(Net(5, hidden_sizes=(4,))), obs(), act()),
            ValueError,
            "concat=True",
        ),
        "of a layer": (lambda: forward(LINEAR, ones(2, 1)), ValueError, r"\(batch, 5\), but got \(2, 1\)"),
        "of a norm": (lambda: forward(NORM, ones(2, 1)), ValueError, r"LayerNorm\(5\) .* but got \(2, 1\)"),
        "of a VAE": (
            lambda: forward(CODER, ones(2, 6), act(), rng=fresh_rng()),
            ValueError,
            r"8\), but got \(2, 9\)",
        ),
        "a latent": (
            lambda: CODER.decode(params_of(CODER), obs(), ones(2, 1)),
            ValueError,
            "latent_z must have 2 .* but has 1",
        ),
        "noise": (
            lambda: forward(CODER, obs(), act(), noise=ones(2, 1)),
            ValueError,
            r"noise .* \(2, 2\), .* \(2, 1\)",
        ),
        "no batch": (
            lambda: forward(ACTOR, ones(5)),
            ValueError,
            rf"obs {BATCH}\(5,\); for a single one pass obs\[None",
        ),
        "no batch of actions": (
            lambda: forward(CRITIC, obs(), ones(3)),
            ValueError,
            rf"act {BATCH}.* act\[None",
        ),
        "no batch of a layer": (
            lambda: forward(LINEAR, ones(5)),
            ValueError,
            r"with a batch axis.* x\[None\]",
        ),
        "no batch of a VAE": (
            lambda: forward(CODER, ones(5), ones(3), rng=fresh_rng()),
            ValueError,
            rf"{ROWS}\(5,\) and \(3,\); for a single one pass state\[None\]",
        ),
        "a number": (lambda: forward(PROB, 3.0), ValueError, rf"obs {BATCH}\(\)"),
        "batches that differ": (
            lambda: forward(CRITIC, obs(), ones(1, 3)),
            ValueError,
            "obs and act must have a row for each of the same batch, but have 2 and 1",
        ),
        "batches of a VAE": (lambda: forward(CODER, obs(), ones(1, 3), rng=fresh_rng()), ValueError, ROWS),
        "batches to perturb": (lambda: forward(PERTURB, obs(), ones(1, 3)), ValueError, ROWS),
        "None": (lambda: forward(ACTOR, None), TypeError, f"obs {REAL}None"),
        "None in rows": (lambda: forward(ACTOR, [[None] * 5]), TypeError, f"obs {REAL}"),
        "no action to perturb": (lambda: forward(PERTURB, obs(), None), TypeError, f"action {REAL}None"),
        "text": (lambda: forward(LINEAR, "hello"), TypeError, f"x {REAL}'hello'"),
        "numbers as text": (lambda: forward(ACTOR, np.array([["1"] * 5])), TypeError, f"obs {REAL}"),
        "complex numbers": (lambda: forward(CRITIC, obs(), act() * 1j), TypeError, f"act {REAL}"),
        "ragged rows": (lambda: forward(ACTOR, [[1, 2, 3, 4, 5], [1]]), TypeError, "obs must be an array of numbers"),
        "a dict": (
            lambda: forward(ACTOR, {"obs": 1}),
            TypeError,
            f"obs {REAL}.*; forward takes the parameters first",
        ),
    }
)
def test_inputs_that_do_not_fit_are_an_error(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("net", "inputs"),
    [
        (ACTOR, (obs,)),
        (PROB, (obs,)),
        (CRITIC, (obs, act)),
        (PERTURB, (obs, act)),
        (CODER, (obs, act)),
        (LINEAR, (obs,)),
        (NORM, (obs,)),
        (PLAIN, (obs,)),
        (NET, (obs,)),
    ],
    ids=lambda x: type(x).__name__,
)
def test_the_error_for_parameters_in_place_of_observations_names_the_right_order(net: Any, inputs: Any) -> None:
    first, *others = [make() for make in inputs]
    with pytest.raises(TypeError, match=r"forward takes the parameters first: forward\(params, ...\)"):
        net.forward(first, params_of(net), *others)


def test_the_error_for_observations_in_a_dict_points_to_a_trunk_of_the_users_own() -> None:
    with pytest.raises(
        TypeError, match="if observations are dicts, a preprocess net of your own must make one array of their parts"
    ):
        NET.forward(params_of(NET), {"position": obs(), "velocity": obs()})


def test_an_empty_batch_is_a_valid_input() -> None:
    assert as_numpy(forward(ACTOR, ones(0, 5))[0]).shape == (0, 3)
    assert as_numpy(forward(CRITIC, ones(0, 5), ones(0, 3))).shape == (0, 1)
