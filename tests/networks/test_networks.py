"""Laws of every network: forward is pure, rows are independent, dtypes are those of parameters, actions are bounded."""

from __future__ import annotations

import dataclasses
import functools
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, on_backend
from finite_differences import assert_trees_close, check_first_order
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from network_cases import ACT, BOUNDS, CASES, OBS, VAE, Case, each_case, each_differentiable_case, initial, small_net

import npnets
import npnets.numpy as nnp
from npnets.kernels import linear
from npnets.kernels.activations import Activation

# -- forward ----------------------------------------------------------------------------------------------------------


@each_case
def test_forward_changes_no_argument_and_returns_equal_bits_in_equal_calls(case: Case) -> None:
    params, inputs = case.params(), case.inputs()
    before = bits(params), bits(inputs), _state_of(case.net)
    first = case.run(params, *inputs)
    kept = bits(first)
    for leaf in first:
        if isinstance(leaf, np.ndarray):  # CuPy has no arrays that cannot be written to
            leaf.setflags(write=True)
        leaf += 1
    assert (bits(params), bits(inputs), _state_of(case.net)) == before
    assert bits(case.run(params, *inputs)) == kept


def _state_of(net: Any) -> Any:
    return repr(net), pickle.dumps(dataclasses.astuple(net))


@each_case
def test_a_row_of_a_batch_equals_the_single_row(case: Case) -> None:
    params, inputs = case.params(np.float64), case.inputs(dtype=np.float64)
    whole = as_numpy(case.run(params, *inputs))
    for row in range(4):
        single = case.of_rows([row]).run(params, *[x[row : row + 1] for x in inputs])
        for many, one in zip(whole, single, strict=True):
            assert_allclose(one, np.take(many, [row], case.row_axis), rtol=1e-10, atol=1e-12)


@each_case
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outputs_have_the_dtype_of_the_parameters_for_inputs_of_any_dtype_and_type(case: Case, dtype: type) -> None:
    params = case.params(dtype)
    assert {leaf.dtype for leaf in npnets.tree.leaves(params)} == {np.dtype(dtype)}
    inputs = case.inputs(dtype=dtype)
    expected = case.run(params, *inputs)
    assert {leaf.dtype for leaf in expected} == {np.dtype(dtype)}
    wide = [x.astype(np.float64) for x in inputs]
    by_columns = [x.T.copy().T for x in inputs]
    for other in (wide, [x.tolist() for x in wide], by_columns, as_numpy(inputs), as_numpy(wide)):
        outputs = case.run(params, *other)
        assert {leaf.dtype for leaf in outputs} == {np.dtype(dtype)}
        assert_trees_close(outputs, expected, 1e-5, 1e-6)
    whole_numbers = on_backend([np.round(3 * x).astype(int) for x in as_numpy(inputs)])
    as_floats = [x.astype(dtype) for x in whole_numbers]
    assert bits(case.run(params, *whole_numbers)) == bits(case.run(params, *as_floats))


@each_case
def test_equal_seeds_give_equal_parameters_in_both_dtypes_and_different_seeds_different_ones(case: Case) -> None:
    narrow, wide = (initial(case.net, np.random.default_rng(5), dtype) for dtype in (np.float32, np.float64))
    assert_trees_close(narrow, wide, 1e-6)
    assert bits(narrow) == bits(on_backend(case.net.init(np.random.default_rng(5))))
    if "LayerNorm" not in type(case.net).__name__:
        other = initial(case.net, np.random.default_rng(6))
        assert bits(other) != bits(narrow)


@pytest.mark.numpy_alone("test_backends_agree compares the gradients of other backends with these")
@each_differentiable_case
def test_gradients_with_respect_to_parameters_and_inputs_agree_with_central_differences(case: Case) -> None:
    params, inputs = case.params(np.float64, seed=3), case.inputs(dtype=np.float64, seed=4)
    check_first_order(lambda p: case.run(p, *inputs), params, np.random.default_rng(0))
    check_first_order(lambda x: case.run(params, *x), inputs, np.random.default_rng(1))
    gradient = npnets.grad(lambda x: sum((nnp.sum(leaf * leaf) for leaf in case.run(params, *x)), 0.0))(inputs)
    assert all(leaf.any() for leaf in as_numpy(gradient))


def test_gradients_have_the_dtype_of_the_inputs() -> None:
    case = CASES["Critic of actions"]
    params, inputs = case.params(), case.inputs(dtype=np.float64)
    gradient = npnets.grad(lambda x: nnp.sum(case.run(params, *x)[0]))(inputs)
    exact = npnets.grad(lambda x: nnp.sum(case.run(case.params(np.float64), *x)[0]))(inputs)
    assert {leaf.dtype for leaf in gradient} == {np.dtype(np.float64)}
    assert_trees_close(gradient, exact, 1e-4, 1e-5)


@pytest.mark.numpy_alone("a GPU computes all rows at once")
@pytest.mark.parametrize("linear_layer", [npnets.Linear, functools.partial(npnets.EnsembleLinear, 2)])
def test_numpy_runs_many_rows_in_blocks_with_the_same_output(
    linear_layer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = npnets.MLP(3, 2, (5, 4), linear_layer=linear_layer)
    leaves = net.spec.read(net.init(np.random.default_rng(0), np.float64), net)
    x = np.random.default_rng(1).normal(size=(2 * linear.MOST_ROWS + 1, 3))
    relu = Activation("relu")
    activations = (relu, relu, None)
    together, _ = linear.NUMPY.forward(x, *leaves, activations=activations)  # residuals are those of all rows
    product, rows = linear.product, []
    monkeypatch.setattr(linear, "product", lambda x, weight: rows.append(x.shape[-2]) or product(x, weight))
    by_blocks = linear.NUMPY.evaluate(x, *leaves, activations=activations)
    assert rows == [rows for rows in (linear.MOST_ROWS, linear.MOST_ROWS, 1) for _ in range(len(net.hidden_sizes) + 1)]
    assert by_blocks.shape == together.shape
    np.testing.assert_allclose(by_blocks, together, rtol=1e-13)


def test_several_threads_can_use_a_network_at_once() -> None:
    def job(case: Case) -> Callable[[int], list[Any]]:
        return lambda seed: [bits(case.run(case.params(seed=seed), *case.inputs())) for _ in range(5)]

    for case in (CASES["Actor"], CASES["VAE"], CASES["Critic of an ensemble"]):
        fresh = case._replace(net=pickle.loads(pickle.dumps(case.net)))
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(job(fresh), range(6)))
        assert found == [[bits(case.run(case.params(seed=seed), *case.inputs()))] * 5 for seed in range(6)]


# -- bounds -----------------------------------------------------------------------------------------------------------

FLOATS = arrays(np.float32, (2, OBS), elements=st.floats(-1e6, 1e6, width=32))


@given(FLOATS, st.floats(1e-3, 1e3))
def test_actions_are_within_a_bound_that_is_one_number(obs: Any, bound: float) -> None:
    for net in (
        npnets.Actor(small_net(), ACT, max_action=bound),
        npnets.ActorProb(small_net(), ACT, max_action=bound),
        npnets.RecurrentActorProb(1, OBS, ACT, 6, max_action=bound),
    ):
        output, _ = net.forward(on_backend(net.init(np.random.default_rng(0))), on_backend(obs))
        action = output if isinstance(net, npnets.Actor) else output[0]
        assert (abs(as_numpy(action)) <= np.float32(bound)).all()


@given(FLOATS, arrays(np.float32, (2, ACT), elements=st.floats(-1e6, 1e6, width=32)))
def test_actions_are_within_a_bound_for_each_dimension(obs: Any, act: Any) -> None:
    bounds = np.asarray(BOUNDS, np.float32)
    rng = np.random.default_rng(0)
    obs, act = on_backend((obs, act))
    for name in ("Actor", "Perturbation", "VAE"):
        case = CASES[name].of_rows([0, 1])
        inputs = (obs, act)[: len(case.widths)]
        action = case.run(on_backend(case.net.init(rng)), *inputs)[0]
        assert (abs(as_numpy(action)) <= bounds).all()
        drawn = VAE.decode(on_backend(VAE.init(rng)), obs, rng=rng)
        assert (abs(as_numpy(drawn)) <= bounds).all()


def test_each_dimension_of_an_action_reaches_its_own_bound() -> None:
    net, plain = npnets.Actor(small_net(), ACT, max_action=BOUNDS), npnets.Actor(small_net(), ACT)
    params = on_backend(npnets.tree.map(lambda leaf: leaf * 100, net.init(np.random.default_rng(0))))
    obs = on_backend(np.random.default_rng(1).normal(size=(50, OBS)))
    action, _ = net.forward(params, obs)
    assert_allclose(abs(action).max(0), BOUNDS, rtol=1e-6)
    assert_allclose(action, as_numpy(plain.forward(params, obs)[0]) * BOUNDS, rtol=1e-6)


def test_softmax_returns_probabilities_over_the_last_axis() -> None:
    for atoms in (1, 5):
        params = on_backend(small_net(2, num_atoms=atoms).init(np.random.default_rng(0), np.float64))
        obs = on_backend(np.ones((3, OBS)))
        logits = np.exp(as_numpy(small_net(2, num_atoms=atoms).forward(params, obs)[0]))
        probabilities, _ = small_net(2, softmax=True, num_atoms=atoms).forward(params, obs)
        assert_allclose(probabilities, logits / logits.sum(-1, keepdims=True), rtol=1e-12)


def test_the_output_for_an_empty_batch_is_an_empty_batch() -> None:
    for net, shape in ((npnets.Net(3, 2, (4,), num_atoms=5), (0, 2, 5)), (npnets.Net(3, 2, (4,)), (0, 2))):
        params = initial(net, np.random.default_rng(0))
        assert net.forward(params, on_backend(np.zeros((0, 3), "f")))[0].shape == shape


def test_an_empty_list_of_norms_activations_or_arguments_means_none() -> None:
    obs = on_backend(np.random.default_rng(1).normal(size=(3, OBS)))
    none = npnets.MLP(OBS, 2, (4, 4), activation=None)
    params = initial(none, np.random.default_rng(0))
    empty = npnets.MLP(OBS, 2, (4, 4), norm_layer=[], norm_args=[], activation=[], act_args=[])
    assert_array_equal(empty.forward(params, obs), none.forward(params, obs))
