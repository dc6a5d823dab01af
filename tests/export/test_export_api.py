"""`export.c`, `export.onnx` and `export.python`: their arguments, and parameters wherever they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import on_backend
from exported_cases import drawn_params, program
from program_interpreter import interpret

import npnets
import npnets.numpy as nnp
from npnets import discrete, export
from npnets.export.c import write as write_c
from npnets.export.lowering.builder import Builder
from npnets.export.onnx import write as write_onnx
from npnets.export.program import (
    Activate,
    Argmax,
    Clip,
    Combine,
    GroupMean,
    Linear,
    Normalize,
    Operation,
    Program,
    SelfTest,
    Softmax,
)
from npnets.export.python import write as write_python
from npnets.export.tolerance import allowed_errors

ACTOR = npnets.ActorProb(npnets.Net(3, hidden_sizes=(4,)), 1, max_action=2.0, conditioned_sigma=True)
PARAMS = ACTOR.init(np.random.default_rng(0))
STATISTICS = npnets.normalization.update(npnets.normalization.init(3), np.arange(12.0).reshape(4, 3))
WRITERS: dict[str, tuple[Callable[..., None], Callable[[Program], str | bytes]]] = {
    "c": (export.c, write_c),
    "onnx": (export.onnx, write_onnx),
    "python": (export.python, write_python),
}


def text(path: Path, *given: Any, **options: Any) -> str:
    """Return the plain Python of a policy."""
    export.python(path / "policy.py", *given, **options)
    return (path / "policy.py").read_text(encoding="utf-8")


def kinds(made: Program) -> list[type[Operation]]:
    return [type(operation) for operation in made.operations]


@pytest.mark.numpy_alone("writes files")
@pytest.mark.parametrize("language", WRITERS)
def test_each_function_writes_the_program_of_the_network_in_its_language(tmp_path: Path, language: str) -> None:
    function, write = WRITERS[language]
    function(tmp_path / "file", ACTOR, PARAMS, normalization=STATISTICS, output="network", name="policy", seed=3)
    expected = program(ACTOR, PARAMS, normalization=STATISTICS, output="network", seed=3)
    written = write(expected)
    content = written if isinstance(written, bytes) else written.encode()
    assert (tmp_path / "file").read_bytes() == content
    function(str(tmp_path / "policy.x"), ACTOR, PARAMS, normalization=STATISTICS, output="network", seed=3)
    assert (tmp_path / "policy.x").read_bytes() == content


@pytest.mark.numpy_alone("imports modules")
def test_the_functions_stay_what_their_names_mean_after_every_import() -> None:
    code = (
        "import npnets.export.c.header, npnets.export.onnx, npnets.export.python, npnets; "
        "print(*(getattr(npnets.export, name).__module__ for name in npnets.export.__all__))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert {"npnets.export.api"} <= set(done.stdout.split()) and "<" not in done.stdout
    assert all(callable(getattr(export, name)) for name in ("c", "onnx", "python"))


@pytest.mark.numpy_alone("imports modules")
def test_importing_the_package_does_not_import_export() -> None:
    code = "import sys, npnets; print([name for name in sys.modules if name.startswith('npnets.export')])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_parameters_on_a_gpu_give_the_file_of_those_on_the_cpu(tmp_path: Path) -> None:
    on_cpu = text(tmp_path, ACTOR, PARAMS)
    assert text(tmp_path, ACTOR, on_backend(PARAMS)) == on_cpu
    assert text(tmp_path, npnets.Policy(ACTOR, on_backend(PARAMS))) == on_cpu


@pytest.mark.numpy_alone("traces NumPy's arrays")
def test_parameters_that_are_being_differentiated_give_the_file_of_their_values(tmp_path: Path) -> None:
    found = []

    def loss(params: Any) -> Any:
        found.append(text(tmp_path, ACTOR, params))
        return nnp.sum(params["mu"]["linear_0"]["weight"])

    npnets.grad(loss)(PARAMS)
    assert found == [text(tmp_path, ACTOR, PARAMS)]


@pytest.mark.numpy_alone("writes files")
def test_a_policy_is_exported_as_its_network_with_its_normalization(tmp_path: Path) -> None:
    policy = npnets.Policy(ACTOR, PARAMS, normalization=STATISTICS)
    assert text(tmp_path, policy) == text(tmp_path, ACTOR, PARAMS, normalization=STATISTICS)
    assert text(tmp_path, policy) != text(tmp_path, replace(policy, normalization=None))
    assert Normalize in kinds(program(policy)) and Normalize not in kinds(program(ACTOR, PARAMS))


@pytest.mark.numpy_alone("makes programs")
def test_output_chooses_between_the_action_and_what_forward_returns() -> None:
    assert [port.name for port in program(ACTOR, PARAMS).outputs] == ["action"]
    assert [port.name for port in program(ACTOR, PARAMS, output="network").outputs] == ["mu", "sigma"]
    policy = npnets.Policy(npnets.ActorProb(ACTOR.preprocess_net, 1, unbounded=True, low=-1, high=1), _unbounded())
    assert [port.name for port in program(policy).outputs] == ["action"]
    assert [port.name for port in program(policy, output="network").outputs] == ["mu", "sigma"]
    assert Clip in kinds(program(policy)) and Clip not in kinds(program(policy, output="network"))


def _unbounded() -> Any:
    actor = npnets.ActorProb(ACTOR.preprocess_net, 1, unbounded=True)
    return actor.init(np.random.default_rng(0))


@pytest.mark.numpy_alone("makes programs")
def test_what_no_output_needs_is_left_out() -> None:
    acting, both = (program(ACTOR, PARAMS, output=output) for output in ("action", "network"))
    deviation = [op for op in both.operations if isinstance(op, Activate) and op.function == "clipped_exp"]
    assert len(deviation) == 1 and len(acting.operations) == len(both.operations) - 2
    chosen = program(discrete.Actor(ACTOR.preprocess_net, 3))
    assert Argmax in kinds(chosen) and Softmax not in kinds(chosen)  # it changes nothing about which is the largest


@pytest.mark.numpy_alone("makes programs")
def test_the_value_of_a_network_is_left_out_where_it_changes_nothing_about_the_choice() -> None:
    branches = npnets.BranchingNet(3, 2, 4, (8,))
    dueling = npnets.Net(3, 4, (8,), dueling_param=({}, {}))
    for net in (branches, dueling):
        params = drawn_params(net)
        chosen = program(npnets.Policy(net, params, to_action="greedy"))
        values = program(net, params, output="network")
        assert {Combine, GroupMean} <= {*kinds(values)} and not {Combine, GroupMean} & {*kinds(chosen)}
        assert kinds(values).count(Linear) == kinds(chosen).count(Linear) + 1
        obs = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
        expected = npnets.Policy(net, params, to_action="greedy").act(obs)
        assert len(np.unique(expected)) > 1
        np.testing.assert_array_equal(interpret(chosen, {"obs": obs})["action"].reshape(expected.shape), expected)


@pytest.mark.numpy_alone("makes programs")
def test_seed_changes_the_cases_of_the_self_test_alone() -> None:
    one, same, other = (program(ACTOR, PARAMS, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one.self_test.inputs[0], same.self_test.inputs[0])
    assert not np.array_equal(one.self_test.inputs[0], other.self_test.inputs[0])
    assert kinds(one) == kinds(other)


@pytest.mark.numpy_alone("makes programs")
def test_the_self_test_begins_at_zero_and_reaches_far_inputs_and_states() -> None:
    plain = program(ACTOR, PARAMS)
    (obs,) = plain.self_test.inputs
    assert obs.shape == (8, 3) and not obs[0].any() and np.abs(obs).max() > 5
    assert np.array_equal(obs, obs.astype(np.float32))
    assert plain.self_test.outputs[0].dtype == np.float32
    normalized = program(ACTOR, PARAMS, normalization=STATISTICS)
    assert np.allclose(normalized.self_test.inputs[0][0], STATISTICS.mean)
    memory = program(npnets.RecurrentActorProb(2, 3, 1, 4))
    hidden, cell = memory.self_test.inputs[1:]
    assert hidden.shape == cell.shape == (8, 2, 4)
    assert not hidden[0].any() and hidden[1:].any(axis=(1, 2)).all() and np.abs(hidden).max() < 1
    double = program(ACTOR, dtype=np.float64)
    assert double.self_test.outputs[0].dtype == np.float64
    (obs,) = double.self_test.inputs
    assert np.array_equal(obs, obs.astype(np.float32)) and obs.dtype == np.float64


@pytest.mark.numpy_alone("makes programs")
def test_the_self_test_holds_no_choice_that_rounding_might_change() -> None:
    net = discrete.Actor(npnets.Net(3, activation="tanh", hidden_sizes=(2,)), 2)
    params = npnets.tree.map(np.zeros_like, net.init(np.random.default_rng(0)))
    params["preprocess"]["model"]["linear_0"]["weight"][0, 0] = 1
    params["last"]["linear_0"]["weight"][0, 0] = 1
    params["last"]["linear_0"]["bias"][:] = 0.3, 0.3 + 1e-6  # at zero the second action is better by almost nothing
    for seed in range(3):
        (obs,), (action,) = program(net, params, seed=seed).self_test
        assert (np.abs(obs[:, 0]) > 1e-5).all() and 0 < action.sum() < len(action)
    params["last"]["linear_0"]["bias"][:] = 0  # now both are as good: every file chooses the first
    (obs,), (action,) = program(net, params).self_test
    assert not obs[0].any() and not action[0].any()


def cases_that_change(policy: npnets.Policy, by: float) -> int:
    """Return how many of the eight cases of a self-test have another action if parameters grow or shrink by a part."""
    (obs,), (action,) = program(policy).self_test
    rng, changed = np.random.default_rng(1), np.zeros(len(obs), bool)
    signs = npnets.tree.map(lambda leaf: rng.choice([-by, by], leaf.shape).astype(leaf.dtype), policy.params)
    for sign in (-1, 1):
        params = npnets.tree.map(lambda leaf, part: leaf * (1 + sign * part), policy.params, signs)  # noqa: B023
        changed |= (np.abs(replace(policy, params=params).act(obs) - action) > 1e-4).reshape(len(obs), -1).any(1)
    return int(changed.sum())


@pytest.mark.numpy_alone("makes programs")
def test_the_cases_of_a_choice_lie_close_to_where_another_action_is_chosen() -> None:
    net = discrete.Actor(npnets.Net(3, hidden_sizes=(16,)), 3)
    params = net.init(np.random.default_rng(0))
    params["last"]["linear_0"]["bias"][:] = 0.5, 0, 0
    policy = npnets.Policy(net, params)
    assert (policy.act(np.random.default_rng(2).normal(size=(1000, 3))) == 0).mean() > 0.8
    assert len(set(program(policy).self_test.outputs[0].tolist())) > 1
    assert cases_that_change(policy, 0.05) >= 6


@pytest.mark.numpy_alone("makes programs")
def test_the_cases_of_an_actor_that_often_saturates_are_those_where_it_does_not() -> None:
    actor = npnets.Actor(npnets.Net(3, hidden_sizes=(16,)), 1)
    params = actor.init(np.random.default_rng(0))
    params["last"]["linear_0"]["weight"] *= 200
    policy = npnets.Policy(actor, params)
    action = policy.act(np.random.default_rng(2).normal(size=(1000, 3)))
    assert (np.abs(action) > 0.9999).mean() > 0.75
    assert cases_that_change(policy, 0.05) >= 5


@pytest.mark.numpy_alone("makes programs")
@pytest.mark.parametrize("max_action", [1e-4, 1.0, 1e3])
def test_the_errors_that_a_self_test_allows_are_relative_to_the_bounds_of_actions(max_action: float) -> None:
    actor = npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2, max_action=max_action)
    one = program(actor)
    (error,) = allowed_errors(one)
    largest = np.abs(one.self_test.outputs[0]).max()
    assert error == pytest.approx(1e-5 * max(largest, min(1, max_action))) and largest < max_action
    wrong = replace(one, self_test=SelfTest(one.self_test.inputs, (one.self_test.outputs[0] + 2 * np.float32(error),)))
    for made, failures in ((one, 0), (wrong, 8)):
        names: dict[str, Any] = {"__name__": "policy"}
        exec(write_python(made), names)
        assert names["self_test"]() == failures


@pytest.mark.numpy_alone("makes programs")
def test_quantiles_are_weighted_by_the_fractions_between_which_they_lie() -> None:
    net, proposal = discrete.FullQuantileFunction(npnets.Net(3), 3), discrete.FractionProposalNetwork(4, 3)
    params, its = drawn_params(net), drawn_params(proposal)
    its["linear"]["weight"] *= 30
    policy = npnets.Policy(net, params, fraction_proposal=(proposal, its))
    obs = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    (quantiles, _, _), _ = net.forward(params, obs, proposal, its)
    found = interpret(program(policy), {"obs": obs})["action"]
    assert (found == policy.act(obs)).mean() > 0.99
    assert (found == quantiles.mean(-1).argmax(1)).mean() < 0.99


@pytest.mark.numpy_alone("makes programs")
def test_a_name_that_is_taken_gets_a_number() -> None:
    builder = Builder({}, {"obs": (3,)})
    assert [builder.new(name, 1).name for name in ("obs", "a.b", "a_b", "a b")] == ["obs_2", "a_b", "a_b_2", "a_b_3"]


@pytest.mark.numpy_alone("makes programs")
def test_names_of_values_are_those_of_the_parameters() -> None:
    names = [operation.output.name for operation in program(ACTOR, PARAMS, output="network").operations]
    assert names[:3] == ["preprocess_model_linear_0", "preprocess_model_relu_0", "mu_linear_0"]
    assert len(set(names)) == len(names)
    assert program(ACTOR, PARAMS).parameters == 3 * 4 + 4 + 2 * (4 + 1)
    assert program(ACTOR, PARAMS).description == repr(ACTOR)
    policy = npnets.Policy(ACTOR, PARAMS, normalization=STATISTICS)
    assert program(policy).description == repr(policy)
