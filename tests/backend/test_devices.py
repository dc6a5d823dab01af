"""Devices: `init` places parameters, inputs are converted to their device, and nothing else is moved implicitly.

These tests are about GPUs: they run on the stand-in for CuPy, which has two, and with `-m gpu` on a real one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import autograd
import numpy as np
import pytest
from numpy.testing import assert_allclose

import npnets
import npnets.numpy as nnp
from npnets import discrete
from npnets.autodiff import devices
from npnets.backend import asarray_like, available, device_of, to_device, using

one_gpu, two_gpus = pytest.mark.needs_gpus(1), pytest.mark.needs_gpus(2)
each_gpu = pytest.mark.parametrize("device", ["cuda:0", pytest.param("cuda:1", marks=two_gpus)])
pytestmark = one_gpu

OBS, ACT = 5, 3
NET = functools.partial(npnets.Net, OBS, hidden_sizes=(4,), norm_layer="layer_norm")
ENSEMBLE = functools.partial(npnets.EnsembleLinear, 2)
NETWORKS: dict[str, tuple[Callable[[str], Any], tuple[int, ...]]] = {
    "Net": (lambda device: NET(2, device=device, softmax=True), (OBS,)),
    "MLP": (lambda device: npnets.MLP(OBS, 2, (4,), activation="gelu", device=device), (OBS,)),
    "Net of an ensemble": (lambda device: npnets.Net(OBS, 2, (4,), device=device, linear_layer=ENSEMBLE), (OBS,)),
    "Actor": (lambda device: npnets.Actor(NET(device=device), ACT, max_action=(1, 2, 3), device=device), (OBS,)),
    "ActorProb": (lambda device: npnets.ActorProb(NET(device=device), ACT, device=device), (OBS,)),
    "Critic": (
        lambda device: npnets.Critic(NET(ACT, concat=True, device=device), device=device),
        (OBS, ACT),
    ),
    "Perturbation": (lambda device: npnets.Perturbation(npnets.Net(OBS + ACT, ACT, device=device), 2.0), (OBS, ACT)),
    "VAE": (
        lambda device: npnets.VAE(
            npnets.MLP(OBS + ACT, 6, device=device), npnets.MLP(OBS + 2, ACT, device=device), 6, 2, 1.0, device
        ),
        (OBS, ACT),
    ),
    "discrete.Actor": (lambda device: discrete.Actor(NET(device=device), ACT, device=device), (OBS,)),
    "discrete.Critic": (lambda device: discrete.Critic(NET(device=device), (4,), ACT, device=device), (OBS,)),
    "BranchingNet": (lambda device: npnets.BranchingNet(OBS, 2, 3, (4,), device=device), (OBS,)),
    "Recurrent": (lambda device: npnets.Recurrent(2, OBS, ACT, device, 4), (OBS,)),
    "RecurrentActorProb": (lambda device: npnets.RecurrentActorProb(1, OBS, ACT, 4, device=device), (OBS,)),
    "RecurrentCritic": (lambda device: npnets.RecurrentCritic(2, OBS, ACT, device, 4), (OBS, ACT)),
}
each_network = pytest.mark.parametrize("name", NETWORKS)


def _made(name: str, device: str) -> tuple[Any, Any, list[Any]]:
    """A network, its parameters on a device, and NumPy inputs."""
    make, widths = NETWORKS[name]
    net = make(device)
    rng = np.random.default_rng(1)
    return net, net.init(np.random.default_rng(0)), [rng.normal(size=(4, width)).astype("f") for width in widths]


def _run(name: str, net: Any, params: Any, inputs: list[Any]) -> Any:
    options = {"noise": np.full((4, 2), 0.3)} if name == "VAE" else {}
    return [leaf for leaf in npnets.tree.leaves(net.forward(params, *inputs, **options)) if leaf is not None]


def _devices(x: Any) -> set[str]:
    return {device_of(leaf) for leaf in npnets.tree.leaves(x) if hasattr(leaf, "dtype")}


# -- placing and moving -----------------------------------------------------------------------------------------------


@each_gpu
@each_network
def test_init_places_the_same_parameters_on_a_gpu_as_on_the_cpu(name: str, device: str) -> None:
    _, params, _ = _made(name, device)
    assert _devices(params) == {device}
    assert_trees_close_to_numpy(params, _made(name, "cpu")[1])


def assert_trees_close_to_numpy(found: Any, expected: Any, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Fail unless a tree on any device has the values of one on NumPy."""
    assert npnets.tree.paths(found) == npnets.tree.paths(expected)
    for a, b in zip(npnets.tree.leaves(npnets.tree.to_numpy(found)), npnets.tree.leaves(expected), strict=True):
        assert_allclose(a, b, rtol=rtol, atol=atol)


@two_gpus
def test_a_gpu_is_also_named_by_its_number_and_cuda_is_the_first() -> None:
    array = np.ones(3)
    assert [device_of(to_device(array, name)) for name in ("cuda", 1, "cuda:1", None)] == [
        "cuda:0",
        "cuda:1",
        "cuda:1",
        "cpu",
    ]
    assert available()[:3] == ["cpu", "cuda:0", "cuda:1"]


@each_gpu
def test_a_tree_moved_to_a_gpu_and_back_keeps_its_values_dtypes_and_structure(device: str) -> None:
    state = npnets.optim.adam().init({"a": np.arange(6.0).reshape(2, 3), "b": {}, "c": [np.float32([1])]})
    there = npnets.tree.to_device(state, device)
    assert (type(there), there.step, there.mu["b"]) == (type(state), 0, {})
    assert _devices(there) == {device}
    for back in (npnets.tree.to_numpy(there), npnets.tree.to_device(there, "cpu")):
        assert _devices(back) == {"cpu"}
        assert_trees_close_to_numpy(back, state)


@each_gpu
def test_arrays_on_the_device_are_not_copied(device: str) -> None:
    array = to_device(np.ones(3), device)
    assert npnets.tree.to_device({"a": array}, device)["a"] is array
    assert asarray_like(array, array) is array
    plain = np.ones(3)
    assert npnets.tree.to_numpy([plain])[0] is plain


@two_gpus
def test_arrays_move_from_one_gpu_to_another() -> None:
    array = to_device(np.arange(3.0), 0)
    moved = npnets.tree.to_device(array, 1)
    assert device_of(moved) == "cuda:1"
    assert_allclose(npnets.tree.to_numpy(moved), [0, 1, 2])


class OwnTrunk:
    """A preprocess net of the user's own, without a device."""

    output_dim = 4

    def init(self, rng: np.random.Generator) -> Any:
        return {"weight": rng.normal(size=(OBS, 4))}

    def forward(self, params: Any, obs: Any, state: Any = None) -> tuple[Any, Any]:
        output = nnp.tanh(obs @ params["weight"])
        return output, {"last": output, "before": state}


@each_gpu
@pytest.mark.parametrize(
    "make",
    [
        lambda device: npnets.Actor(OwnTrunk(), ACT, device=device),
        lambda device: npnets.ActorProb(OwnTrunk(), ACT, device=device, conditioned_sigma=True),
        lambda device: npnets.Critic(OwnTrunk(), device=device),
        lambda device: npnets.Actor(NET(), ACT, device=device),
        lambda device: npnets.Actor(NET(device=device), ACT),
        lambda device: npnets.Critic(NET(device=device), device="cpu"),
    ],
)
def test_a_network_and_its_trunk_have_their_parameters_on_one_device(make: Any, device: str) -> None:
    net = make(device)
    params = net.init(np.random.default_rng(0))
    assert _devices(params) == {device}
    assert _devices([a for a in npnets.tree.leaves(net.forward(params, np.ones((2, OBS), "f"))) if a is not None]) == {
        device
    }


@each_gpu
def test_observations_and_states_are_moved_to_the_device_of_a_trunk_of_the_users_own(device: str) -> None:
    actor = npnets.Actor(OwnTrunk(), ACT)
    params = npnets.tree.to_device(actor.init(np.random.default_rng(0)), device)
    obs, state = np.ones((2, OBS), "f"), {"last": np.ones((2, 4), "f"), "names": ["a"]}
    action, new = actor.forward(params, obs, state)
    assert _devices((action, new)) == {device}
    assert new["before"]["names"] == ["a"]
    there = npnets.tree.to_device(state, device)
    assert actor.forward(params, obs, there)[1]["before"] is there


# -- following the parameters -----------------------------------------------------------------------------------------


@each_gpu
@each_network
def test_a_forward_pass_runs_on_the_device_of_its_parameters_whatever_the_current_gpu(name: str, device: str) -> None:
    net, params, inputs = _made(name, device)
    outputs = _run(name, net, params, inputs)
    assert _devices(outputs) == {device}
    plain, plain_params, _ = _made(name, "cpu")
    assert_trees_close_to_numpy(outputs, _run(name, plain, plain_params, inputs), 1e-5, 1e-6)


@each_gpu
def test_a_call_searches_the_tree_of_its_parameters_once(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net, params, (obs,) = _made("Actor", device)
    obs, roots = npnets.tree.to_device(obs, device), []
    search = devices._arrays
    monkeypatch.setattr(devices, "_arrays", lambda x, known: (known or roots.append(x), search(x, known))[1])
    net.forward(params, obs)
    assert len(roots) == 1
    with using("cpu") if device == "cuda:0" else using("cuda:0"):
        npnets.value_and_grad(lambda p: nnp.mean(net.forward(p, obs)[0]))(params)
    assert len(roots) == 3  # forward, and once more for the value and the parameters on the way back
    net.forward(params, obs)
    assert len(roots) == 4


def _learned(name: str, device: str) -> dict[str, Any]:
    """Return everything that is computed from parameters: derivatives, updates, new weights."""
    net, params, inputs = _made(name, device)

    def loss(params: Any) -> Any:
        return sum((nnp.mean(output**2) for output in _run(name, net, params, inputs)), 0.0)

    value, grads = npnets.value_and_grad(loss)(params)
    output, pullback = npnets.vjp(lambda p: _run(name, net, p, inputs)[0], params)
    clipped, norm = npnets.optim.clip_by_global_norm(grads, 0.01)
    optimizer = npnets.optim.rmsprop(momentum=0.5)
    new, state = optimizer.update(params, clipped, optimizer.init(params))
    return {
        "value, gradient": (value, grads),
        "pulled back": pullback(output),
        "tangent": npnets.jvp(loss, params, grads)[1],
        "product": npnets.hvp(loss)(params, grads),
        "clipped": (clipped, norm),
        "updated": (new, state.nu, state.velocity),
        "target": npnets.optim.soft_update(params, new, 0.3),
        "orthogonal": npnets.initializers.orthogonalize(np.random.default_rng(0), params),
    }


@each_gpu
@each_network
def test_derivatives_and_optimizers_run_on_the_device_of_the_parameters(name: str, device: str) -> None:
    found = _learned(name, device)
    assert _devices(found) == {device}
    assert_trees_close_to_numpy(found, _learned(name, "cpu"), 2e-4, 1e-6)


@each_gpu
@each_network
def test_inputs_are_moved_when_they_are_validated_and_their_gradients_are_moved_back(name: str, device: str) -> None:
    net, params, inputs = _made(name, device)
    cpu_net, cpu_params, _ = _made(name, "cpu")

    def gradient(net: Any, params: Any, inputs: Any) -> Any:
        return npnets.grad(lambda x: sum((_total(a) for a in _run(name, net, params, x)), 0.0))(inputs)

    expected = gradient(cpu_net, cpu_params, inputs)
    there = npnets.tree.to_device(inputs, device)
    for n, p, x in ((net, params, inputs), (net, params, there)):
        with using(device):  # the sum of squares is code between networks
            found = gradient(n, p, x)
        assert _devices(found) == _devices(x)
        assert_trees_close_to_numpy(found, expected, 1e-4, 1e-6)


def _total(output: Any) -> Any:
    return nnp.sum(output * output)


@each_gpu
def test_tangents_of_views_and_of_constants_lie_where_the_outputs_do(device: str) -> None:
    net = npnets.Actor(NET(device=device), ACT, device=device)
    params = net.init(np.random.default_rng(0))
    bias = params["last"]["linear_0"]["bias"]
    outputs, tangents = npnets.jvp(
        lambda x: (net.forward(params, x)[0].reshape(-1), bias), np.ones((4, OBS), "f"), np.ones((4, OBS), "f")
    )
    assert _devices((outputs, tangents)) == {device}
    assert npnets.tree.to_numpy(tangents[0]).any() and not npnets.tree.to_numpy(tangents[1]).any()


@each_gpu
@each_network
def test_derivatives_with_respect_to_numpy_inputs_run_on_the_device_of_the_parameters(name: str, device: str) -> None:
    found = []
    for where in (device, "cpu"):
        net, params, inputs = _made(name, where)
        output, pullback = npnets.vjp(lambda x, net=net, params=params: _run(name, net, params, x)[0], inputs)
        tangent = npnets.jvp(lambda x, net=net, params=params: _run(name, net, params, x)[0], inputs, inputs)[1]
        assert _devices((output, tangent)) == {where}
        assert _devices(pullback(output)) == {"cpu"}
        found.append([tangent, *pullback(output)])
    assert_trees_close_to_numpy(found[0], found[1], 1e-4, 1e-6)


@two_gpus
def test_lists_and_wide_observations_are_moved_to_the_gpu_of_the_parameters() -> None:
    net, params, (obs,) = _made("Actor", "cuda:1")
    expected = net.forward(params, obs)[0]
    for x in (obs.tolist(), obs.astype("d")):
        action, _ = net.forward(params, x)
        assert device_of(action) == "cuda:1"
        assert_trees_close_to_numpy(action, npnets.tree.to_numpy(expected), 1e-6)


@two_gpus
def test_code_between_networks_chooses_its_gpu_with_using() -> None:
    x, y = npnets.tree.to_device((np.ones(3), np.full(3, 2.0)), "cuda:1")
    with using("cuda:1"):
        total = x * y + nnp.exp(x)
    assert device_of(total) == "cuda:1"
    with using("cpu"), using(None):
        pass


@each_gpu
def test_plain_autograd_differentiates_networks_and_functions_on_a_gpu(device: str) -> None:
    net, params, (obs,) = _made("Actor", device)
    loss = lambda p: nnp.mean(net.forward(p, obs)[0] ** 2)  # noqa: E731
    with using(device):
        theirs = autograd.grad(loss)(params)
    assert _devices(theirs) == {device}
    assert_trees_close_to_numpy(theirs, npnets.tree.to_numpy(npnets.grad(loss)(params)), 1e-6, 1e-8)


@each_gpu
def test_functions_that_rearrange_and_accumulate_are_differentiated_on_a_gpu(device: str) -> None:
    x = np.random.default_rng(0).uniform(0.5, 2, (2, 3))
    functions: list[Callable[[Any], Any]] = [
        lambda a: nnp.sort(a) * nnp.take_along_axis(a, nnp.argsort(a), 1),
        lambda a: nnp.cumprod(a, 1) + nnp.cumsum(a).reshape(2, 3) * nnp.prod(a, 0),
        lambda a: nnp.einsum("ij,kj->ik", a, a) + nnp.einsum("ii", a @ a.T),
        lambda a: nnp.repeat(nnp.roll(nnp.tile(a, 2), 1, 1), [2, 1], 0) + nnp.arctan2(1.5, a[:1, :1]),
    ]
    for fun in functions:
        loss = lambda a, f=fun: nnp.sum(f(a) ** 2)  # noqa: E731
        found = npnets.grad(loss)(npnets.tree.to_device(x, device))
        assert device_of(found) == device
        assert_trees_close_to_numpy(found, npnets.grad(loss)(x), 1e-10)


def test_every_operator_takes_a_cupy_array_and_a_traced_array_in_either_order() -> None:
    a, x = npnets.tree.to_device(tuple(np.random.default_rng(0).uniform(0.5, 2, (2, 3, 3))), "cuda")
    plain_a, plain_x = npnets.tree.to_numpy((a, x))
    functions: list[Callable[[Any, Any], Any]] = [
        lambda a, x: a - x + x * a - a / x + x**a + a**x,
        lambda a, x: a @ x + x @ a,
        lambda a, x: a % x + x % a,
        lambda a, x: nnp.where(a > x, x, a) + nnp.where(x >= a, a * x, x),
        lambda a, x: np.multiply(a, x) + np.exp(x) * a + np.float64(2) * x / np.float32(3),
        lambda a, x: nnp.concatenate([a, x], 1)[:, 2:5] + nnp.stack([x, a])[0],
    ]
    for fun in functions:
        found = npnets.grad(lambda x, f=fun: nnp.sum(f(a, x)))(x)
        expected = npnets.grad(lambda x, f=fun: nnp.sum(f(plain_a, x)))(plain_x)
        assert device_of(found) == "cuda:0"
        assert_trees_close_to_numpy(found, expected, 1e-10)
