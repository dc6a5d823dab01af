"""Laws of sequences: single steps, parts, padding and resets give the same as whole sequences.

Tight, in float64, for every recurrent network, over drawn sizes: one and several layers, steps and sequences, unequal
lengths, an initial state that is not zero; values and gradients.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, bits, on_backend
from finite_differences import assert_trees_close, check_first_order, check_second_order
from hypothesis import given, settings
from hypothesis import strategies as st
from recurrent_problems import (
    NETWORKS,
    Problem,
    drawn_lengths,
    drawn_resets,
    each_network,
    run,
    sizes,
    small_problem,
    traced_parts,
    weighted,
    weights_like,
    with_parts,
)

import npnets
import npnets.numpy as nnp
from npnets.kernels import buffers

over_sizes = settings(max_examples=12)


@pytest.fixture(scope="module", autouse=True)
def kept_memory() -> Iterator[None]:
    """Reuse buffers of any size, and not only those of large arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buffers, "LEAST_BYTES", 0)
        yield


def assert_same(found: Any, expected: Any) -> None:
    assert_trees_close(found, as_numpy(expected), 1e-11, 1e-13)


def _gradients(problem: Problem, weights: Any) -> Any:
    """Return the gradients of a weighted sum of all outputs and the new state, with respect to every array."""
    return npnets.grad(lambda parts: weighted(*run(with_parts(problem, parts)), weights))(traced_parts(problem))


# -- stepping and splitting -------------------------------------------------------------------------------------------


@each_network
@over_sizes
@given(**sizes, steps=st.integers(1, 5), resetting=st.booleans())
def test_stepping_one_observation_at_a_time_equals_the_whole_sequence(
    name: str, layers: int, hidden: int, batch: int, seed: int, steps: int, resetting: bool
) -> None:
    whole = small_problem(name, layers, hidden, batch, steps, seed)
    whole = whole.but(resets=drawn_resets(whole, seed) if resetting else None)
    outputs, final = run(whole)
    state = whole.given["state"]
    for t in range(steps):
        one = whole.of_steps(slice(t, t + 1)).but(state=state)
        flat = one.but(**{part: one.given[part][:, 0] for part in ("obs", "act", "resets") if part in one.given})
        output, state = run(flat, all_steps=False)
        assert_same(output, outputs[:, t])
        for same in (one, flat):
            assert_same(run(same), (output[:, None], state))
        assert_same(run(one.but(act=flat.given.get("act")), all_steps=False), (output, state))
    assert_same(state, final)


@each_network
@over_sizes
@given(**sizes, steps=st.integers(2, 6), at=st.integers(1, 5))
def test_splitting_a_sequence_anywhere_and_carrying_the_state_changes_neither_value_nor_gradient(
    name: str, layers: int, hidden: int, batch: int, seed: int, steps: int, at: int
) -> None:
    whole, at = small_problem(name, layers, hidden, batch, steps, seed), min(at, steps - 1)
    whole = whole.but(resets=drawn_resets(whole, seed))

    def in_two(problem: Problem) -> Any:
        first, state = run(problem.of_steps(slice(0, at)))
        second, state = run(problem.of_steps(slice(at, steps)).but(state=state))
        return nnp.concatenate([first, second], 1), state

    assert_same(in_two(whole), run(whole))
    weights = weights_like(*run(whole), [steps] * batch, seed)
    found = npnets.grad(lambda parts: weighted(*in_two(with_parts(whole, parts)), weights))(traced_parts(whole))
    assert_same(found, _gradients(whole, weights))


@each_network
def test_a_gradient_flows_through_a_carried_state_and_stop_gradient_ends_it_there(name: str) -> None:
    whole = small_problem(name, 2, 3, 2, 6, 0)

    def later(parts: Any, carry: Any) -> Any:
        problem = with_parts(whole, parts)
        _, state = run(problem.of_steps(slice(0, 4)))
        output, _ = run(problem.of_steps(slice(4, 6)).but(state=carry(state)))
        return nnp.sum(output * output)

    flowing = as_numpy(npnets.grad(lambda parts: later(parts, lambda state: state))(traced_parts(whole)))
    ended = as_numpy(npnets.grad(lambda parts: later(parts, npnets.stop_gradient))(traced_parts(whole)))
    assert flowing["obs"][:, :4].all() and flowing["state"]["hidden"].all() and flowing["state"]["cell"].all()
    assert not ended["obs"][:, :4].any() and not any(leaf.any() for leaf in ended["state"].values())
    _, state = run(whole.of_steps(slice(0, 4)))
    constant = npnets.grad(lambda parts: later(parts, lambda _: state))(traced_parts(whole))
    assert_same(constant, on_backend(ended))
    assert ended["obs"][:, 4:].all()
    assert not np.allclose(
        flowing["params"]["lstm"]["layer_0"]["weight_hh"], ended["params"]["lstm"]["layer_0"]["weight_hh"]
    )


@pytest.mark.parametrize("kind", [npnets.Actor, npnets.ActorProb])
def test_a_recurrent_network_under_an_actor_remembers_what_it_has_seen(kind: Any) -> None:
    actor = kind(npnets.Recurrent(2, 3, 4, hidden_layer_size=3), 2)
    params, rng = on_backend(actor.init(np.random.default_rng(0), np.float64)), np.random.default_rng(1)
    obs, state = on_backend(rng.normal(size=(2, 4, 3))), None
    for t in range(4):
        output, state = actor.forward(params, obs[:, t], state)
    whole, final = actor.forward(params, obs)
    assert_same([output, state], [whole, final])
    forgetful = npnets.tree.leaves(actor.forward(params, obs[:, 3])[0])[0]
    assert (as_numpy(forgetful) != as_numpy(npnets.tree.leaves(output)[0])).all()


# -- padding ----------------------------------------------------------------------------------------------------------


def _filled(problem: Problem, value: float) -> Problem:
    """Return a problem with a value and resets at every step after the end of its sequences."""
    beyond = np.arange(problem.steps) >= np.asarray(problem.given["lengths"])[:, None]
    host = as_numpy({name: problem.given[name] for name in ("obs", "act", "resets") if name in problem.given})
    filled = {name: np.where(beyond.reshape(*beyond.shape, *[1] * (x.ndim - 2)), value, x) for name, x in host.items()}
    if "resets" in host:
        filled["resets"] = host["resets"] | (beyond & (value != 0))
    return problem.but(**on_backend(filled))


@each_network
@over_sizes
@given(**sizes, steps=st.integers(1, 5), resetting=st.booleans())
def test_a_padded_batch_equals_the_sequences_one_by_one_in_value_and_gradient(
    name: str, layers: int, hidden: int, batch: int, seed: int, steps: int, resetting: bool
) -> None:
    bare = small_problem(name, layers, hidden, batch, steps, seed)
    bare = bare.but(resets=drawn_resets(bare, seed) if resetting else None)
    lengths = drawn_lengths(bare, seed)
    padded = _filled(bare.but(lengths=lengths), np.nan)
    outputs, states = run(padded)
    weights = weights_like(outputs, states, lengths, seed)
    gradients = as_numpy(_gradients(padded, weights))
    of_params = []
    for row, length in enumerate(lengths):
        single = bare.of_row(row).of_steps(slice(0, int(length)))
        output, state = run(single)
        assert_same(output, outputs[row : row + 1, :length])
        assert_same(state, {part: states[part][row : row + 1] for part in states})
        own = weights[0][row : row + 1, :length], {part: weights[1][part][row : row + 1] for part in states}
        expected = as_numpy(_gradients(single, own))
        of_params.append(expected.pop("params"))
        found = npnets.tree.map(lambda leaf, row=row: leaf[row : row + 1], {k: gradients[k] for k in expected})
        found = {k: v[:, :length] if k in ("obs", "act") else v for k, v in found.items()}
        assert_same(on_backend(found), on_backend(expected))
        assert not any(gradients[part][row, length:].any() for part in ("obs", "act") if part in gradients)
    total = npnets.tree.map(lambda *leaves: sum(leaves), *of_params)
    assert_trees_close(on_backend(gradients["params"]), total, 1e-10, 1e-12)


@each_network
@over_sizes
@given(**sizes, steps=st.integers(1, 6))
def test_padding_after_the_end_of_a_sequence_changes_not_a_bit(
    name: str, layers: int, hidden: int, batch: int, seed: int, steps: int
) -> None:
    problem = small_problem(name, layers, hidden, batch, steps, seed)
    problem = problem.but(lengths=drawn_lengths(problem, seed), resets=drawn_resets(problem, seed))
    weights = weights_like(*run(problem), problem.given["lengths"], seed)
    plain, *others = [
        (bits(run(filled)), bits(_gradients(filled, weights)))
        for filled in (_filled(problem, value) for value in (0.0, np.nan, np.inf, -1e30))
    ]
    assert others == [plain] * 3
    assert np.isfinite(as_numpy(run(_filled(problem, np.nan))[0])).all()


@each_network
@over_sizes
@given(**sizes, steps=st.integers(1, 6), resetting=st.booleans())
def test_without_all_steps_the_output_is_that_of_the_last_valid_step(
    name: str, layers: int, hidden: int, batch: int, seed: int, steps: int, resetting: bool
) -> None:
    problem = small_problem(name, layers, hidden, batch, steps, seed)
    lengths = drawn_lengths(problem, seed)
    problem = problem.but(lengths=lengths, resets=drawn_resets(problem, seed) if resetting else None)
    outputs, state = run(problem)
    rows = np.arange(batch)
    last = problem.but(act=problem.given["act"][rows, lengths - 1] if "act" in problem.given else None)
    assert_same(run(last, all_steps=False), (outputs[rows, lengths - 1], state))
    assert_same(run(problem.but(lengths=[steps] * batch)), run(problem.but(lengths=None)))


# -- resets -----------------------------------------------------------------------------------------------------------


@each_network
@over_sizes
@given(**sizes, steps=st.integers(1, 5))
def test_a_reset_equals_a_start_from_zeros_in_value_and_gradient(
    name: str, layers: int, hidden: int, batch: int, seed: int, steps: int
) -> None:
    problem = small_problem(name, layers, hidden, batch, steps, seed)
    starts = drawn_lengths(problem, seed) - 1
    resets = np.arange(steps) == starts[:, None]
    reset = problem.but(resets=on_backend(resets))
    outputs, states = run(reset)
    before = np.arange(steps) < starts[:, None]
    weights = weights_like(outputs, states, [steps] * batch, seed)
    weights = (on_backend(as_numpy(weights[0]) * ~before[..., None]), weights[1])
    gradients = as_numpy(_gradients(reset, weights))
    assert not any(leaf.any() for leaf in gradients["state"].values())
    for row, start in enumerate(starts):
        fresh = problem.of_row(row).of_steps(slice(int(start), steps)).but(state=None)
        assert_same(run(fresh), (outputs[row : row + 1, start:], {p: states[p][row : row + 1] for p in states}))
        own = weights[0][row : row + 1, start:], {part: weights[1][part][row : row + 1] for part in states}
        expected = as_numpy(_gradients(fresh, own))
        for part in ("obs", "act"):
            if part in expected:
                assert_allclose(on_backend(gradients[part][row : row + 1, start:]), expected[part], 1e-10, 1e-12)
                assert not gradients[part][row, :start].any()
        if start:
            early = problem.of_row(row).of_steps(slice(0, int(start)))
            assert_same(run(early)[0], outputs[row : row + 1, :start])


@each_network
def test_state_resets_and_lengths_each_change_the_output_and_their_neutral_values_do_not(name: str) -> None:
    problem = small_problem(name, 2, 3, 3, 4, 1)
    zeros = npnets.tree.map(lambda leaf: leaf * 0, problem.given["state"])
    nothing = problem.but(state=None)
    neutral = [problem.but(state=zeros), nothing.but(resets=[[False] * 4] * 3), nothing.but(lengths=[4, 4, 4])]
    neutral.append(problem.but(resets=[[True, False, False, False]] * 3))
    for same in neutral:
        assert_same(run(same), run(nothing))
    plain = as_numpy(run(problem))[0]
    for change in ({"state": zeros}, {"resets": [[False, True, False, False]] * 3}, {"lengths": [1, 2, 3]}):
        other = as_numpy(run(problem.but(**change)))[0]
        assert (np.abs(other - plain).max((1, 2)) > 1e-6).all(), change


# -- derivatives ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.numpy_alone("test_backends_agree holds the gradients of other backends against these")
@each_network
@pytest.mark.parametrize("layers", [1, 2])
def test_derivatives_with_respect_to_parameters_inputs_and_states_agree_with_central_differences(
    name: str, layers: int
) -> None:
    problem = small_problem(name, layers, 3, 3, 4, 2)
    lengths, resets = [4, 2, 3], np.array([[0, 0, 1, 0], [0, 0, 1, 0], [0, 1, 0, 0]], bool)
    for options in ({}, {"lengths": lengths, "resets": on_backend(resets)}):
        case = problem.but(**options)
        for part, value in traced_parts(case).items():
            of_part = lambda x, part=part, case=case: run(with_parts(case, {**traced_parts(case), part: x}))  # noqa: E731
            check_first_order(of_part, value, np.random.default_rng(0))
        gradients = _gradients(case, weights_like(*run(case), [4] * 3, 0))
        assert all(leaf.any() for leaf in npnets.tree.leaves(as_numpy(gradients)))
    check_second_order(lambda parts: run(with_parts(case, parts)), traced_parts(case), np.random.default_rng(1))


@pytest.mark.numpy_alone("uses numpy.shares_memory")
@each_network
def test_outputs_states_and_gradients_share_no_memory_with_each_other_or_an_input(name: str) -> None:
    for layers, steps in ((1, 1), (2, 3)):
        problem = small_problem(name, layers, 3, 2, steps, 3)
        gradients = _gradients(problem, weights_like(*run(problem), [steps] * 2, 0))
        arrays = npnets.tree.leaves([gradients, list(run(problem)), problem.params, problem.given])
        pairs = itertools.combinations(range(len(arrays)), 2)
        assert [(i, j) for i, j in pairs if np.shares_memory(arrays[i], arrays[j])] == []


@pytest.mark.numpy_alone("reads the package's list of names")
def test_every_recurrent_network_is_tested() -> None:
    recurrent = {name for name in npnets.__all__ if "Recurrent" in name}
    assert recurrent == {type(make(1, 1)).__name__ for make in NETWORKS.values()}
