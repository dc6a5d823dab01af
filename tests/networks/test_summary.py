"""The summary of a network: its parameters as a tree of names, shapes, dtypes and counts."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pytest
from backends import on_backend
from network_cases import initial

import npnets

NETWORKS = (
    npnets.Actor(npnets.Net(5, hidden_sizes=(8, 8), norm_layer="layer_norm"), 2),
    npnets.Critic(npnets.Net(5, 2, (8,), concat=True, linear_layer=functools.partial(npnets.EnsembleLinear, 3))),
    npnets.RecurrentActorProb(2, 5, 2, hidden_layer_size=8),
)


@pytest.mark.numpy_alone("parameters are drawn on the CPU")
def test_a_summary_shows_the_call_and_every_array_with_its_shape_dtype_and_count() -> None:
    assert npnets.summary(npnets.Net(3, hidden_sizes=(4,))).splitlines() == [
        "Net(3, hidden_sizes=(4,))",
        "-" * 39,
        "parameter        shape   dtype    count",
        "-" * 39,
        "└─ model                             16",
        "   └─ linear_0                       16",
        "      ├─ weight  (3, 4)  float32     12",
        "      └─ bias    (4,)    float32      4",
        "-" * 39,
        "16 parameters, 64 bytes",
    ]


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_the_arrays_of_a_summary_are_those_of_the_parameters(network: Any) -> None:
    params = initial(network, np.random.default_rng(0))
    text = npnets.summary(network, params)
    found = re.findall(r"─ (\w+) +(\(.*\)) +(\w+) +([\d,]+)$", text, re.MULTILINE)
    leaves = dict(zip(npnets.tree.paths(params), npnets.tree.leaves(params), strict=True))
    shown = sorted((name, shape, dtype, int(count.replace(",", ""))) for name, shape, dtype, count in found)
    assert shown == sorted((p.split(".")[-1], str(a.shape), str(a.dtype), a.size) for p, a in leaves.items())
    total = sum(a.size for a in leaves.values())
    assert text.splitlines()[0] == repr(network)
    assert text.splitlines()[-1].startswith(f"{total:,} parameters, ")


def test_the_count_of_a_part_is_the_sum_over_its_arrays() -> None:
    params = on_backend({"a": {"b": np.zeros((20, 100), "f"), "c": np.zeros(3)}, "d": np.zeros((), "f")})
    counts = dict(re.findall(r"─ (\w) .*?([\d,]+)$", npnets.summary(params), re.MULTILINE))
    assert counts == {"a": "2,003", "b": "2,000", "c": "3", "d": "1"}
    assert npnets.summary(params).endswith("2,004 parameters, 7.8 KiB")


def test_a_summary_of_an_optimizers_state_names_its_fields() -> None:
    state = npnets.optim.adam(1e-3).init(on_backend({"w": np.zeros(3, "f")}))
    names = re.findall(r"^[├└]─ (\w+)", npnets.summary(state), re.MULTILINE)
    assert names == list(state._fields)


@pytest.mark.numpy_alone("what is no array lies nowhere")
@pytest.mark.parametrize("wrong", [None, 3, {}, {"a": 1.5}, "actor"])
def test_a_summary_of_anything_but_networks_and_trees_of_arrays_is_an_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected a network or a tree of arrays"):
        npnets.summary(wrong)


@pytest.mark.numpy_alone("a class holds no arrays")
def test_the_error_for_a_class_in_place_of_a_network_names_the_mistake() -> None:
    with pytest.raises(TypeError, match="call the class to make a network"):
        npnets.summary(npnets.Actor)


@pytest.mark.numpy_alone("drawn on the CPU")
def test_a_network_without_parameters_is_summarised_as_empty() -> None:
    text = npnets.summary(npnets.MLP(3))
    assert text.splitlines()[0] == "MLP(3)"
    assert text.endswith("0 parameters, 0 bytes")
