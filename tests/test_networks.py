"""What every network keeps to: forward is pure, descriptions are values, rows are independent, actions stay bounded."""

from __future__ import annotations

import dataclasses
import functools
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as onp
import pytest
from finite_differences import assert_trees_close, check_first_order
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

import npnets
import npnets.numpy as np

OBS, ACT = 5, 3
BOUNDS = (0.5, 1.0, 2.5)
ENSEMBLE = functools.partial(npnets.EnsembleLinear, 4)


class Case(NamedTuple):
    """A network, the widths of its inputs, and the axis of each answer along which rows stand."""

    net: Any
    widths: tuple[int, ...]
    options: dict[str, Any] = {}
    row_axis: int = 0

    def inputs(self, batch: int = 4, dtype: type = onp.float32, seed: int = 1) -> list[Any]:
        """Draw a batch of inputs."""
        rng = onp.random.default_rng(seed)
        return [rng.uniform(-1, 1, (batch, width)).astype(dtype) for width in self.widths]

    def run(self, params: Any, *inputs: Any) -> list[Any]:
        """Return the arrays that the network answers with."""
        answer = self.net.forward(params, *inputs, **self.options)
        return [leaf for leaf in npnets.tree.leaves(answer) if leaf is not None]


def _net(*args: Any, **kwargs: Any) -> npnets.Net:
    return npnets.Net(OBS, *args, **{"hidden_sizes": (8, 6), **kwargs})


def _square(z: Any) -> Any:
    return z * z


NOISE = onp.random.default_rng(9).normal(size=(4, 2))
VAE = npnets.VAE(npnets.MLP(OBS + ACT, 6, (7,)), npnets.MLP(OBS + 2, ACT, (7,)), 6, 2, BOUNDS)
CASES = {
    "Linear": Case(npnets.Linear(OBS, 3), (OBS,)),
    "Linear without bias": Case(npnets.Linear(OBS, 3, False), (OBS,)),
    "EnsembleLinear": Case(npnets.EnsembleLinear(4, OBS, 3), (OBS,), row_axis=1),
    "LayerNorm": Case(npnets.LayerNorm(OBS, 1e-4, bias=False), (OBS,)),
    "MLP": Case(npnets.MLP(OBS, 2, [7], ["layer_norm"], activation=["elu"], act_args=[(0.5,)]), (OBS,)),
    "MLP of a function": Case(npnets.MLP(OBS, hidden_sizes=(4, 3), activation=_square), (OBS,)),
    "Net": Case(_net(2, activation="tanh", norm_layer="layer_norm", norm_args={"eps": 1e-3}), (OBS,)),
    "Net with softmax and atoms": Case(_net((2,), softmax=True, num_atoms=5), (OBS,)),
    "Net that duels": Case(_net(2, dueling_param=({"hidden_sizes": [3]}, {"hidden_sizes": [4]})), (OBS,)),
    "Net of an ensemble": Case(_net(2, linear_layer=ENSEMBLE), (OBS,), row_axis=1),
    "Actor": Case(npnets.Actor(_net(), ACT, (4,), BOUNDS), (OBS,)),
    "ActorProb": Case(npnets.ActorProb(_net(), (ACT,), max_action=2), (OBS,)),
    "ActorProb conditioned": Case(npnets.ActorProb(_net(), ACT, unbounded=True, conditioned_sigma=True), (OBS,)),
    "Critic": Case(npnets.Critic(_net(), (4,)), (OBS,)),
    "Critic of actions": Case(npnets.Critic(_net(ACT, concat=True)), (OBS, ACT)),
    "Critic of an ensemble": Case(
        npnets.Critic(_net(ACT, concat=True, linear_layer=ENSEMBLE), [6], linear_layer=ENSEMBLE, flatten_input=False),
        (OBS, ACT),
        row_axis=1,
    ),
    "Perturbation": Case(npnets.Perturbation(npnets.Net(OBS + ACT, ACT, (8,)), BOUNDS, phi=0.2), (OBS, ACT)),
    "VAE": Case(VAE, (OBS, ACT), {"noise": NOISE}),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def _params(case: Case, dtype: type = onp.float32, seed: int = 0) -> Any:
    """Parameters of a network, none of them at a special value such as zero."""
    params = case.net.init(onp.random.default_rng(seed), dtype)
    rng = onp.random.default_rng(seed + 1)
    return npnets.tree.map(lambda leaf: leaf + rng.normal(size=leaf.shape).astype(dtype) * 0.1, params)


def _bits(x: Any) -> list[Any]:
    return [leaf.tobytes() for leaf in npnets.tree.leaves(x)]


# -- forward ----------------------------------------------------------------------------------------------------------


@each_case
def test_forward_changes_nothing_and_gives_the_same_bits_again(case: Case) -> None:
    params, inputs = _params(case), case.inputs()
    before = _bits(params), _bits(inputs), _state_of(case.net)
    first = case.run(params, *inputs)
    kept = _bits(first)
    for leaf in first:
        leaf.setflags(write=True)
        leaf += 1
    assert (_bits(params), _bits(inputs), _state_of(case.net)) == before
    assert _bits(case.run(params, *inputs)) == kept


def _state_of(net: Any) -> Any:
    return repr(net), pickle.dumps(dataclasses.astuple(net))


@each_case
def test_a_row_of_a_batch_equals_the_single_row(case: Case) -> None:
    params, inputs = _params(case, onp.float64), case.inputs(dtype=onp.float64)
    whole = case.run(params, *inputs)
    for row in range(4):
        options = {"noise": NOISE[row : row + 1]} if case.options else {}
        single = case._replace(options=options).run(params, *[x[row : row + 1] for x in inputs])
        for many, one in zip(whole, single, strict=True):
            assert_allclose(onp.take(many, [row], case.row_axis), one, rtol=1e-10, atol=1e-12)


@each_case
@pytest.mark.parametrize("dtype", [onp.float32, onp.float64])
def test_answers_have_the_dtype_of_the_parameters_whatever_comes_in(case: Case, dtype: type) -> None:
    params = _params(case, dtype)
    assert {leaf.dtype for leaf in npnets.tree.leaves(params)} == {onp.dtype(dtype)}
    inputs = case.inputs(dtype=dtype)
    expected = case.run(params, *inputs)
    assert {leaf.dtype for leaf in expected} == {onp.dtype(dtype)}
    wide = [x.astype(onp.float64) for x in inputs]
    for other in (wide, [x.tolist() for x in wide], [onp.asfortranarray(x) for x in inputs]):
        answers = case.run(params, *other)
        assert {leaf.dtype for leaf in answers} == {onp.dtype(dtype)}
        assert_trees_close(answers, expected, 1e-5, 1e-6)
    whole_numbers = [onp.round(3 * x).astype(int) for x in inputs]
    as_floats = [x.astype(dtype) for x in whole_numbers]
    assert _bits(case.run(params, *whole_numbers)) == _bits(case.run(params, *as_floats))


@each_case
def test_one_seed_gives_the_same_parameters_in_both_dtypes_and_another_gives_others(case: Case) -> None:
    narrow, wide = (case.net.init(onp.random.default_rng(5), dtype) for dtype in (onp.float32, onp.float64))
    assert_trees_close(narrow, wide, 1e-6)
    if "LayerNorm" not in type(case.net).__name__:
        other = case.net.init(onp.random.default_rng(6))
        assert _bits(other) != _bits(narrow)


@each_case
def test_gradients_by_parameters_and_inputs_agree_with_central_differences(case: Case) -> None:
    params, inputs = _params(case, onp.float64, seed=3), case.inputs(dtype=onp.float64, seed=4)
    check_first_order(lambda p: case.run(p, *inputs), params, onp.random.default_rng(0))
    check_first_order(lambda x: case.run(params, *x), inputs, onp.random.default_rng(1))
    gradient = npnets.grad(lambda x: sum((np.sum(leaf * leaf) for leaf in case.run(params, *x)), 0.0))(inputs)
    assert all(leaf.any() for leaf in gradient)


def test_inputs_of_another_dtype_keep_it_in_their_gradients() -> None:
    case = CASES["Critic of actions"]
    params, inputs = _params(case), case.inputs(dtype=onp.float64)
    gradient = npnets.grad(lambda x: np.sum(case.run(params, *x)[0]))(inputs)
    exact = npnets.grad(lambda x: np.sum(case.run(_params(case, onp.float64), *x)[0]))(inputs)
    assert {leaf.dtype for leaf in gradient} == {onp.dtype(onp.float64)}
    assert_trees_close(gradient, exact, 1e-4, 1e-5)


# -- descriptions -----------------------------------------------------------------------------------------------------


@each_case
def test_a_description_is_frozen_and_holds_no_arrays(case: Case) -> None:
    field = dataclasses.fields(case.net)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(case.net, field, 1)
    case.net.init(onp.random.default_rng(0))
    assert not _holds_an_array(case.net)


def _holds_an_array(x: Any) -> bool:
    if isinstance(x, (dict, list, tuple)):
        return any(_holds_an_array(part) for part in (x.values() if isinstance(x, dict) else x))
    return isinstance(x, onp.ndarray) or any(_holds_an_array(part) for part in getattr(x, "__dict__", {}).values())


@pytest.mark.parametrize("case", [c for c in CASES.values() if "_square" not in repr(c.net)])
def test_the_repr_of_a_description_evaluates_to_an_equal_one(case: Case) -> None:
    names = {**vars(npnets), "npnets": npnets, "functools": functools}
    again = eval(repr(case.net), names)
    assert again == case.net and again is not case.net
    assert repr(again) == repr(case.net)
    assert _bits(again.init(onp.random.default_rng(0))) == _bits(case.net.init(onp.random.default_rng(0)))


@each_case
def test_a_description_survives_pickle_before_and_after_use(case: Case) -> None:
    params, inputs = _params(case), case.inputs()
    expected = _bits(case.run(params, *inputs))
    again = pickle.loads(pickle.dumps(case.net))
    assert again == case.net
    assert _bits(case._replace(net=again).run(params, *inputs)) == expected


@each_case
def test_a_description_equals_no_other(case: Case) -> None:
    assert [other.net for other in CASES.values() if other.net == case.net] == [case.net]


def test_arguments_that_mean_the_same_make_equal_descriptions() -> None:
    one = npnets.MLP(3, 2, [4, 5], activation=["tanh", None], linear_layer=functools.partial(npnets.EnsembleLinear, 2))
    two = npnets.MLP(
        3, 2, onp.array([4, 5]), activation=("tanh", None), linear_layer=functools.partial(npnets.EnsembleLinear, 2)
    )  # noqa: E501
    assert one == two and one != npnets.MLP(3, 2, [4, 5])
    assert npnets.Actor(_net(), [3], max_action=onp.ones(3)) == npnets.Actor(_net(), (3,), max_action=[1, 1, 1])
    assert npnets.Actor(_net(), 3, max_action=1) != npnets.Actor(_net(), 3, max_action=2)


def test_a_list_that_a_description_was_made_from_can_be_changed_afterwards() -> None:
    sizes, args = [4, 5], {"eps": 1e-3}
    mlp = npnets.MLP(3, 2, sizes, "layer_norm", args)
    sizes.append(6)
    args["eps"] = 5.0
    assert mlp == npnets.MLP(3, 2, [4, 5], "layer_norm", {"eps": 1e-3})


def test_networks_are_used_by_several_threads_at_once() -> None:
    def job(case: Case) -> Callable[[int], list[Any]]:
        return lambda seed: [_bits(case.run(_params(case, seed=seed), *case.inputs())) for _ in range(5)]

    for case in (CASES["Actor"], CASES["VAE"], CASES["Critic of an ensemble"]):
        fresh = case._replace(net=pickle.loads(pickle.dumps(case.net)))
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(job(fresh), range(6)))
        assert found == [[_bits(case.run(_params(case, seed=seed), *case.inputs()))] * 5 for seed in range(6)]


# -- bounds -----------------------------------------------------------------------------------------------------------

FLOATS = arrays(onp.float32, (2, OBS), elements=st.floats(-1e6, 1e6, width=32))


@given(FLOATS, st.floats(1e-3, 1e3))
def test_actions_stay_within_a_bound_that_is_one_number(obs: Any, bound: float) -> None:
    for net in (npnets.Actor(_net(), ACT, max_action=bound), npnets.ActorProb(_net(), ACT, max_action=bound)):
        answer, _ = net.forward(net.init(onp.random.default_rng(0)), obs)
        action = answer if isinstance(net, npnets.Actor) else answer[0]
        assert (abs(action) <= onp.float32(bound)).all()


@given(FLOATS, arrays(onp.float32, (2, ACT), elements=st.floats(-1e6, 1e6, width=32)))
def test_actions_stay_within_a_bound_for_each_dimension(obs: Any, act: Any) -> None:
    bounds = onp.asarray(BOUNDS, onp.float32)
    rng = onp.random.default_rng(0)
    for name in ("Actor", "Perturbation", "VAE"):
        case = CASES[name]._replace(options={"noise": NOISE[:2]} if name == "VAE" else {})
        inputs = (obs, act)[: len(case.widths)]
        action = case.run(case.net.init(rng), *inputs)[0]
        assert (abs(action) <= bounds).all()
        assert (abs(VAE.decode(VAE.init(rng), obs, rng=rng)) <= bounds).all()


def test_each_dimension_of_an_action_reaches_its_own_bound() -> None:
    net = npnets.Actor(_net(), ACT, max_action=BOUNDS)
    params = npnets.tree.map(lambda leaf: leaf * 100, net.init(onp.random.default_rng(0)))
    action, _ = net.forward(params, onp.random.default_rng(1).normal(size=(50, OBS)))
    assert_allclose(abs(action).max(0), BOUNDS, rtol=1e-6)
    plain = npnets.Actor(_net(), ACT)
    assert_allclose(
        action, plain.forward(params, onp.random.default_rng(1).normal(size=(50, OBS)))[0] * BOUNDS, rtol=1e-6
    )  # noqa: E501


def test_softmax_makes_probabilities_of_the_last_axis() -> None:
    for atoms in (1, 5):
        params, obs = _net(2, num_atoms=atoms).init(onp.random.default_rng(0), onp.float64), onp.ones((3, OBS))
        logits = onp.exp(_net(2, num_atoms=atoms).forward(params, obs)[0])
        probabilities, _ = _net(2, softmax=True, num_atoms=atoms).forward(params, obs)
        assert_allclose(probabilities, logits / logits.sum(-1, keepdims=True), rtol=1e-12)


def test_parameters_have_the_keys_that_the_documentation_names() -> None:
    keys = {name: sorted(case.net.init(onp.random.default_rng(0))) for name, case in CASES.items()}
    assert keys["Linear"] == keys["EnsembleLinear"] == ["bias", "weight"]
    assert (keys["Linear without bias"], keys["LayerNorm"]) == (["weight"], ["weight"])
    assert keys["MLP"] == ["linear_0", "linear_1", "norm_0"]
    assert (keys["Net"], keys["Net that duels"]) == (["model"], ["Q", "V", "model"])
    assert keys["Actor"] == keys["Critic"] == ["last", "preprocess"]
    assert keys["ActorProb"] == ["log_sigma", "mu", "preprocess"]
    assert keys["ActorProb conditioned"] == ["mu", "preprocess", "sigma"]
    assert (keys["Perturbation"], keys["VAE"]) == (["preprocess"], ["decoder", "encoder", "log_std", "mean"])
    assert_array_equal(CASES["ActorProb"].net.init(onp.random.default_rng(0))["log_sigma"], onp.zeros(ACT))
    shapes = npnets.tree.map(
        lambda leaf: leaf.shape, CASES["Critic of an ensemble"].net.last.init(onp.random.default_rng(0))
    )  # noqa: E501
    assert shapes["linear_0"] == {"weight": (4, 6, 6), "bias": (4, 1, 6)}
