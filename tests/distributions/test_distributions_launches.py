"""How often a GPU is set to work by a distribution: the draw and its density are one elementwise launch and a sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import standin_cupy

import npnets
import npnets.numpy as nnp
from npnets.distributions import Categorical, Gaussian, SquashedGaussian

pytestmark = pytest.mark.numpy_alone("counts on the stand-in that it puts in place itself")


@pytest.fixture(autouse=True)
def gpu() -> Any:
    """A machine with one GPU, which is the stand-in's."""
    with standin_cupy.installed(devices=1):
        yield


def _counted(fun: Callable[[], Any]) -> standin_cupy.Counts:
    """What a call does, the second time: the first makes kernels and places bounds."""
    fun()
    before = standin_cupy.counts.snapshot()
    fun()
    return standin_cupy.counts.since(before)


def _on_gpu() -> Any:
    return npnets.tree.to_device(tuple(np.full((4, 3), value, np.float32) for value in (0.1, 0.5, 0.7)), "cuda")


def test_a_squashed_draw_with_its_density_is_three_launches_and_its_backward_one() -> None:
    mu, sigma, noise = _on_gpu()
    draw = lambda p: SquashedGaussian(*p, -1, 1).sample_and_log_prob(noise=noise)  # noqa: E731
    counted = _counted(lambda: draw((mu, sigma)))
    assert (counted.launches, counted.transfers, counted.synchronizations) == (3, 0, 0)
    value, pullback = npnets.vjp(draw, (mu, sigma))
    assert _counted(lambda: pullback(value)).by_name == {"npnets_squashed_gaussian_backward": 1}


def test_a_gaussian_log_density_is_two_launches_and_its_backward_one() -> None:
    mu, sigma, x = _on_gpu()
    score = lambda p: Gaussian(*p).log_prob(x)  # noqa: E731
    assert _counted(lambda: score((mu, sigma))).launches == 2
    value, pullback = npnets.vjp(score, (mu, sigma))
    assert _counted(lambda: pullback(value)).by_name == {"npnets_gaussian_log_density_backward": 1}


def test_only_noise_that_is_drawn_is_copied_to_a_gpu_and_nothing_is_waited_for() -> None:
    mu, sigma, x = _on_gpu()
    rng = np.random.default_rng(0)

    def loss(p: Any) -> Any:
        policy = SquashedGaussian(*p, -1, [1, 2, 3])
        action, log_prob = policy.sample_and_log_prob(rng)
        return nnp.mean(log_prob) + nnp.mean(policy.log_prob(x)) + nnp.mean(action)

    counted = _counted(lambda: npnets.value_and_grad(loss)((mu, sigma)))
    assert (counted.transfers, counted.synchronizations) == (1, 0)


def test_a_categorical_waits_for_nothing_and_its_score_has_a_forward_and_a_backward_of_their_own() -> None:
    logits, *_ = _on_gpu()
    actions, mask = npnets.tree.to_device((np.zeros(4, int), np.ones((4, 3), bool)), "cuda")
    assert _counted(lambda: Categorical(logits)).launches == 7  # the logarithm of a softmax
    policy, rng = Categorical(logits), np.random.default_rng(0)
    assert _counted(lambda: policy.log_prob(actions)).launches == 5
    drawn = _counted(lambda: policy.sample(rng))
    assert (drawn.launches, drawn.transfers, drawn.synchronizations) == (2, 1, 0)

    def loss(logits: Any) -> Any:
        made = Categorical(logits, mask)
        return nnp.mean(made.log_prob(actions)) + nnp.mean(made.entropy()) + nnp.mean(made.kl(policy))

    counted = _counted(lambda: npnets.value_and_grad(loss)(logits))
    assert (counted.transfers, counted.synchronizations) == (0, 0)
