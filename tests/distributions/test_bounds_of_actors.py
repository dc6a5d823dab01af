"""`SquashedGaussian.from_actor` takes the bounds of the actor's action space, unless others are passed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_array_equal, on_backend

import npnets
from npnets.distributions import Gaussian, SquashedGaussian

Box = pytest.importorskip("gymnasium").spaces.Box
TRUNK = npnets.Net(3, hidden_sizes=(4,))
SPACES = {
    "asymmetric": Box(np.array([0, -1], np.float32), np.array([1, 2], np.float32)),
    "symmetric": Box(-2, 2, (2,)),
    "two axes": Box(np.arange(6, dtype=np.float32).reshape(2, 3), np.full((2, 3), 9, np.float32)),
}


def _run(actor: Any, *bounds: Any, **options: Any) -> tuple[Any, Any]:
    params = on_backend(npnets.tree.map(lambda leaf: leaf * 9, actor.init(np.random.default_rng(0))))
    obs = on_backend(np.random.default_rng(1).normal(size=(64, 3)))
    return SquashedGaussian.from_actor(actor, params, obs, *bounds, **options)


@pytest.mark.parametrize("name", SPACES)
def test_actions_of_an_unbounded_actor_lie_in_the_box_that_it_was_made_with(name: str) -> None:
    space = SPACES[name]
    for actor in (
        npnets.ActorProb(TRUNK, space, unbounded=True, conditioned_sigma=True),
        npnets.RecurrentActorProb(1, 3, space, unbounded=True),
    ):
        policy, _ = _run(actor)
        low, high = space.low.ravel(), space.high.ravel()
        expected, _ = _run(actor, low, high)
        assert (policy.low, policy.high) == (expected.low, expected.high)
        draws = [as_numpy(one.sample(np.random.default_rng(2))) for one in (policy, expected)]
        np.testing.assert_array_equal(draws[0], draws[1])
        assert all(space.contains(draw.reshape(space.shape)) for draw in draws[0])
        assert (np.ptp(draws[0], 0) > 0.5 * (high - low)).all()


def test_bounds_that_are_passed_replace_those_of_the_actor() -> None:
    policy, _ = _run(npnets.ActorProb(TRUNK, SPACES["asymmetric"], unbounded=True), -3.0, high=[4.0, 5.0])
    assert (policy.low, policy.high) == (-3.0, (4.0, 5.0))


def test_low_and_high_of_an_unbounded_actor_are_the_bounds_and_leave_its_mean_as_it_is() -> None:
    plain, bounded = (
        npnets.ActorProb(TRUNK, 2, unbounded=True, **bounds) for bounds in ({}, {"low": [0, 1], "high": 2})
    )
    policy, _ = _run(bounded)
    assert (policy.low, policy.high) == ((0.0, 1.0), 2.0)
    assert_array_equal(policy.mu, as_numpy(_run(plain, 0, 1)[0].mu))


def test_no_bounds_and_one_of_two_bounds_are_errors_that_name_the_remedy() -> None:
    without = npnets.ActorProb(TRUNK, Box(-np.inf, np.inf, (2,)), unbounded=True)
    assert without == npnets.ActorProb(TRUNK, (2,), unbounded=True)
    for bounds in ((), (1.0,), (None, 1.0)):
        with pytest.raises(TypeError, match=r"low and high, but .* pass both, or make it with .*env\.action_space"):
            _run(without, *bounds)


@pytest.mark.numpy_alone("about a description")
def test_actors_that_return_actions_of_several_axes_are_an_error_that_says_to_leave_them_flat() -> None:
    actor = npnets.ActorProb(TRUNK, SPACES["two axes"], unbounded=True, flatten_action=False)
    with pytest.raises(ValueError, match=r"have the axes \(2, 3\); make it without flatten_action=False"):
        _run(actor)
    with pytest.raises(ValueError, match=r"have the axes \(2, 3\); make it without flatten_action=False"):
        Gaussian.from_actor(actor, actor.init(np.random.default_rng(0)), np.ones((1, 3)))
    _run(npnets.ActorProb(TRUNK, (2,), unbounded=True, flatten_action=False), 0.0, 1.0)
