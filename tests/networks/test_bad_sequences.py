"""Invalid sequences, states, lengths and resets are an error before any arithmetic, in the user's words."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, on_backend
from small_networks import RECURRENT, RECURRENT_CRITIC, RECURRENT_PROB, error_cases, fresh_rng, ones, params_of

import npnets
from npnets import RecurrentActorProb, RecurrentCritic

BATCH, STEPS, LAYERS, HIDDEN = 2, 7, 2, 4
THREE = {"Recurrent": RECURRENT, "RecurrentActorProb": RECURRENT_PROB, "RecurrentCritic": RECURRENT_CRITIC}
each_network = pytest.mark.parametrize("net", THREE.values(), ids=THREE)
each_wrong = functools.partial(error_cases, argument="make")


def _forward(net: Any, obs: Any = None, **options: Any) -> Any:
    obs = ones(BATCH, STEPS, 5) if obs is None else obs
    if net is RECURRENT_CRITIC and "act" not in options:
        options["act"] = ones(BATCH, 3)
    return net.forward(params_of(net), obs, **options)


def _state(*shape: int, **changes: Any) -> dict[str, Any]:
    given = {"hidden": ones(*shape), "cell": ones(*shape), **changes}
    return {name: part for name, part in given.items() if part is not None}


OBS = r"expected obs of shape \(batch, steps, 5\), or \(batch, 5\) for one step, but got "


@each_network
@each_wrong(
    {
        "one observation": (lambda: ones(5), ValueError, OBS + r"\(5,\); for a single observation pass obs\[None\]"),
        "a number": (lambda: 3.0, ValueError, OBS + r"\(\); for a single observation"),
        "four axes": (
            lambda: ones(2, 7, 5, 1),
            ValueError,
            OBS + r"\(2, 7, 5, 1\); lay each observation out in one dimension: obs.reshape\(batch, steps, 5\)",
        ),
        "another width": (lambda: ones(2, 7, 6), ValueError, OBS + r"\(2, 7, 6\); does the width .* match state_shape"),
        "another width of one step": (lambda: ones(2, 1), ValueError, OBS + r"\(2, 1\); does the width"),
        "no steps": (lambda: ones(2, 0, 5), ValueError, OBS + r"\(2, 0, 5\); a sequence needs at least one step"),
        "None": (lambda: None, TypeError, "obs must be an array of real numbers, but is None"),
        "text": (lambda: "obs", TypeError, "obs must be an array of real numbers, but is 'obs'"),
        "ragged sequences": (lambda: [[[1.0] * 5] * 2, [[1.0] * 5]], TypeError, "obs must be an array of numbers"),
        "a dict": (lambda: {"obs": 1}, TypeError, "forward takes the parameters first"),
    }
)
def test_observations_of_a_shape_other_than_sequences_are_an_error(net: Any, make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        net.forward(params_of(net), make())


SHAPE = r"must be of shape \(batch, layers, hidden\) = \(2, 2, 4\) for these obs and Recurrent\(2, 5, 3, .*, but "


@each_wrong(
    {
        "of another batch": (lambda: _state(3, 2, 4), ValueError, rf"state\['hidden'\] {SHAPE}has shape \(3, 2, 4\)"),
        "of one of the batch": (lambda: _state(1, 2, 4), ValueError, r"has shape \(1, 2, 4\); is it of another batch"),
        "of other layers": (lambda: _state(2, 1, 4), ValueError, r"has shape \(2, 1, 4\); .* or network"),
        "of another width": (lambda: _state(2, 2, 1), ValueError, r"has shape \(2, 2, 1\)"),
        "without layers": (lambda: _state(2, 4), ValueError, r"has shape \(2, 4\)"),
        "with a cell of another batch": (
            lambda: _state(2, 2, 4, cell=ones(1, 2, 4)),
            ValueError,
            rf"state\['cell'\] {SHAPE}has shape \(1, 2, 4\)",
        ),
        "without a cell": (
            lambda: _state(2, 2, 4, cell=None),
            ValueError,
            r"the keys \['hidden', 'cell'\], but lacks \['cell'\] and has \['hidden'\]; was it returned by another",
        ),
        "of nothing": (lambda: {}, ValueError, r"lacks \['hidden', 'cell'\] and has \[\]"),
        "that is a pair": (
            lambda: (ones(2, 2, 4), ones(2, 2, 4)),
            TypeError,
            r"None or a dict with the keys \['hidden', 'cell'\], as Recurrent\(.*\) returned it, but is a tuple",
        ),
        "that is an array": (lambda: ones(2, 2, 4), TypeError, "returned it, but is a ndarray"),
        "that holds None": (
            lambda: _state(2, 2, 4) | {"cell": None},
            TypeError,
            r"state\['cell'\] must be an array of real numbers, but is None",
        ),
    }
)
def test_a_state_of_other_shapes_or_keys_is_an_error(make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        _forward(RECURRENT, state=make())


@each_network
def test_the_state_of_another_batch_is_an_error_in_every_recurrent_network(net: Any) -> None:
    layers = net.layer_num
    with pytest.raises(ValueError, match=r"state\['hidden'\] must be of shape .* is it of another batch or network"):
        _forward(net, state=_state(3, layers, HIDDEN))
    _forward(net, state=_state(2, layers, HIDDEN))


WITHIN = r"lengths must lie within \[1, 7\], the number of steps of obs, but "


@each_network
@each_wrong(
    {
        "beyond the sequence": (lambda: [7, 8], ValueError, WITHIN + r"lengths\[1\] is 8; leave sequences without"),
        "zero": (lambda: np.array([0, 7]), ValueError, WITHIN + r"lengths\[0\] is 0"),
        "negative": (lambda: on_backend(np.array([3, -1])), ValueError, WITHIN + r"lengths\[1\] is -1"),
        "too few": (lambda: [7], ValueError, r"lengths must be of shape \(2,\), .* but has shape \(1,\)"),
        "too many": (lambda: [7, 7, 7], ValueError, r"has shape \(3,\)"),
        "one number": (lambda: 7, ValueError, r"has shape \(\)"),
        "a column": (lambda: [[7], [7]], ValueError, r"has shape \(2, 1\)"),
        "floats": (lambda: [7.0, 7.0], TypeError, "must be integers, .* dtype float64; .* pass mask.sum"),
        "booleans": (lambda: [True, True], TypeError, "must be integers, .* dtype bool"),
        "a mask": (lambda: ones(2, 7, dtype=bool), ValueError, r"has shape \(2, 7\)"),
        "text": (lambda: ["7", "7"], TypeError, "must be integers"),
        "ragged": (lambda: [[7], [7, 7]], TypeError, "lengths must be a sequence of integers, but is"),
        "None in it": (lambda: [7, None], TypeError, "must be integers, .* dtype object"),
    }
)
def test_lengths_that_are_impossible_are_an_error(net: Any, make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        _forward(net, lengths=make())


def test_lengths_for_single_steps_must_be_one() -> None:
    params, obs = params_of(RECURRENT), ones(2, 5)
    RECURRENT.forward(params, obs, lengths=[1, 1])
    with pytest.raises(ValueError, match=r"within \[1, 1\], the number of steps of obs, but lengths\[1\] is 2"):
        RECURRENT.forward(params, obs, lengths=[1, 2])


RESETS = (
    r"resets must be of shape \(batch, steps\) = \(2, 7\), true where an episode begins at that step, but has shape "
)


@each_network
@each_wrong(
    {
        "for each sequence": (lambda: ones(2, dtype=bool), ValueError, RESETS + r"\(2,\)"),
        "time first": (lambda: ones(7, 2, dtype=bool), ValueError, RESETS + r"\(7, 2\)"),
        "of fewer steps": (lambda: ones(2, 6, dtype=bool), ValueError, RESETS + r"\(2, 6\)"),
        "of one step": (lambda: ones(2, 1, dtype=bool), ValueError, RESETS + r"\(2, 1\)"),
        "with an axis of features": (lambda: ones(2, 7, 1, dtype=bool), ValueError, RESETS + r"\(2, 7, 1\)"),
        "one for all": (lambda: True, ValueError, RESETS + r"\(\)"),
        "integers": (lambda: ones(2, 7, dtype=int), TypeError, r"booleans, .* dtype int64; pass resets.astype\(bool\)"),
        "floats": (lambda: ones(2, 7), TypeError, "booleans, .* dtype float64"),
        "text": (lambda: [["no"] * 7] * 2, TypeError, "booleans"),
        "ragged": (lambda: [[True] * 7, [True]], TypeError, "resets must be an array of booleans, but is"),
    }
)
def test_resets_of_another_shape_or_dtype_are_an_error(net: Any, make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        _forward(net, resets=make())


def test_resets_for_single_steps_may_have_one_entry_for_each_sequence() -> None:
    params, state = params_of(RECURRENT), _state(2, LAYERS, HIDDEN)
    for obs in (ones(2, 5), ones(2, 1, 5)):
        outputs = [
            as_numpy(RECURRENT.forward(params, obs, state, resets=resets)[0])
            for resets in (on_backend(np.array([True, False])), np.array([[True], [False]]), [True, False])
        ]
        assert (outputs[0] == outputs[1]).all() and (outputs[0] == outputs[2]).all()
        assert (outputs[0][0] != outputs[0][1]).all()
    with pytest.raises(ValueError, match=r"\(2, 1\), .* but has shape \(3,\)"):
        RECURRENT.forward(params, ones(2, 5), resets=[True] * 3)


ACT = r"expected act of shape "


@each_wrong(
    {
        "of another width": (lambda: {"act": ones(2, 4)}, ValueError, ACT + r"\(2, 3\), the last .* but got \(2, 4\)"),
        "of another batch": (lambda: {"act": ones(1, 3)}, ValueError, ACT + r"\(2, 3\), the last .* but got \(1, 3\)"),
        "without a batch": (lambda: {"act": ones(3)}, ValueError, r"but got \(3,\)"),
        "of every step": (
            lambda: {"act": ones(2, 7, 3)},
            ValueError,
            r"2 sequences and 7 steps, but got \(2, 7, 3\); for every step's pass all_steps=True",
        ),
        "of the last step alone": (
            lambda: {"act": ones(2, 3), "all_steps": True},
            ValueError,
            ACT + r"\(2, 7, 3\), every step's .* but got \(2, 3\); for the last step's alone leave all_steps out",
        ),
        "none": (lambda: {"act": None}, ValueError, r"was given no act; .* pass act of shape \(2, 3\)"),
        "none of every step": (
            lambda: {"act": None, "all_steps": True},
            ValueError,
            r"was given no act; .* pass act of shape \(2, 7, 3\)",
        ),
        "complex numbers": (lambda: {"act": ones(2, 3) * 1j}, TypeError, "act must be an array of real numbers"),
    }
)
def test_actions_that_do_not_fit_a_recurrent_critic_are_an_error(make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        _forward(RECURRENT_CRITIC, **make())


def test_a_state_in_place_of_another_argument_of_a_critic_is_an_error() -> None:
    params, state = params_of(RECURRENT_CRITIC), {"hidden": ones(2, 1, 4), "cell": ones(2, 1, 4)}
    obs, act = ones(2, RECURRENT_CRITIC.lstm.input_size), ones(2, RECURRENT_CRITIC.action_shape)
    for arguments in ((state,), (act, state)):
        with pytest.raises(
            TypeError, match=r"is a recurrent state; a critic takes it by keyword: forward\(..., state=state\)"
        ):
            RECURRENT_CRITIC.forward(params, obs, *arguments)


def test_an_action_for_a_critic_of_observations_alone_is_an_error() -> None:
    critic = RecurrentCritic(1, 5, hidden_layer_size=4)
    with pytest.raises(
        ValueError, match="was given an act, although action_shape is 0; make the critic with the shape"
    ):
        critic.forward(params_of(critic), ones(2, 5), ones(2, 3))


@each_wrong(
    {
        "another layer number": (
            lambda params: params["lstm"].pop("layer_1"),
            ValueError,
            r"must have the keys \['layer_0', 'layer_1'\] at 'lstm', but lack \['layer_1'\]",
        ),
        "a missing bias": (lambda params: params["lstm"]["layer_1"].pop("bias_hh"), ValueError, r"lack \['bias_hh'\]"),
        "a transposed weight": (
            lambda params: params["lstm"]["layer_0"].update(weight_ih=ones(16, 5)),
            ValueError,
            r"'lstm.layer_0.weight_ih' of RecurrentCritic\(.* an array of shape \(5, 16\), but has shape \(16, 5\)",
        ),
        "a second layer of the first's width": (
            lambda params: params["lstm"]["layer_1"].update(weight_ih=ones(5, 16)),
            ValueError,
            r"of shape \(4, 16\), but has shape \(5, 16\)",
        ),
        "two dtypes": (
            lambda params: params["lstm"]["layer_1"].update(bias_ih=ones(16)),
            TypeError,
            "must all be of one dtype, but .* and 'lstm.layer_1.bias_ih' has dtype float64",
        ),
        "no LSTM": (lambda params: params.pop("lstm"), ValueError, r"of RecurrentCritic\(.* but lack \['lstm'\]"),
    }
)
def test_parameters_of_another_lstm_are_an_error(make: Any, error: Any, words: str) -> None:
    params = params_of(RECURRENT_CRITIC)
    make(params)
    with pytest.raises(error, match=words):
        RECURRENT_CRITIC.forward(params, ones(2, 5), ones(2, 3))


def test_a_log_sigma_of_another_shape_or_dtype_is_an_error() -> None:
    params = params_of(RECURRENT_PROB)
    with pytest.raises(ValueError, match=r"'log_sigma' of RecurrentActorProb.* of shape \(3,\), but has shape \(1,\)"):
        RECURRENT_PROB.forward({**params, "log_sigma": ones(1, dtype=np.float32)}, ones(2, 5))
    with pytest.raises(TypeError, match="one dtype, but .* and 'log_sigma' has dtype float64"):
        RECURRENT_PROB.forward({**params, "log_sigma": ones(3)}, ones(2, 5))


@pytest.mark.numpy_alone("descriptions hold no arrays")
@each_wrong(
    {
        "no layers": (lambda: npnets.Recurrent(0, 5, 3), ValueError, "layer_num must be at least 1, but is 0"),
        "a width that is a float": (lambda: RecurrentActorProb(1, 5, 3, 64.0), TypeError, "hidden_layer_size .* 64.0"),
        "no observation": (lambda: RecurrentCritic(1, ()), ValueError, "state_shape .* is empty"),
        "no action": (lambda: npnets.Recurrent(1, 5, 0), ValueError, "action_shape must be at least 1, but is 0"),
        "a bound": (lambda: RecurrentActorProb(1, 5, 3, max_action=[1, 2]), ValueError, r"max_action .* shape \(3,\)"),
        "a flag": (lambda: RecurrentActorProb(1, 5, 3, unbounded="no"), TypeError, "unbounded must be True or False"),
        "a device": (
            lambda: RecurrentActorProb(1, 5, 3, device="gpu"),
            ValueError,
            "device must be 'cpu', .* is 'gpu'",
        ),
        "a device's number": (lambda: npnets.Recurrent(1, 5, 3, -1), ValueError, "device must be 'cpu'"),
        "a device of a critic": (lambda: RecurrentCritic(1, 5, device="tpu"), ValueError, "device must be 'cpu'"),
        "a seed": (lambda: RECURRENT.init(0), TypeError, "rng must be a numpy.random.Generator, but is 0"),
        "integers": (lambda: RECURRENT_CRITIC.init(fresh_rng(), int), TypeError, "dtype is int64; use float32"),
    }
)
def test_invalid_arguments_of_recurrent_networks_are_an_error_when_the_network_is_made(
    make: Any, error: Any, words: str
) -> None:
    with pytest.raises(error, match=words):
        make()
