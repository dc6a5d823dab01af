"""Options that are NumPy scalars: descriptions and results equal those with Python numbers, all in float32."""

from __future__ import annotations

import functools
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_array_equal, on_backend

import npnets
import npnets.numpy as nnp
from npnets import discrete

F32 = np.dtype(np.float32)
PLAIN = (int, float, bool, str)
SCALARS = (np.int64, np.float64, np.bool_, np.str_)


def _times(z: Any, scale: float) -> Any:
    return nnp.tanh(z) * scale


def _made(i: Any, f: Any, b: Any, s: Any) -> dict[str, Any]:
    """Return networks that together use every option that takes a number, a bool or a name."""
    trunk = npnets.Net(i(3), hidden_sizes=(i(4),))
    net, mlp, cpu = npnets.Net, npnets.MLP, s("cpu")
    ensemble = functools.partial(npnets.EnsembleLinear, i(2))
    norm = {"norm_layer": s("layer_norm"), "norm_args": {"eps": f(1e-3), "bias": b(False)}}
    dueling = ({"hidden_sizes": (i(3),)}, {"activation": s("elu"), "hidden_sizes": [i(3)], "act_args": (f(0.3),)})
    return {
        "Linear": npnets.Linear(i(3), i(2), b(False)),
        "EnsembleLinear": npnets.EnsembleLinear(i(2), i(3), i(2), b(False)),
        "LayerNorm": npnets.LayerNorm(i(3), f(1e-3), b(True), b(False)),
        "LayerNorm with a whole eps": npnets.LayerNorm(i(3), i(1)),
        "MLP": mlp(i(3), i(2), [i(4)], activation=s("elu"), act_args=(f(0.7),), device=cpu, flatten_input=b(False)),
        "MLP with norms": mlp(i(3), i(2), [i(4)], **norm),
        "MLP with a whole beta": mlp(i(3), i(2), [i(4)], activation=[s("softplus")], act_args=[{"beta": i(2)}]),
        "MLP with a function": mlp(i(3), i(2), [i(4)], activation=_times, act_args={"scale": f(0.5)}),
        "MLP with a partial": mlp(i(3), i(2), [i(4)], activation=functools.partial(_times, scale=f(0.5))),
        "MLP with a 0-d array": mlp(i(3), i(2), [i(4)], activation=_times, act_args=(np.asarray(f(0.5)),)),
        "MLP of ensembles": mlp(i(3), i(2), [i(4)], linear_layer=ensemble),
        "Net": net(i(3), i(2), (i(4),), softmax=b(True), num_atoms=i(3), device=cpu, dueling_param=dueling),
        "Net with actions": net((i(2),), i(1), (i(4),), concat=b(True)),
        "Actor": npnets.Actor(trunk, i(2), (i(3),), f(0.3), cpu, i(4)),
        "Actor with a bound each": npnets.Actor(trunk, (i(2),), max_action=[f(0.3), i(2)]),
        "Actor with a whole bound": npnets.Actor(trunk, i(2), max_action=i(2)),
        "ActorProb": npnets.ActorProb(trunk, i(2), (), f(0.3), cpu, b(False), b(True), i(4)),
        "ActorProb without bounds": npnets.ActorProb(trunk, i(2), unbounded=b(True)),
        "Critic": npnets.Critic(trunk, (i(3),), cpu, i(4), flatten_input=b(True)),
        "Perturbation": npnets.Perturbation(npnets.Net(i(5), i(2)), f(0.5), cpu, f(0.25)),
        "Perturbation with a whole phi": npnets.Perturbation(npnets.Net(i(5), i(2)), i(2), cpu, i(1)),
        "VAE": npnets.VAE(mlp(i(5), hidden_sizes=(i(4),)), mlp(i(5), i(2)), i(4), i(2), f(0.5), cpu),
        "CosineEmbeddingNetwork": discrete.CosineEmbeddingNetwork(i(4), i(3)),
        "ImplicitQuantileNetwork": discrete.ImplicitQuantileNetwork(trunk, i(2), (i(3),), i(5), i(4), cpu),
        "FullQuantileFunction": discrete.FullQuantileFunction(trunk, (i(2), i(1)), [i(3)], i(5), i(4), cpu),
        "FractionProposalNetwork": discrete.FractionProposalNetwork(i(4), i(3)),
        "NoisyLinear": discrete.NoisyLinear(i(3), i(2), f(0.3)),
        "NoisyLinear with a whole noise": discrete.NoisyLinear(i(3), i(2), i(1)),
        "Recurrent": npnets.Recurrent(i(1), i(3), i(2), cpu, i(4)),
        "RecurrentActorProb": npnets.RecurrentActorProb(i(1), i(3), i(2), i(4), f(0.3), cpu, b(False), b(True)),
        "RecurrentCritic": npnets.RecurrentCritic(i(1), i(3), i(0), cpu, i(4)),
    }


WITH_FUNCTIONS = ("MLP with a function", "MLP with a partial", "MLP with a 0-d array")
each_network = pytest.mark.parametrize("name", _made(*PLAIN))


@pytest.mark.numpy_alone("descriptions hold no arrays")
@each_network
def test_a_description_of_numpy_scalars_equals_hashes_prints_and_pickles_like_one_of_python_numbers(name: str) -> None:
    plain, given = _made(*PLAIN)[name], _made(*SCALARS)[name]
    assert (given, repr(given)) == (plain, repr(plain))
    assert b"multiarray" not in pickle.dumps(given)
    assert pickle.loads(pickle.dumps(given)) == plain
    if not isinstance(getattr(plain, "act_args", None), (dict, tuple)) and "norms" not in name and name != "Net":
        assert hash(given) == hash(plain)


def _output(net: Any, params: Any) -> Any:
    obs = on_backend(np.random.default_rng(1).normal(size=(4, 3)))
    act = on_backend(np.ones((4, 2)))
    if isinstance(net, npnets.VAE):
        return net.forward(params, obs, act, noise=on_backend(np.ones((4, 2))))
    if isinstance(net, discrete.ImplicitQuantileNetwork):
        return net.forward(params, obs, np.int64(2), taus=act)
    if isinstance(net, discrete.FullQuantileFunction):
        return net.forward(params, obs, None, None, discrete.Fractions(act, act[:, :1], act[:, 0]))
    if isinstance(net, npnets.Perturbation):
        return net.forward(params, obs, act)
    return net.forward(params, obs)


@each_network
def test_a_float32_network_of_numpy_scalars_computes_in_float32_the_same_as_one_of_python_numbers(name: str) -> None:
    plain, given = _made(*PLAIN)[name], _made(*SCALARS)[name]
    params = on_backend(given.init(np.random.default_rng(0)))

    def loss(params: Any, net: Any) -> Any:
        leaves = npnets.tree.leaves(_output(net, params))
        return sum(nnp.sum(leaf * leaf) for leaf in leaves if leaf is not None)

    (value, grads), expected = (npnets.value_and_grad(loss)(params, net) for net in (given, plain))
    assert {leaf.dtype for leaf in npnets.tree.leaves((value, grads, _output(given, params))) if leaf is not None} == {
        F32
    }
    assert_array_equal(value, as_numpy(expected[0]))


@pytest.mark.numpy_alone("a file holds NumPy's arrays")
@pytest.mark.parametrize("name", [name for name in _made(*PLAIN) if name not in WITH_FUNCTIONS])
def test_a_network_of_numpy_scalars_is_loaded_from_a_checkpoint(name: str, tmp_path: Path) -> None:
    net = _made(*SCALARS)[name]
    npnets.checkpoint.save(tmp_path / "a.npz", net.init(np.random.default_rng(0)), {"network": net})
    assert npnets.checkpoint.load(tmp_path / "a.npz").metadata["network"] == _made(*PLAIN)[name]


FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "elu": (0.7,),
    "leaky_relu": (0.2,),
    "softplus": (2.0, 20.0),
    "clipped_exp": (-3.0, 1.0),
    "celu": (0.7,),
    "hardtanh": (-0.3, 0.8),
    "squash": (0.3,),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("scalar", [np.float64, np.float32])
def test_a_function_of_a_float32_array_and_numpy_scalars_returns_float32(name: str, scalar: Any) -> None:
    fun, args = getattr(npnets.functional, name), tuple(map(scalar, FUNCTIONS[name]))
    z = on_backend(np.linspace(-2, 2, 5, dtype="f"))
    value, pullback = npnets.vjp(lambda z: fun(z, *args), z)
    second = npnets.hvp(lambda z: nnp.sum(fun(z, *args)))(z, z)
    assert {fun(z, *args).dtype, value.dtype, pullback(value).dtype, second.dtype} == {F32}
    assert_array_equal(fun(z, *args), as_numpy(fun(z, *map(float, args))))


def test_squash_takes_any_sequence_of_bounds_and_invalid_bounds_are_an_error() -> None:
    z = on_backend(np.linspace(-2, 2, 6, dtype="f").reshape(3, 2))
    expected = as_numpy(npnets.functional.squash(z, (0.3, 2.0)))
    for given in ([0.3, np.float64(2)], np.array([0.3, 2.0]), (0.3, np.int64(2))):
        assert_array_equal(npnets.functional.squash(z, given), expected)
    for wrong in ("0.3", -1, np.inf, [0.3, 0.0]):
        with pytest.raises((TypeError, ValueError), match="max_action must be"):
            npnets.functional.squash(z, wrong)


def test_a_step_that_was_loaded_as_a_numpy_scalar_updates_to_the_same_bits() -> None:
    params, grads = on_backend(({"w": np.ones(5, F32)}, {"w": np.linspace(-1, 1, 5).astype(F32)}))
    optimizer = npnets.optim.adamw(0.1)
    state = optimizer.update(params=params, grads=grads, state=optimizer.init(params))[1]
    expected, _ = optimizer.update(params=params, grads=grads, state=state)
    found, new = optimizer.update(params=params, grads=grads, state=state._replace(step=np.int64(state.step)))
    assert_array_equal(found["w"], as_numpy(expected["w"]))
    assert type(new.step) is int
