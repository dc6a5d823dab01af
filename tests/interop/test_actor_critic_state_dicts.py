"""State dicts of an actor and a critic in one network, with trunks of their own or one for both, in both directions.

`golden/make_state_dicts.py` recorded them with Tianshou 1.0.0 and 2.0.1, in which networks that share a trunk have its
arrays twice.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, device, on_backend
from golden.fixtures import load
from golden.npnets_side import OUTPUT_TOLERANCE, VOCABULARY, assert_all_close, flat

import npnets
from npnets.backend import device_of
from npnets.interop.tianshou import from_state_dict, to_state_dict

PAIRS: list[tuple[int, dict[str, Any]]] = [
    (major, pair) for major in (1, 2) for pair in load(f"state_dicts_discrete_{major}")["pairs"]
]
SHARED = [pair for _, pair in PAIRS if "share_preprocess=True" in pair["call"]]
each_pair = pytest.mark.parametrize("pair", [pair for _, pair in PAIRS], ids=lambda pair: pair["call"])
each_shared = pytest.mark.parametrize("pair", SHARED, ids=lambda pair: pair["call"])


def make(pair: dict[str, Any]) -> npnets.ActorCritic:
    """Make the network of a pair, on the device of the running test."""
    net = eval(pair["call"], {**VOCABULARY, "ActorCritic": npnets.ActorCritic})
    networks = {name: dataclasses.replace(getattr(net, name), device=device()) for name in ("actor", "critic")}
    return dataclasses.replace(net, **networks)


@each_pair
def test_both_networks_return_what_they_do_in_tianshou(pair: dict[str, Any]) -> None:
    both, obs = make(pair), on_backend(pair["inputs"]["obs"])
    parts = both.split(from_state_dict(both, pair["state_dict"]))
    outputs = flat((both.actor.forward(parts["actor"], obs), both.critic.forward(parts["critic"], obs)))
    assert_all_close(dict(enumerate(outputs)), dict(enumerate(pair["outputs"])), OUTPUT_TOLERANCE)


@each_pair
def test_a_state_dict_of_both_is_written_as_it_was_read(pair: dict[str, Any]) -> None:
    both, recorded = make(pair), pair["state_dict"]
    written = to_state_dict(both, from_state_dict(both, recorded))
    assert list(written) == list(recorded)
    for name, array in written.items():
        assert array.tobytes() == recorded[name].tobytes(), name


@each_pair
def test_parameters_of_both_have_the_structure_and_place_that_init_gives_them(pair: dict[str, Any]) -> None:
    both = make(pair)
    read, drawn = from_state_dict(both, pair["state_dict"]), both.init(np.random.default_rng(0))
    assert npnets.tree.map(np.shape, read) == npnets.tree.map(np.shape, drawn)
    assert {device_of(leaf) for leaf in npnets.tree.leaves(read)} == {device()}


@each_shared
def test_a_shared_trunk_is_read_once_and_written_twice(pair: dict[str, Any]) -> None:
    both = make(pair)
    params = from_state_dict(both, pair["state_dict"])
    assert set(params) == {"preprocess", "actor", "critic"}
    written = to_state_dict(both, params)
    trunks = [
        {n: a.tobytes() for n, a in written.items() if n.startswith(f"{p}.preprocess.")} for p in ("actor", "critic")
    ]
    assert len(trunks[0]) == len(trunks[1]) == 2
    assert list(trunks[0].values()) == list(trunks[1].values())


@each_pair
def test_both_are_found_below_the_prefix_of_a_policy(pair: dict[str, Any]) -> None:
    both = make(pair)
    inside = {f"_actor_critic.{name}": array for name, array in pair["state_dict"].items()}
    found = as_numpy(from_state_dict(both, inside, "_actor_critic"))
    expected = as_numpy(from_state_dict(both, pair["state_dict"]))
    assert npnets.tree.map(np.ndarray.tobytes, found) == npnets.tree.map(np.ndarray.tobytes, expected)
    assert list(to_state_dict(both, found, "_actor_critic")) == list(inside)


@each_shared
def test_trunks_that_differ_are_not_read_as_a_shared_one(pair: dict[str, Any]) -> None:
    both, name = make(pair), "critic.preprocess.model.model.0.bias"
    apart = {**pair["state_dict"], name: pair["state_dict"][name] + 1}
    words = r"that of the critic has other numbers .* first in 'model.linear_0.bias'; .* share_preprocess=False"
    with pytest.raises(ValueError, match=words):
        from_state_dict(both, apart)
    separate = from_state_dict(dataclasses.replace(both, share_preprocess=False), apart)
    assert set(separate) == {"actor", "critic"}


@pytest.mark.numpy_alone("an error of names, before any array is moved")
@each_shared
def test_a_state_dict_without_the_trunk_of_the_critic_is_not_one_of_a_shared_trunk(pair: dict[str, Any]) -> None:
    part = {n: array for n, array in pair["state_dict"].items() if not n.startswith("critic.preprocess")}
    with pytest.raises(ValueError, match=r"lacks 'critic.preprocess.model.model.0.weight'"):
        from_state_dict(make(pair), part)


@pytest.mark.numpy_alone("reads the recorded pairs")
def test_both_versions_of_tianshou_have_the_same_names_for_parameters_of_both_networks() -> None:
    ones, twos = ([pair for major, pair in PAIRS if major == m] for m in (1, 2))
    assert [(p["call"], list(p["state_dict"])) for p in ones] == [(p["call"], list(p["state_dict"])) for p in twos]
    assert len(SHARED) == 4
