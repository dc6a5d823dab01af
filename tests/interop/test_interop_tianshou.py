"""State dicts of Tianshou 1.0.0 and 2.x become parameters, and state dicts again, bit for bit, for every network.

`golden/make_state_dicts.py` recorded them, with the outputs of Tianshou's networks for an input.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from backends import bits, device, on_backend
from golden.fixtures import load
from golden.npnets_side import (
    CLASSES,
    OUTPUT_TOLERANCE,
    assert_all_close,
    inputs_of,
    make,
    run,
)
from grouped_cases import grouped
from hypothesis import given
from hypothesis import strategies as st
from network_cases import Case, each_case, initial, there

import npnets
from npnets.backend import device_of
from npnets.interop.tianshou import from_state_dict, to_state_dict

FILES = ("state_dicts", "state_dicts_discrete", "state_dicts_quantiles")
VERSIONS: dict[int, list[dict[str, Any]]] = {
    major: [case for file in FILES for case in load(f"{file}_{major}")["cases"]] for major in (1, 2)
}
RECORDED = [(major, case) for major, cases in VERSIONS.items() for case in cases]
OLD_NAMES = {"DiscreteActor": "Actor", "DiscreteCritic": "Critic"}
NEW_NAMES = {
    "Actor": "ContinuousActorDeterministic",
    "ActorProb": "ContinuousActorProbabilistic",
    "Critic": "ContinuousCritic",
}


def _kind(case: dict[str, Any]) -> str:
    """Return the name that the cases have for a class."""
    return str(case["call"]).split("(")[0]


each_recorded = grouped(
    "case",
    {
        f"{kind} of {major}": {case["name"]: case for case in cases if _kind(case) == kind and case["state_dict"]}
        for major, cases in VERSIONS.items()
        for kind in sorted({_kind(case) for case in cases})
    },
)


def _without_wrapper(names: Any) -> list[str]:
    """Return names as an unwrapped preprocess net has them: a net told its number of features is wrapped in 2.x."""
    return [name.replace("preprocess.module.", "preprocess.") for name in names]


def _read(net: Any, state_dict: Any) -> Any:
    """Return parameters where the network's `init` places them; those of a bare layer, which has no device, moved."""
    params = from_state_dict(net, state_dict)
    return params if hasattr(net, "device") else on_backend(params)


def _kinds(params: Any) -> Any:
    return npnets.tree.map(lambda leaf: (leaf.shape, leaf.dtype), params)


# -- what Tianshou recorded -------------------------------------------------------------------------------------------


@pytest.mark.numpy_alone("test_tianshou_conformance compares outputs on other backends")
@each_recorded
def test_a_network_with_the_parameters_of_a_state_dict_returns_what_tianshou_does(case: dict[str, Any]) -> None:
    net = there(make(case["call"]))
    outputs = run(case, _read(net, case["state_dict"]), inputs_of(case))
    assert_all_close(dict(enumerate(outputs)), dict(enumerate(case["outputs"])), OUTPUT_TOLERANCE)


@each_recorded
def test_parameters_have_the_structure_that_init_returns(case: dict[str, Any]) -> None:
    net = there(make(case["call"]))
    params = _read(net, case["state_dict"])
    assert _kinds(params) == _kinds(initial(net, np.random.default_rng(0)))
    assert {device_of(leaf) for leaf in npnets.tree.leaves(params)} == {device()}


@each_recorded
def test_a_state_dict_is_written_as_it_was_read(case: dict[str, Any]) -> None:
    net, recorded = make(case["call"]), case["state_dict"]
    written = to_state_dict(net, on_backend(from_state_dict(net, recorded)))
    assert list(written) == _without_wrapper(recorded)
    for array, expected in zip(written.values(), recorded.values(), strict=True):
        assert type(array) is np.ndarray and array.flags.c_contiguous and array.flags.owndata
        assert (array.dtype, array.shape, array.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())


@pytest.mark.numpy_alone("no arrays in it")
def test_a_network_without_parameters_has_an_empty_state_dict() -> None:
    empty = {case["call"]: case["class"] for _, case in RECORDED if not case["state_dict"]}
    assert empty == {"Net(5, 2, concat=True)": "Net"}
    net = npnets.Net(5, 2, concat=True)
    assert from_state_dict(net, {}) == {"model": {}} == net.init(np.random.default_rng(0))
    assert to_state_dict(net, {"model": {}}) == {}


@pytest.mark.numpy_alone("reads the cases")
def test_both_versions_of_tianshou_give_the_parameters_the_same_names_in_the_same_order() -> None:
    for old, new in zip(VERSIONS[1], VERSIONS[2], strict=True):
        assert old["call"] == new["call"]
        assert list(old["state_dict"]) == _without_wrapper(new["state_dict"]), old["name"]


@pytest.mark.numpy_alone("reads the cases")
def test_every_network_is_recorded_under_the_name_that_each_version_has_for_it() -> None:
    for major, names in ((1, OLD_NAMES), (2, NEW_NAMES)):
        found = {(_kind(case), case["class"]) for case in VERSIONS[major]}
        assert found == {(name, names.get(name, name)) for name in CLASSES}


@pytest.mark.numpy_alone("reads the cases")
def test_the_recorded_cases_distinguish_a_weight_from_its_transpose() -> None:
    weights = [a for _, case in RECORDED for n, a in case["state_dict"].items() if n.endswith("weight") and a.ndim == 2]
    assert sum(a.shape[0] != a.shape[1] for a in weights) > 300
    squares = [a for a in weights if a.shape[0] == a.shape[1] > 1]
    assert squares and all((a != a.T).any() for a in squares)


# -- any network ------------------------------------------------------------------------------------------------------


@each_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_survive_the_conversion_to_a_state_dict_and_back(case: Case, dtype: str) -> None:
    net = there(case.net)
    params = case.params(dtype)
    again = _read(net, to_state_dict(net, params))
    assert _kinds(again) == _kinds(params)
    assert bits(again) == bits(params)


_layers = st.sampled_from(
    [
        npnets.Linear,
        functools.partial(npnets.Linear, bias=False),
        functools.partial(npnets.EnsembleLinear, 3),
        functools.partial(npnets.EnsembleLinear, 1, bias=False),
    ]
)
_hidden = st.lists(st.integers(1, 4), max_size=3)


@st.composite
def _mlps(draw: Any) -> npnets.MLP:
    sizes = draw(_hidden)
    norms = [draw(st.sampled_from([None, "layer_norm"])) for _ in sizes]
    args = [draw(st.sampled_from([None, {"bias": False}, {"elementwise_affine": False}])) if n else None for n in norms]
    activations = [draw(st.sampled_from([None, "tanh", "relu"])) for _ in sizes]
    inputs, outputs = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    return npnets.MLP(inputs, outputs, sizes, norms, args, activations, linear_layer=draw(_layers))


@pytest.mark.numpy_alone("the same on every backend; the test above runs on all")
@given(_mlps(), st.sampled_from([np.float16, np.float32, np.float64]))
def test_parameters_of_any_mlp_survive_the_conversion_to_a_state_dict_and_back(mlp: npnets.MLP, dtype: type) -> None:
    params = npnets.tree.map(lambda leaf: leaf.astype(dtype), mlp.init(np.random.default_rng(0)))
    written = to_state_dict(mlp, params)
    again = from_state_dict(mlp, written)
    assert _kinds(again) == _kinds(params) and bits(again) == bits(params)
    assert [int(name.split(".")[1]) for name in written] == sorted(int(name.split(".")[1]) for name in written)


# -- devices, dtypes and memory ---------------------------------------------------------------------------------------

ACTOR = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 3)


def _state_dict(net: Any = ACTOR, dtype: type = np.float32) -> dict[str, Any]:
    return to_state_dict(net, net.init(np.random.default_rng(0), dtype))


@pytest.mark.needs_gpus(1)
@pytest.mark.parametrize("inner", ["cpu", "cuda:0"])
@pytest.mark.parametrize("outer", ["cpu", "cuda:0"])
def test_parameters_are_placed_where_init_places_them(inner: str, outer: str) -> None:
    trunk = npnets.Net(5, 6, device=inner)
    vae = npnets.VAE(npnets.MLP(8, 6), npnets.MLP(7, 3, device=inner), 6, 2, 1.0, outer)
    for net in (
        npnets.Critic(trunk, device=outer),
        vae,
        npnets.Perturbation(trunk, 1.0, outer),
        npnets.Actor(trunk, 2),
    ):
        state_dict = _state_dict(net)
        assert all(type(array) is np.ndarray for array in state_dict.values())
        read, drawn = from_state_dict(net, state_dict), net.init(np.random.default_rng(0))
        assert _devices(read) == _devices(drawn)
    assert _devices(on_backend(trunk.init(np.random.default_rng(0)))) == ["cuda:0"] * 2


@pytest.mark.needs_gpus(2)
def test_parameters_of_a_network_on_two_gpus_are_on_that_of_the_outer_network() -> None:
    critic = npnets.Critic(npnets.Net(5, 6, device="cuda:0"), device="cuda:1")
    drawn = critic.init(np.random.default_rng(0))
    read = from_state_dict(critic, to_state_dict(critic, drawn))
    assert _devices(read) == _devices(drawn) == ["cuda:1"] * 4


def _devices(params: Any) -> list[str]:
    return [device_of(leaf) for leaf in npnets.tree.leaves(params)]


def test_a_state_dict_may_be_on_a_gpu() -> None:
    given = on_backend(_state_dict())
    assert bits(on_backend(from_state_dict(ACTOR, given))) == bits(on_backend(from_state_dict(ACTOR, _state_dict())))


@pytest.mark.numpy_alone("about NumPy's memory")
def test_neither_conversion_shares_memory_with_its_input() -> None:
    source = _state_dict()
    params = from_state_dict(ACTOR, source)
    written = to_state_dict(ACTOR, params)
    kept = bits(params)
    for array in (*source.values(), *written.values()):
        array[...] = 7
    assert bits(params) == kept


class _Tensor:
    """What a PyTorch tensor can do that matters here; it must be detached and on the CPU before it gives its array."""

    def __init__(self, array: Any, attached: bool = True, away: bool = True) -> None:
        self.array, self.attached, self.away = array, attached, away
        self.shape, self.dtype = array.shape, "torch.float32"

    def detach(self) -> _Tensor:
        return _Tensor(self.array, False, self.away)

    def cpu(self) -> _Tensor:
        return _Tensor(self.array, self.attached, False)

    def numpy(self) -> Any:
        if self.attached or self.away:
            raise RuntimeError("attached, or not on the CPU")
        return self.array


@pytest.mark.numpy_alone("what a tensor gives is NumPy's")
def test_tensors_that_need_a_gradient_or_lie_elsewhere_are_read() -> None:
    tensors = {name: _Tensor(array) for name, array in _state_dict().items()}
    assert bits(from_state_dict(ACTOR, tensors)) == bits(from_state_dict(ACTOR, _state_dict()))


@pytest.mark.numpy_alone("what NumPy converts")
def test_arrays_of_another_byte_order_or_layout_are_read_as_the_same_numbers() -> None:
    odd = {name: np.asfortranarray(array.astype(array.dtype.newbyteorder())) for name, array in _state_dict().items()}
    params = from_state_dict(ACTOR, odd)
    assert bits(params) == bits(from_state_dict(ACTOR, _state_dict()))
    assert all(leaf.dtype.isnative and leaf.flags.c_contiguous for leaf in npnets.tree.leaves(params))


@pytest.mark.numpy_alone("looks at the bits themselves")
def test_nan_infinity_and_minus_zero_keep_their_bits() -> None:
    state_dict = _state_dict()
    odd = np.array([0x7FC00001, 0xFFC12345, 0x80000000, 0x7F800000], np.uint32).view(np.float32)
    state_dict["preprocess.model.model.0.bias"] = odd
    state_dict["preprocess.model.model.0.weight"][:, 0] = odd
    written = to_state_dict(ACTOR, from_state_dict(ACTOR, state_dict))
    assert {name: array.tobytes() for name, array in written.items()} == {n: a.tobytes() for n, a in state_dict.items()}


@pytest.mark.numpy_alone("reads what is loaded")
def test_no_framework_is_loaded() -> None:
    code = (
        "import sys, npnets.interop.tianshou; "
        "print([name for name in ('torch', 'tianshou', 'cupy', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
