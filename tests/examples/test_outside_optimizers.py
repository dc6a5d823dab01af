"""The examples with outside optimizers: their algorithms, output and errors."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, bits, on_backend
from example_runs import run_here
from interruption import interrupted_once

import npnets
from examples.own_optimizer import (
    advantages,
    cloning_problem,
    lbfgs_cloning,
    trust_region,
)
from examples.own_optimizer.lion_cloning import lion
from examples.shared.learning_curve import LearningCurve
from examples.shared.pendulum_episodes import play
from npnets import checkpoint, tree

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "own_optimizer"

another_process = pytest.mark.numpy_alone("runs in a process of its own, with its default device")
numpy_vectors = pytest.mark.numpy_alone("SciPy and cma work on NumPy's vectors, and Gymnasium with NumPy's arrays")

SMALL = npnets.ActorProb(npnets.Net(3, hidden_sizes=(4,), activation="tanh"), 1, max_action=2.0, conditioned_sigma=True)


def run(name: str, *options: Any) -> Any:
    """Run an example in a separate process."""
    command = [sys.executable, EXAMPLES / f"{name}.py", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True)


def demonstrations(steps: int = 300) -> tuple[Any, Any]:
    """Return observations and their target torques."""
    rng = np.random.default_rng(0)
    observations = rng.normal(size=(steps, 3)).astype(np.float32)
    return observations, np.clip(3 * observations[:, :1], -2, 2)


def not_evaluated(params: Any) -> Any:
    """Replaces the returns of a policy where they do not matter."""
    return np.zeros(1)


# -- L-BFGS-B ---------------------------------------------------------------------------------------------------------


@numpy_vectors
def test_lbfgs_lowers_the_loss_and_keeps_every_parameter_within_the_bounds_of_its_path() -> None:
    start = cloning_problem.ACTOR.init(np.random.default_rng(0), np.float64)
    params, result = lbfgs_cloning.fit(start, *demonstrations(), evaluations=60, curve=LearningCurve(not_evaluated))
    assert result.fun < cloning_problem.loss(start, *demonstrations()) - 1
    assert result.fun == pytest.approx(float(cloning_problem.loss(params, *demonstrations())), abs=1e-6)
    floor, largest = np.log(lbfgs_cloning.SMALLEST_SIGMA), lbfgs_cloning.LARGEST_WEIGHT
    for path, leaf in zip(tree.paths(params), tree.leaves(params), strict=True):
        assert leaf.dtype == np.float64
        assert leaf.max() <= largest
        assert leaf.min() >= (floor if path == "log_sigma" else -largest)


@pytest.mark.slow
@numpy_vectors
def test_the_bound_of_one_leaf_changes_where_lbfgs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    start = cloning_problem.ACTOR.init(np.random.default_rng(0), np.float64)
    ends = []
    for smallest in (0.5, 0.2):
        monkeypatch.setattr(lbfgs_cloning, "SMALLEST_SIGMA", smallest)
        params, _ = lbfgs_cloning.fit(start, *demonstrations(), evaluations=60, curve=LearningCurve(not_evaluated))
        ends.append(np.exp(params["log_sigma"].item()))
    assert ends == pytest.approx([0.5, 0.2], rel=1e-6)


# -- CMA-ES -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def cma_es_policy() -> Any:
    """Import the example only where it is needed, because importing cma takes half a second."""
    return importlib.import_module("examples.own_optimizer.cma_es_policy")


def _agreement(policy: Any, episodes: int, seed: int) -> Any:
    """Replaces the return by how often a policy pushes as a simple rule does, the same from every start."""
    observations = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
    return np.full(episodes, np.mean(policy(observations) == (observations @ [1, -2, 3, -1] > 0)))


@pytest.mark.slow
@numpy_vectors
def test_cma_es_improves_draws_from_its_generator_alone_and_is_reproducible(
    cma_es_policy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cma_es_policy, "returns_of", _agreement)
    monkeypatch.setattr(cma_es_policy, "CHECKPOINTS", 1)
    start, found = cma_es_policy.ACTOR.init(np.random.default_rng(0)), []
    for _ in range(2):
        before = np.random.get_state()[1].tobytes()  # type: ignore[index, union-attr]
        curve = LearningCurve(cma_es_policy.evaluation_returns)
        found.append((cma_es_policy.search(start, 40, 10, 1, np.random.default_rng(3), curve), curve))
        assert np.random.get_state()[1].tobytes() == before  # type: ignore[index, union-attr]
        np.random.random(7)
    ((params, taken), curve), ((again, _), _) = found
    assert (taken, curve.steps) == (40, [0, 40])
    assert curve.returns[0].mean() < 0.7 and curve.returns[1].mean() > 0.9
    assert bits(params) == bits(again) and {leaf.dtype for leaf in tree.leaves(params)} == {np.dtype(np.float32)}


@numpy_vectors
def test_the_cart_is_pushed_by_the_sign_of_the_actors_output(cma_es_policy: Any) -> None:
    params = cma_es_policy.ACTOR.init(np.random.default_rng(0))
    observations = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
    pushes = cma_es_policy.policy_of(params)(observations)
    outputs = [cma_es_policy.ACTOR.forward(params, row[None])[0].item() for row in observations]
    np.testing.assert_array_equal(pushes, [1 if output > 0 else 0 for output in outputs])
    assert set(pushes.tolist()) == {0, 1}


@numpy_vectors
def test_a_return_counts_the_steps_of_the_first_episode_alone(cma_es_policy: Any) -> None:
    steps, falls = 0, np.full(6, 0)

    def always_left(observations: Any) -> Any:
        nonlocal steps
        has_fallen = (np.abs(observations[:, 2]) > 12 * np.pi / 180) & (falls == 0)
        falls[has_fallen] = steps
        steps += 1
        return np.zeros(len(observations), np.int64)

    returns = cma_es_policy.returns_of(always_left, 6, seed=0)
    assert returns.max() == steps  # it ends when the last has fallen
    np.testing.assert_array_equal(returns, np.where(falls, falls, steps))
    assert len(set(returns)) > 1
    balancing = cma_es_policy.returns_of(lambda seen: (seen @ [0.05, 0.2, 1, 0.5] > 0).astype(np.int64), 6, seed=0)
    np.testing.assert_array_equal(balancing, 500)


# -- the natural gradient ---------------------------------------------------------------------------------------------


def _batch(params: Any, rng: np.random.Generator, steps: int = 40) -> trust_region.Batch:
    observations = rng.normal(size=(steps, 3))
    old_policy = trust_region.policy_of(params, observations)
    torques = old_policy.sample(rng)
    return trust_region.Batch(observations, torques, -((torques[:, 0] - observations[:, 0]) ** 2), old_policy)


def _explicit_fisher(params: Any, observations: Any) -> Any:
    """Return the Fisher matrix of a normal distribution from the Jacobians of mean and standard deviation."""
    vector, unravel = tree.ravel(params)
    mu_and_sigma = lambda params: SMALL.forward(params, observations)[0]  # noqa: E731
    columns = [npnets.jvp(mu_and_sigma, params, unravel(direction)) for direction in np.eye(vector.size)]
    sigma = columns[0][0][1]
    by_mu, by_sigma = (np.stack([tangent[i] / sigma for _, tangent in columns])[..., 0] for i in (0, 1))
    return (by_mu @ by_mu.T + 2 * by_sigma @ by_sigma.T) / len(observations)


@pytest.fixture
def small_policy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return parameters in float64 of a small actor that replaces the example's."""
    monkeypatch.setattr(trust_region, "ACTOR", SMALL)
    return SMALL.init(np.random.default_rng(0), np.float64)


@numpy_vectors
def test_hessian_products_multiply_by_the_fisher_matrix(small_policy: Any) -> None:
    batch = _batch(small_policy, np.random.default_rng(1))
    operator = trust_region.fisher_matrix(small_policy, batch, damping=0.25)
    expected = _explicit_fisher(small_policy, batch.observations) + 0.25 * np.eye(operator.shape[0])
    np.testing.assert_allclose(operator @ np.eye(operator.shape[0]), expected, atol=1e-12)
    assert np.linalg.matrix_rank(expected - 0.25 * np.eye(len(expected))) > 5


@numpy_vectors
def test_a_step_goes_along_the_fisher_matrix_inverse_times_the_gradient(small_policy: Any) -> None:
    batch = _batch(small_policy, np.random.default_rng(1))
    gradient = tree.ravel(npnets.grad(trust_region.surrogate)(small_policy, batch))[0]
    damped = _explicit_fisher(small_policy, batch.observations) + trust_region.DAMPING * np.eye(gradient.size)
    expected = np.linalg.solve(damped, gradient)
    step = trust_region.trust_region_step(small_policy, batch, cg_steps=300)
    moved = tree.ravel(step.params)[0] - tree.ravel(small_policy)[0]
    along = [moved @ x / np.linalg.norm(moved) / np.linalg.norm(x) for x in (expected, gradient)]
    assert along[0] > 1 - 1e-6
    assert along[1] < 0.9  # another way than the plain gradient


@numpy_vectors
@pytest.mark.parametrize("limit", [0.001, 0.03, 0.5])
def test_a_step_improves_the_policy_within_the_trust_region(
    small_policy: Any, limit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust_region, "LARGEST_KL", limit)
    batch = _batch(small_policy, np.random.default_rng(1))
    step = trust_region.trust_region_step(small_policy, batch)
    kl = np.mean(batch.old_policy.kl(trust_region.policy_of(step.params, batch.observations)))
    assert 0.05 * limit < kl <= limit and step.kl == pytest.approx(kl)
    won = trust_region.surrogate(step.params, batch) - trust_region.surrogate(small_policy, batch)
    assert won == pytest.approx(step.gain) and won > 0


@numpy_vectors
def test_the_policy_is_unchanged_if_no_step_improves_it(small_policy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust_region, "cg", lambda fisher, slope, maxiter: (-slope, 0))  # downhill
    step = trust_region.trust_region_step(small_policy, _batch(small_policy, np.random.default_rng(1)))
    assert step == trust_region.Step(small_policy, 0.0, 0.0)


@pytest.mark.slow
@numpy_vectors
def test_advantages_are_discounted_td_errors_in_units_of_their_standard_deviation() -> None:
    played = play(lambda seen: seen[:, 2:] - 1, 3, seed=0)
    features = advantages.features_of(played.observations).reshape(600, -1)
    to_come = [[sum(0.97**k * r for k, r in enumerate(row[t:])) for t in range(200)] for row in played.reward]
    values = (features @ np.linalg.lstsq(features, np.ravel(to_come), rcond=None)[0]).reshape(3, 200)
    expected = np.zeros((3, 200))
    for t in range(200):
        for k in range(t, 200):
            following = values[:, k + 1] if k < 199 else 0.0
            surprise = played.reward[:, k] + 0.97 * following - values[:, k]
            expected[:, t] += (0.97 * 0.95) ** (k - t) * surprise
    found = advantages.advantages_of(played)
    np.testing.assert_allclose(found, ((expected - expected.mean()) / expected.std()).ravel(), atol=1e-4)
    assert found.dtype == np.float32


# -- an optimizer of one's own ----------------------------------------------------------------------------------------


def test_lion_steps_by_the_sign_of_its_momentum_and_changes_nothing_in_place() -> None:
    rng = np.random.default_rng(0)
    host = [{"a": rng.normal(size=(2, 3)).astype(np.float32), "b": [rng.normal(size=4)]} for _ in range(4)]
    params, *all_grads = on_backend(host)
    optimizer = lion(0.125, beta1=0.5, beta2=0.75)
    state = optimizer.init(params)
    expected, momentum = [[leaf.copy() for leaf in tree.leaves(host[0])], [0.0, 0.0]]
    for grads in all_grads:
        held, before = (params, state, grads), bits((params, state, grads))
        params, state = optimizer.update(params, grads, state)
        assert bits(held) == before
        for index, g in enumerate(tree.leaves(as_numpy(grads))):
            expected[index] = expected[index] - 0.125 * np.sign(0.5 * momentum[index] + 0.5 * g)
            momentum[index] = 0.75 * momentum[index] + 0.25 * g
    for leaf, value in zip(tree.leaves(params), expected, strict=True):
        assert_allclose(leaf, value, rtol=1e-6)
    assert [leaf.dtype for leaf in tree.leaves((params, state))] == [np.float32, np.float64] * 2


# -- as their users meet them -----------------------------------------------------------------------------------------


@pytest.mark.slow
@another_process
def test_lbfgs_prints_and_saves_loss_evaluations_and_return(tmp_path: Path) -> None:
    finished = run("lbfgs_cloning", "--episodes", 2, "--evaluations", 20, "--out", tmp_path)
    assert finished.returncode == 0, finished.stderr
    for words in ("400 demonstrated steps", "before: 1.", "evaluations: ", "L-BFGS-B  "):
        assert words in finished.stdout
    found = json.loads((tmp_path / "results.json").read_text())["results"]
    assert f"negative log-likelihood before: {found['loss_before']:.3f}\n" in finished.stdout
    assert f"after {found['steps']} evaluations: {found['loss_after']:.3f}; " in finished.stdout
    assert f"parameters on a bound: {found['parameters_on_a_bound']} " in finished.stdout
    assert found["curves"]["L-BFGS-B"]["steps"][-1] == found["steps"]


@pytest.mark.slow
@another_process
def test_the_example_of_an_own_optimizer_prints_and_saves_its_loss_and_that_of_adam(tmp_path: Path) -> None:
    finished = run("lion_cloning", "--episodes", 2, "--steps", 30, "--out", tmp_path)
    assert finished.returncode == 0, finished.stderr
    found = json.loads((tmp_path / "results.json").read_text())["results"]
    for name in ("Lion", "Adam"):
        assert f"{name} after 30 steps: {found['loss_after'][name]:.3f}\n" in finished.stdout
        assert found["curves"][name]["steps"][-1] == 30
        assert "log_sigma" in checkpoint.load(tmp_path / f"{name.lower()}.npz").params


@pytest.mark.slow
@another_process
@pytest.mark.parametrize(
    ("name", "options", "leaf"),
    [
        ("cma_es_policy", ("--generations", 2, "--population", 3, "--episodes", 1), "last"),
        ("natural_gradient", ("--iterations", 2, "--episodes", 2), "log_sigma"),
    ],
)
def test_a_search_prints_its_return_and_saves_policy_and_picture(
    name: str, options: Any, leaf: str, tmp_path: Path
) -> None:
    finished = run(name, *options, "--out", tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "untrained" in finished.stdout and "        30\n" in finished.stdout
    assert (tmp_path / "learning.png").read_bytes().startswith(b"\x89PNG")
    assert leaf in checkpoint.load(tmp_path / "policy.npz").params


@pytest.mark.slow
@another_process
@pytest.mark.parametrize(
    ("name", "options", "shown"),
    [
        ("cma_es_policy", ("--generations", "1000000", "--population", "3", "--episodes", "1"), b"best="),
        ("natural_gradient", ("--iterations", "1000000", "--episodes", "1"), b"kl="),
    ],
)
def test_ctrl_c_saves_the_best_policy_so_far(name: str, options: Any, shown: bytes, tmp_path: Path) -> None:
    status, errors = interrupted_once(shown, EXAMPLES / f"{name}.py", *options, "--out", str(tmp_path))
    assert status == 130
    assert b"saving the current state" in errors
    assert (tmp_path / "policy.npz").exists()


@pytest.mark.numpy_alone("is refused before a network is made")
@pytest.mark.parametrize(
    ("name", "options", "telling"),
    [
        ("lbfgs_cloning", ("--evaluations", "0"), "--evaluations: must be at least 1, but is 0"),
        ("cma_es_policy", ("--population", "1"), "--population: must be at least 2, but is 1"),
        ("natural_gradient", ("--seed", "-1"), "--seed: must not be negative, but is -1"),
        ("lion_cloning", ("--steps", "many"), "--steps: must be a whole number, but is 'many'"),
    ],
)
def test_the_error_for_a_wrong_option_is_one_line(name: str, options: Any, telling: str) -> None:
    finished = run_here(f"own_optimizer.{name}", *options)
    assert finished.returncode == 2
    assert finished.stderr.strip().splitlines()[-1].endswith(telling)
