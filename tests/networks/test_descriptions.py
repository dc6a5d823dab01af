"""Descriptions of networks are values: frozen, without arrays, comparable, printed as the call that makes them."""

from __future__ import annotations

import dataclasses
import functools
import pickle
from typing import Any

import numpy as np
import pytest
from backends import assert_array_equal, bits
from network_cases import ACT, CASES, Case, each_case, initial, small_net, there

import npnets


@each_case
def test_a_description_is_frozen_and_holds_no_arrays(case: Case) -> None:
    field = dataclasses.fields(case.net)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(case.net, field, 1)
    initial(case.net, np.random.default_rng(0))
    case.run(case.params(), *case.inputs())
    assert not _holds_an_array(case.net)


def _holds_an_array(x: Any, seen: tuple[Any, ...] = ()) -> bool:
    if any(x is one for one in seen):
        return False
    if isinstance(x, (dict, list, tuple)):
        return any(_holds_an_array(part, (*seen, x)) for part in (x.values() if isinstance(x, dict) else x))
    parts = getattr(x, "__dict__", {}).values()
    return hasattr(x, "dtype") or any(_holds_an_array(part, (*seen, x)) for part in parts)


@pytest.mark.parametrize("case", [c for c in CASES.values() if "_square" not in repr(c.net)])
def test_the_repr_of_a_description_evaluates_to_an_equal_one(case: Case) -> None:
    net, names = there(case.net), {**vars(npnets), "npnets": npnets, "functools": functools}
    for one in (case.net, net):
        again = eval(repr(one), names)
        assert again == one and again is not one
        assert repr(again) == repr(one)
        assert bits(initial(again, np.random.default_rng(0))) == bits(initial(one, np.random.default_rng(0)))


@each_case
def test_a_description_survives_pickle_before_and_after_use(case: Case) -> None:
    fresh = pickle.loads(pickle.dumps(there(case.net)))
    params, inputs = case.params(), case.inputs()
    expected = bits(case.run(params, *inputs))
    again = pickle.loads(pickle.dumps(case.net))
    assert again == case.net and fresh == there(case.net)
    for net in (again, fresh):
        assert bits(case._replace(net=net).run(params, *inputs)) == expected


@pytest.mark.numpy_alone("no arrays in it")
@each_case
def test_a_description_equals_no_description_of_other_arguments(case: Case) -> None:
    assert [other.net for other in CASES.values() if other.net == case.net] == [case.net]


@pytest.mark.numpy_alone("no arrays in it but NumPy's, as sizes and bounds")
def test_equivalent_arguments_make_equal_descriptions() -> None:
    twins = functools.partial(npnets.EnsembleLinear, 2)
    one = npnets.MLP(3, 2, [4, 5], activation=["tanh", None], linear_layer=functools.partial(npnets.EnsembleLinear, 2))
    two = npnets.MLP(3, 2, np.array([4, 5]), activation=("tanh", None), linear_layer=twins)
    assert one == two and one != npnets.MLP(3, 2, [4, 5])
    assert npnets.Actor(small_net(), [3], max_action=np.ones(3)) == npnets.Actor(
        small_net(), (3,), max_action=[1, 1, 1]
    )
    assert npnets.Actor(small_net(), 3, max_action=1) != npnets.Actor(small_net(), 3, max_action=2)


@pytest.mark.numpy_alone("no arrays in it")
def test_changing_a_list_after_it_made_a_description_does_not_change_the_description() -> None:
    sizes, args = [4, 5], {"eps": 1e-3}
    mlp = npnets.MLP(3, 2, sizes, "layer_norm", args)
    sizes.append(6)
    args["eps"] = 5.0
    assert mlp == npnets.MLP(3, 2, [4, 5], "layer_norm", {"eps": 1e-3})


def test_parameters_have_the_documented_keys() -> None:
    params = {name: initial(case.net, np.random.default_rng(0)) for name, case in CASES.items()}
    keys = {name: sorted(of_case) for name, of_case in params.items()}
    assert keys["Linear"] == keys["EnsembleLinear"] == ["bias", "weight"]
    assert (keys["Linear without bias"], keys["LayerNorm"]) == (["weight"], ["weight"])
    assert keys["MLP"] == ["linear_0", "linear_1", "norm_0"]
    assert (keys["Net"], keys["Net that duels"]) == (["model"], ["Q", "V", "model"])
    assert keys["Actor"] == keys["Critic"] == ["last", "preprocess"]
    assert keys["ActorProb"] == ["log_sigma", "mu", "preprocess"]
    assert keys["ActorProb conditioned"] == ["mu", "preprocess", "sigma"]
    assert (keys["Perturbation"], keys["VAE"]) == (["preprocess"], ["decoder", "encoder", "log_std", "mean"])
    assert (keys["Recurrent"], keys["RecurrentCritic"]) == (["first", "last", "lstm"], ["last", "lstm"])
    assert keys["RecurrentActorProb"] == ["log_sigma", "lstm", "mu"]
    assert keys["RecurrentActorProb conditioned"] == ["lstm", "mu", "sigma"]
    lstm = npnets.tree.map(lambda leaf: leaf.shape, params["RecurrentCritic of actions"]["lstm"])
    assert list(lstm) == ["layer_0", "layer_1"]
    assert lstm["layer_0"] == {"weight_ih": (5, 16), "weight_hh": (4, 16), "bias_ih": (16,), "bias_hh": (16,)}
    assert_array_equal(params["RecurrentActorProb"]["log_sigma"], np.zeros(ACT))
    assert_array_equal(params["ActorProb"]["log_sigma"], np.zeros(ACT))
    shapes = npnets.tree.map(lambda leaf: leaf.shape, params["Critic of an ensemble"]["last"])
    assert shapes["linear_0"] == {"weight": (4, 6, 6), "bias": (4, 1, 6)}
