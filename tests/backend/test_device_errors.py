"""Errors about devices are clear: what is missing on the machine, and which arrays are on different devices."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import standin_cupy

import npnets
import npnets.numpy as nnp
from npnets import backend, optim
from npnets.backend import to_device

NO_DEVICE, INSUFFICIENT_DRIVER, OTHER = 100, 35, 2
THREE = np.ones(3)


# -- the machine ------------------------------------------------------------------------------------------------------


@pytest.fixture
def broken_cupy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A CuPy that is installed and cannot load one of CUDA's libraries."""
    (tmp_path / "cupy.py").write_text("raise ImportError('libcublas.so.13: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    yield
    sys.modules.pop("cupy", None)


@pytest.mark.numpy_alone("about a machine without a working CuPy")
def test_the_error_for_a_cupy_that_does_not_load_says_why_and_how_to_reinstall_it(broken_cupy: None) -> None:
    with pytest.raises(ImportError, match=r"does not load \(libcublas.so.13: .*\); install it anew: pip install 'cupy"):
        to_device(THREE, "cuda")
    assert backend.available() == ["cpu"]


@pytest.mark.numpy_alone("makes machines of its own from the stand-in for CuPy")
@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ({"failure": INSUFFICIENT_DRIVER, "driver": 0}, "there is no NVIDIA driver here; install one"),
        (
            {"failure": INSUFFICIENT_DRIVER, "driver": 12040},
            r"driver is too old: it supports CUDA 12\.4, and the CuPy .* needs CUDA 13\..*'cupy-cuda12x\[ctk\]'",
        ),
        ({"failure": NO_DEVICE}, "the NVIDIA driver finds none; does nvidia-smi list one, .* CUDA_VISIBLE_DEVICES"),
        ({"failure": OTHER}, "CuPy finds no usable GPU .*; does nvidia-smi list one"),
        ({"devices": 0}, "GPU 0 was requested, but there are 0"),
        ({"devices": 1, "number": 1}, "GPU 1 was requested, but there is only 1; GPUs are numbered from 0"),
        ({"devices": 2, "number": 7}, "GPU 7 was requested, but there are 2; GPUs are numbered from 0"),
    ],
)
def test_the_error_for_a_missing_gpu_says_what_is_missing(machine: dict[str, Any], words: str) -> None:
    number = machine.get("number", 0)
    with standin_cupy.installed(**{key: value for key, value in machine.items() if key != "number"}):
        attempts: list[Callable[[], Any]] = [
            lambda: to_device(THREE, number),
            lambda: backend.using(number),
            lambda: npnets.tree.to_device({"a": THREE}, f"cuda:{number}"),
            lambda: npnets.Net(3, 2, device=number).init(np.random.default_rng(0)),
        ]
        for attempt in attempts:
            with pytest.raises(RuntimeError, match=words):
                attempt()
        assert backend.available() == ["cpu", "cuda:0", "cuda:1"][: 1 + machine.get("devices", 0)]


# -- arrays that lie apart --------------------------------------------------------------------------------------------

ACTOR = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 3)
PARAMS = ACTOR.init(np.random.default_rng(0))
OBS, OTHERS = np.ones((2, 5), "f"), np.ones((2, 3), "f")
there = pytest.mark.needs_gpus(1)


def _cuda(tree: Any, device: str = "cuda") -> Any:
    return npnets.tree.to_device(tree, device)


def _split(device: str = "cpu") -> Any:
    """Return parameters with one part on a GPU and the other on another device."""
    return {"preprocess": _cuda(PARAMS["preprocess"]), "last": npnets.tree.to_device(PARAMS["last"], device)}


@there
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:1", marks=pytest.mark.needs_gpus(2))])
def test_the_error_for_parameters_on_two_devices_names_the_leaves(device: str) -> None:
    apart = _split(device)
    words = r"the parameters of Actor\(.*must lie on one device, but there are .*"
    here = re.escape(f"'last.linear_0.bias', 'last.linear_0.weight' on {device!r}")
    with pytest.raises(TypeError, match=f"{words}{here}") as error:
        ACTOR.forward(apart, OBS)
    assert "'preprocess.model.linear_0.bias', 'preprocess.model.linear_0.weight' on 'cuda:0'" in str(error.value)
    assert "npnets.tree.to_device(" in str(error.value)
    with pytest.raises(TypeError, match="the leaves of a tree to ravel must lie on one device.*'last.linear_0.bias'"):
        npnets.tree.ravel(apart)
    with pytest.raises(TypeError, match=f"{words}{here}"):
        npnets.grad(lambda p: nnp.sum(ACTOR.forward(p, OBS)[0]))(apart)


@there
def test_the_error_for_trees_of_an_optimizer_on_two_devices_names_the_leaves() -> None:
    params, optimizer = _cuda(PARAMS), optim.adam()
    attempts: list[tuple[Callable[[], Any], str]] = [
        (lambda: optimizer.update(params, PARAMS, optimizer.init(params)), "'grads.last.linear_0.bias'"),
        (lambda: optimizer.update(params, params, optimizer.init(PARAMS)), "'state.1.last.linear_0.bias'"),
        (lambda: optimizer.init(_split()), "'params.last.linear_0.bias'"),
        (lambda: optim.soft_update(params, PARAMS, 0.1), "'source.last.linear_0.bias'"),
        (lambda: optim.clip_by_global_norm(_split(), 1.0), "'grads.last.linear_0.bias'"),
    ]
    for attempt, name in attempts:
        with pytest.raises(TypeError, match=rf"must lie on one device, but there are {name}.* on 'cpu'"):
            attempt()


@there
def test_an_error_counts_many_leaves_and_names_some() -> None:
    many = {f"leaf_{index}": np.ones(1) for index in range(9)}
    with pytest.raises(
        TypeError, match="'leaf_0', 'leaf_1', 'leaf_2', 'leaf_3' and 5 more on 'cpu'; 'other' on 'cuda:0'"
    ):
        npnets.tree.ravel({**many, "other": _cuda(THREE)})


@there
def test_arrays_on_two_devices_are_an_error_in_every_function_of_several_arrays() -> None:
    x, y = _cuda(OTHERS), OTHERS
    functions: list[Callable[[Any, Any], Any]] = [
        lambda a, b: a - b,
        lambda a, b: nnp.maximum(b, a),
        lambda a, b: nnp.where(nnp.greater(a, 0), a, b),
        lambda a, b: nnp.matmul(a, nnp.transpose(b)),
        lambda a, b: nnp.concatenate([b, a]),
        lambda a, b: nnp.clip(a, -1 * b, 1.0),
    ]
    for fun in functions:
        for attempt in (npnets.grad(lambda a, f=fun: nnp.sum(f(a, y))), lambda a, f=fun: f(_traced(a), y)):
            with pytest.raises(TypeError, match="must lie on one device, but there are .*shape .* on 'cpu'"):
                attempt(x)


def _traced(x: Any) -> Any:
    """Return an array as inside a function that is being differentiated."""
    kept = []
    npnets.vjp(lambda a: kept.append(a) or a, x)
    return kept[0]


@there
def test_a_cotangent_or_direction_on_another_device_is_an_error() -> None:
    x = _cuda(THREE)
    _, pullback = npnets.vjp(nnp.exp, x)
    with pytest.raises(TypeError, match="a cotangent and what it belongs to must lie on one device"):
        pullback(THREE)
    with pytest.raises(TypeError, match="a direction and what it belongs to must lie on one device"):
        npnets.jvp(nnp.exp, x, THREE)


@there
def test_a_traced_array_is_not_moved_implicitly_and_numpy_gets_an_error() -> None:
    with pytest.raises(TypeError, match="being differentiated"):
        npnets.grad(lambda x: nnp.sum(np.asarray(x)))(_cuda(THREE))


@pytest.mark.numpy_alone("about a tree that holds no arrays of a GPU")
def test_an_invalid_device_is_an_error_even_for_an_empty_tree() -> None:
    for device in ("gpu", np.array([0, 1]), PARAMS):
        with pytest.raises(ValueError, match="device must be 'cpu'") as error:
            npnets.tree.to_device({}, device)
        assert len(str(error.value)) < 200


@pytest.mark.numpy_alone("about a network, which lies on no device")
def test_the_error_for_moving_a_network_points_to_its_parameters() -> None:
    with pytest.raises(TypeError, match=r"a network holds no arrays: move its parameters, not Actor\("):
        npnets.tree.to_device(ACTOR, "cuda")


@there
def test_inputs_on_a_gpu_are_not_moved_to_parameters_on_another_device() -> None:
    with pytest.raises(
        TypeError, match="obs.* lies on 'cuda:0' and the parameters on 'cpu'; only NumPy arrays are moved"
    ):
        npnets.MLP(5, 2).forward(npnets.MLP(5, 2).init(np.random.default_rng(0)), _cuda(OBS))
    with pytest.raises(TypeError, match="obs lies on 'cuda:0' and the parameters on 'cpu'"):
        ACTOR.forward(PARAMS, _cuda(OBS))


@pytest.mark.needs_gpus(2)
def test_no_function_moves_an_array_from_one_gpu_to_another() -> None:
    x, y = _cuda(OTHERS, "cuda:0"), _cuda(OTHERS.T, "cuda:1")
    with pytest.raises(TypeError, match="the arguments of matmul must lie on one device"):
        nnp.matmul(x, y)
    for made in (
        nnp.asarray(y),
        nnp.array(y),
        nnp.zeros_like(y),
        nnp.full_like(y, 2),
        nnp.isfinite(y),
        nnp.asarray(y, "f"),
        nnp.sort(y),
        nnp.argsort(y),
        nnp.take_along_axis(y, nnp.argsort(y, None)[:1, None], 0),
    ):
        assert backend.device_of(made) == "cuda:1"
    assert backend.device_of(npnets.tree.ravel({"a": y, "b": y})[0]) == "cuda:1"
