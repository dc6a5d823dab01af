"""A run evaluates and saves when it is time to, and goes on from its latest checkpoint with the same bits."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import standin_cupy
import toy_environments
from numpy.testing import assert_array_equal

import npnets
from npnets import data, optim
from npnets.checkpoint import CheckpointError
from npnets.training import Run, Settings

pytestmark = pytest.mark.numpy_alone("a checkpoint has NumPy's arrays")

toy_environments.register()
ACTOR = npnets.Actor(npnets.Net(2, hidden_sizes=(4,)), 1)
SETTINGS = Settings(env="toy/Line-v0", steps=50, evaluate_every=20, episodes=2, checkpoint_every=15)


class State(NamedTuple):
    """A state with what the states of algorithms have: parameters, an optimizer's state, and nothing."""

    actor: Any
    adam: Any
    statistics: Any = None


def state_of(seed: int) -> State:
    params = ACTOR.init(np.random.default_rng(seed))
    return State(params, optim.adam(1e-3).init(params)._replace(step=seed))


def policy_of(state: State) -> npnets.Policy:
    return npnets.Policy(ACTOR, state.actor)


def killed(*arguments: object, **options: object) -> None:
    """Stand in the place of a function that does not return, because its process is killed."""
    raise KeyboardInterrupt


def leaves(state: State) -> list[Any]:
    return [leaf.tolist() if hasattr(leaf, "tolist") else leaf for leaf in npnets.tree.leaves(state)]


def test_a_new_run_starts_with_what_it_is_given(tmp_path: Path) -> None:
    given = state_of(0), np.random.default_rng(0), data.ReplayBuffer(9)
    with Run(tmp_path, SETTINGS) as run:
        assert run.restore(*given) == given
        assert list(run.steps()) == list(range(1, 51))


def test_a_run_that_has_lost_its_checkpoint_is_an_error_from_its_first_row_on(tmp_path: Path) -> None:
    given = state_of(0), np.random.default_rng(0)
    with Run(tmp_path, SETTINGS) as run:
        run.restore(*given)
    (tmp_path / "checkpoint.npz").unlink()  # as of a run that was killed before it could write it
    with Run(tmp_path, SETTINGS) as run:
        run.restore(*given)
        run.record(given[0], {}, policy_of)
    assert Run(tmp_path, SETTINGS).step == 0
    (tmp_path / "checkpoint.npz").unlink()
    with pytest.raises(CheckpointError, match="checkpoint.npz, from which the run continues, but there is none"):
        Run(tmp_path, SETTINGS)


def test_a_row_is_written_only_after_its_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npnets.Policy, "save", killed)
    with pytest.raises(KeyboardInterrupt), Run(tmp_path, SETTINGS) as run:
        run.record(state_of(0), {}, policy_of)
    assert not (tmp_path / "progress.csv").exists()


def test_a_policy_is_evaluated_before_the_first_step_at_every_multiple_and_after_the_last(tmp_path: Path) -> None:
    with Run(tmp_path, SETTINGS) as run:
        run.record(state_of(0), {}, policy_of)
        for step in run.steps():
            run.record(state_of(step), {"actor": np.float32(step / 10)}, policy_of)
        assert [row["steps"] for row in run.rows] == [0, 20, 40, 50]
        assert [row.get("actor") for row in run.rows] == [None, 2, 4, 5]
    lines = (tmp_path / "progress.csv").read_text().splitlines()
    assert lines[0] == "steps,seconds,return,return_std,actor"
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "20", "40", "50"]
    saved = npnets.Policy.load(tmp_path / "policy.npz")
    obs = np.ones((3, 2), np.float32)
    assert_array_equal(saved.act(obs), policy_of(state_of(50)).act(obs))


def test_the_return_of_a_row_is_that_of_the_policy(tmp_path: Path) -> None:
    with Run(tmp_path, SETTINGS) as run:
        run.record(state_of(3), {}, policy_of)
        returns = npnets.training.Evaluation("toy/Line-v0", 2).returns(policy_of(state_of(3)))
        assert (run.rows[0]["return"], run.rows[0]["return_std"]) == (returns.mean(), returns.std(ddof=1))


def episodes_of_twelve_steps(run: Run, state: State, rng: Any, buffer: Any, until: int) -> list[int]:
    """Take steps; return those after which a checkpoint was written."""
    saved, file = [], run.folder / "checkpoint.npz"
    for step in run.steps():
        here = np.full(2, step, np.float32)
        buffer.add(here, here[:1], float(rng.random()), here, False)
        run.record(state, {}, policy_of)
        if step % 12 == 0 or step == 50:
            before = file.read_bytes() if file.exists() else None
            run.save_if_due(state._replace(adam=state.adam._replace(step=step)), rng, buffer)
            saved += [step] if file.exists() and file.read_bytes() != before else []
            rng.random()  # the seed of the next episode
        if step == until:
            break
    return saved


def test_a_checkpoint_waits_for_the_end_of_an_episode_and_one_follows_the_last_step(tmp_path: Path) -> None:
    with Run(tmp_path, SETTINGS) as run:
        assert episodes_of_twelve_steps(run, state_of(0), np.random.default_rng(0), data.ReplayBuffer(9), 50) == [
            24,
            48,
            50,
        ]


@pytest.mark.parametrize("until", [5, 24, 25, 47, 49])
def test_an_interrupted_run_goes_on_from_its_checkpoint_as_if_nothing_had_happened(tmp_path: Path, until: int) -> None:
    ends = []
    for name, stops in (("whole", [50]), ("interrupted", [until, 50])):
        (tmp_path / name).mkdir()
        for stop in stops:
            with Run(tmp_path / name, SETTINGS) as run:
                state, rng, buffer = run.restore(state_of(0), np.random.default_rng(0), data.ReplayBuffer(9))
                rng.random()  # the seed of the first episode
                run.record(state, {}, policy_of)
                episodes_of_twelve_steps(run, state, rng, buffer, stop)
        with Run(tmp_path / name, SETTINGS) as run:
            state, rng, buffer = run.restore(state_of(0), np.random.default_rng(0), data.ReplayBuffer(9))
            rows = [{key: value for key, value in row.items() if key != "seconds"} for row in run.rows]
            contents = [column.tolist() for column in buffer.take(np.arange(len(buffer)))]
            ends.append((run.step, leaves(state), rng.bit_generator.state, buffer.added, contents, rows))
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    ("killed_in", "left"),
    [
        ("transition_files.save_new", 24),
        ("write_saved", 24),
        ("transition_files.remove_replaced", 48),
    ],
)
def test_a_run_that_is_killed_within_a_checkpoint_goes_on_from_it_or_from_the_one_before(
    killed_in: str, left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Run(tmp_path, SETTINGS) as run:
        state, rng, buffer = run.restore(state_of(0), np.random.default_rng(0), data.ReplayBuffer(9))
        episodes_of_twelve_steps(run, state, rng, buffer, 47)
        monkeypatch.setattr(f"npnets.training.run.{killed_in}", killed)
        with pytest.raises(KeyboardInterrupt):
            episodes_of_twelve_steps(run, state, rng, buffer, 48)
        monkeypatch.undo()
    with Run(tmp_path, SETTINGS) as run:
        _, _, buffer = run.restore(state_of(0), np.random.default_rng(0), data.ReplayBuffer(9))
        assert (run.step, buffer.added) == (left, left)
        assert sorted(buffer.take(np.arange(9)).obs[:, 0]) == list(range(left - 8, left + 1))


def test_a_continued_run_has_the_policy_of_its_checkpoint_if_a_killed_one_left_a_later_policy_without_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Run(tmp_path, SETTINGS) as run:
        run.record(state_of(0), {}, policy_of)
        run.restore(state_of(0), np.random.default_rng(0))
        monkeypatch.setattr("npnets.training.run.Records.add", killed)
        with pytest.raises(KeyboardInterrupt):
            for step in run.steps():
                run.record(state_of(step), {}, policy_of)
        monkeypatch.undo()
    obs = np.ones((3, 2), np.float32)
    for expected in (state_of(20), state_of(0)):
        assert_array_equal(npnets.Policy.load(tmp_path / "policy.npz").act(obs), policy_of(expected).act(obs))
        with Run(tmp_path, SETTINGS) as run:
            state, _, _ = run.restore(state_of(9), np.random.default_rng(0))
            run.record(state, {}, policy_of)


CHANGED: dict[str, Any] = {
    "expected nothing at 'hist.0', but got float": {"hist": [0.5]},
    "expected float at 'best', but got float64 ()": {"best": np.float64(1)},
    "expected NoneType at 'last', but got float32 (2,)": {"last": np.zeros(2, np.float32)},
    "expected float32 (3,) at 'weight', but got float32 (4,)": {"weight": np.zeros(4, np.float32)},
    "expected float32 (3,) at 'weight', but got nothing": {"weight": {}},
}


@pytest.mark.parametrize("fault", CHANGED)
def test_a_state_that_a_continued_run_could_not_put_back_is_an_error_at_once_and_at_every_checkpoint(
    tmp_path: Path, fault: str
) -> None:
    state = {"weight": np.zeros(3, np.float32), "hist": [], "best": -np.inf, "last": None}
    with Run(tmp_path, SETTINGS) as run:
        state, rng, _ = run.restore(state, np.random.default_rng(0))
        for later in (False, True):
            if later:
                assert not run.save_if_due(state, rng)
                run.advance(15)
            with pytest.raises(ValueError, match=f"has another form .*{re.escape(fault)}; keep its paths"):
                run.save_if_due({**state, **CHANGED[fault]}, rng)
    assert Run(tmp_path, SETTINGS).step == 0


def test_two_leaves_of_one_path_are_an_error_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a path of its own for each leaf of the state, but two have 'a\.b'"):
        Run(tmp_path, SETTINGS).restore({"a.b": 1.0, "a": {"b": 2.0}}, np.random.default_rng(0))


def test_a_checkpoint_with_more_than_the_state_of_the_algorithm_is_not_taken_for_its_own(tmp_path: Path) -> None:
    with Run(tmp_path, SETTINGS) as run:
        run.restore({"hist": [1.0, 2.0]}, np.random.default_rng(0))
    with pytest.raises(CheckpointError, match=r"expected nothing at 'hist.1', but got float; continue the run with"):
        Run(tmp_path, SETTINGS).restore({"hist": [1.0]}, np.random.default_rng(0))


@pytest.mark.parametrize("given", [True, False])
def test_a_replay_buffer_is_restored_and_saved_or_neither(tmp_path: Path, given: bool) -> None:
    buffer = data.ReplayBuffer(5)
    with Run(tmp_path, SETTINGS) as run:
        state, rng, _ = run.restore(state_of(0), np.random.default_rng(0), *([buffer] if given else []))
        with pytest.raises(ValueError, match=f"but only {'restore' if given else 'save_if_due'} was given one"):
            run.save_if_due(state, rng, None if given else buffer)


@pytest.mark.parametrize("name", ["PCG64", "PCG64DXSM", "Philox", "MT19937", "SFC64"])
def test_every_generator_of_numpy_goes_on_where_it_was(tmp_path: Path, name: str) -> None:
    make = getattr(np.random, name)
    with Run(tmp_path, SETTINGS) as run:
        _, rng, _ = run.restore(state_of(0), np.random.Generator(make(3)))
        rng.normal(size=1000)
        rng.integers(9, dtype=np.uint8)  # which leaves bits for the next ones
        run.advance(15)
        run.save_if_due(state_of(0), rng)
        expected = rng.normal(size=5).tolist(), rng.integers(9, size=3, dtype=np.uint8).tolist()
    with Run(tmp_path, SETTINGS) as run:
        _, again, _ = run.restore(state_of(0), np.random.Generator(make(4)))
        assert (again.normal(size=5).tolist(), again.integers(9, size=3, dtype=np.uint8).tolist()) == expected


@pytest.mark.parametrize("name", ["test", "seed", "Absent", ["PCG64"]])
def test_a_checkpoint_that_names_something_else_as_its_generator_is_refused(tmp_path: Path, name: Any) -> None:
    with Run(tmp_path, SETTINGS) as run:
        run.restore(state_of(0), np.random.default_rng(0))
    leaves, facts = npnets.checkpoint.load(tmp_path / "checkpoint.npz")
    state = json.dumps({**json.loads(facts["bit_generator"]), "bit_generator": name})
    npnets.checkpoint.save(tmp_path / "checkpoint.npz", leaves, {**facts, "bit_generator": state})
    with pytest.raises(CheckpointError, match="is no checkpoint of a run: .*its generator is"):
        Run(tmp_path, SETTINGS)


def test_a_generator_whose_bits_are_not_numpys_is_refused_before_the_first_step(tmp_path: Path) -> None:
    class Own(np.random.PCG64):
        """Bits that a continued run could not make."""

    with pytest.raises(ValueError, match="expected a generator of NumPy, such as .*, but got .* with the bits of Own"):
        Run(tmp_path, SETTINGS).restore(state_of(0), np.random.Generator(Own(0)))


@pytest.mark.parametrize("name", ["steps", "seconds", "return", "return_std"])
def test_a_loss_by_the_name_of_a_column_that_every_row_has_is_an_error(tmp_path: Path, name: str) -> None:
    with Run(tmp_path, SETTINGS) as run, pytest.raises(ValueError, match=f"by other names than .*, but got {name}"):
        run.record(state_of(0), {name: 5.0}, policy_of)


@pytest.mark.parametrize("left", ["", "steps,seconds,return,return_std,actor\n", None])
def test_rows_that_were_lost_are_an_error_and_nothing_is_overwritten(tmp_path: Path, left: str | None) -> None:
    with Run(tmp_path, SETTINGS) as run:
        state, rng, _ = run.restore(state_of(0), np.random.default_rng(0))
        for step in run.steps():
            run.record(state, {}, policy_of)
            if step == 30:
                run.save_if_due(state, rng)
                break
    file = tmp_path / "progress.csv"
    whole = file.read_text()
    if left is None:
        file.unlink()
    else:
        file.write_text(left)
    with pytest.raises(ValueError, match=r"progress.csv"):
        Run(tmp_path, SETTINGS)
    assert (file.read_text() if file.exists() else None) == left
    file.write_text(whole)
    assert len(Run(tmp_path, SETTINGS).rows) == 2


def test_the_seconds_that_checkpoints_took_are_those_of_the_whole_run(tmp_path: Path) -> None:
    with Run(tmp_path, SETTINGS) as run:
        episodes_of_twelve_steps(run, state_of(0), np.random.default_rng(0), data.ReplayBuffer(9), 50)
        whole = run.checkpoint_seconds
    with Run(tmp_path, SETTINGS) as run:
        assert 0 < run.checkpoint_seconds < whole  # that of the last one is not in it


def test_the_seconds_of_a_continued_run_count_on_from_those_of_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("npnets.training.run.time.perf_counter", lambda: clock[0])
    with Run(tmp_path, dataclasses.replace(SETTINGS, steps=1)) as run:
        run.advance(1)
        clock[0] = 107.0
        run.save_if_due(state_of(0), np.random.default_rng(0))
    clock[0] = 500.0
    with Run(tmp_path, SETTINGS) as run:
        clock[0] = 502.0
        run.record(state_of(0), {}, policy_of)
        assert run.seconds == 9.0


def saved_run(folder: Path) -> None:
    with Run(folder, dataclasses.replace(SETTINGS, steps=24)) as run:
        rng, buffer = np.random.default_rng(0), data.ReplayBuffer(9)
        episodes_of_twelve_steps(run, state_of(0), rng, buffer, 24)


def test_a_restored_state_has_the_classes_and_the_bits_of_the_saved_one(tmp_path: Path) -> None:
    saved_run(tmp_path)
    with Run(tmp_path, SETTINGS) as run:
        found, rng, _ = run.restore(state_of(1), np.random.default_rng(1), data.ReplayBuffer(9))
    assert isinstance(found, State) and isinstance(found.adam, optim.AdamState)
    assert leaves(found) == leaves(state_of(0)._replace(adam=state_of(0).adam._replace(step=24)))
    assert found.statistics is None


def test_each_part_of_a_restored_state_lies_where_the_given_one_does(tmp_path: Path) -> None:
    given = {"params": np.ones(2, np.float32), "statistics": np.zeros(3)}
    with Run(tmp_path, dataclasses.replace(SETTINGS, steps=1)) as run:
        run.advance(1)
        run.save_if_due(given, np.random.default_rng(0))
    with Run(tmp_path, SETTINGS) as run, standin_cupy.installed():
        on_gpu = {**given, "params": npnets.backend.to_device(given["params"], "cuda")}
        found, _, _ = run.restore(on_gpu, np.random.default_rng(0))
        assert [npnets.backend.device_of(found[name]) for name in given] == ["cuda:0", "cpu"]


def test_the_checkpoint_of_another_algorithm_is_an_error_that_says_where_they_differ(tmp_path: Path) -> None:
    saved_run(tmp_path)
    wider = npnets.Actor(npnets.Net(2, hidden_sizes=(5,)), 1).init(np.random.default_rng(0))
    with Run(tmp_path, SETTINGS) as run:
        for other in (state_of(0)._replace(actor=wider), (*state_of(0), np.zeros(3))):
            with pytest.raises(CheckpointError, match="checkpoint.npz is of an algorithm with another state: expected"):
                run.restore(other, np.random.default_rng(0), data.ReplayBuffer(9))


@pytest.mark.parametrize("name", ["checkpoint.npz", "transitions/000000000000.npz"])
def test_a_file_of_a_run_with_other_settings_is_not_taken_for_its_own(tmp_path: Path, name: str) -> None:
    other = dataclasses.replace(SETTINGS, seed=1)
    for folder, settings in ((tmp_path / "own", SETTINGS), (tmp_path / "other", other)):
        folder.mkdir()
        with Run(folder, dataclasses.replace(settings, steps=24)) as run:
            episodes_of_twelve_steps(run, state_of(0), np.random.default_rng(0), data.ReplayBuffer(90), 24)
    shutil.copy(tmp_path / "other" / name, tmp_path / "own" / name)
    with pytest.raises(CheckpointError, match="is of a run with other settings than settings.json has"):
        with Run(tmp_path / "own", SETTINGS) as run:
            run.restore(state_of(0), np.random.default_rng(0), data.ReplayBuffer(90))


@pytest.mark.parametrize("name", ["checkpoint.npz", "progress.csv"])
def test_a_truncated_file_is_an_error_that_names_it_and_stays(tmp_path: Path, name: str) -> None:
    saved_run(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()[:-9] + (b"" if name.endswith("npz") else b"x")
    path.write_bytes(content)
    with pytest.raises(ValueError, match=name):
        Run(tmp_path, SETTINGS)
    assert path.read_bytes() == content
