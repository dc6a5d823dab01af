"""Distributions against `torch.distributions`: values and gradients of scores, entropies and divergences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import AffineTransform, Independent, Normal, TanhTransform, TransformedDistribution

import npnets
import npnets.numpy as nnp
from npnets.distributions import Categorical, Gaussian, SquashedGaussian

pytestmark = [pytest.mark.live, pytest.mark.numpy_alone("NumPy against PyTorch on a processor")]

LOW, HIGH = np.array([-1.0, 0.0, -3.0]), np.array([1.0, 0.5, 7.0])
seeds, scales = st.integers(0, 2**32), st.sampled_from([0.1, 1.0, 10.0])


def _tensors(*arrays: Any) -> list[torch.Tensor]:
    return [torch.tensor(array, requires_grad=True) for array in arrays]


def _compare(ours: Any, theirs: Any, arrays: tuple[Any, ...], rtol: float = 1e-9) -> None:
    """Compare two lists of outputs, and the gradients of a random combination of all of them."""
    rng = np.random.default_rng(0)
    tensors = _tensors(*arrays)
    expected = theirs(*tensors)
    weights = [rng.normal(size=tuple(part.shape)) for part in expected]

    def total(parts: Any) -> Any:
        return sum(nnp.sum(w * part) for w, part in zip(weights, ours(*parts), strict=True))

    for found, part in zip(ours(*arrays), expected, strict=True):
        np.testing.assert_allclose(found, part.detach().numpy(), rtol=rtol, atol=1e-10)
    sum((torch.tensor(w) * part).sum() for w, part in zip(weights, expected, strict=True)).backward()
    for found, tensor in zip(npnets.grad(total)(list(arrays)), tensors, strict=True):
        np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=rtol, atol=1e-9)


@given(seed=seeds, scale=scales)
def test_a_categorical_of_logits_or_probabilities_is_torchs(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    logits, others = scale * rng.normal(size=(2, 4, 5))
    actions = rng.integers(5, size=(3, 4))

    def ours(x: Any, y: Any) -> list[Any]:
        p, q = Categorical(x), Categorical.from_probs(nnp.softmax(y))
        return [p.logits, p.probs, p.log_prob(actions), p.entropy(), p.kl(q), q.entropy()]

    def theirs(x: Any, y: Any) -> list[Any]:
        p, q = torch.distributions.Categorical(logits=x), torch.distributions.Categorical(logits=y)
        divergence = torch.distributions.kl_divergence(p, q)
        return [p.logits, p.probs, p.log_prob(torch.tensor(actions)), p.entropy(), divergence, q.entropy()]

    _compare(ours, theirs, (logits, others), rtol=1e-6)


@given(seed=seeds, scale=scales)
def test_a_masked_categorical_is_torchs_with_the_smallest_number_at_forbidden_actions(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    logits, mask = scale * rng.normal(size=(4, 5)), rng.random((4, 5)) < 0.5
    mask[np.arange(4), rng.integers(5, size=4)] = True
    actions = mask.argmax(-1)

    def ours(x: Any) -> list[Any]:
        p = Categorical(x, mask)
        return [p.probs, p.log_prob(actions), p.entropy()]

    def theirs(x: Any) -> list[Any]:
        smallest = torch.finfo(x.dtype).min
        p = torch.distributions.Categorical(logits=torch.where(torch.tensor(mask), x, smallest))
        return [p.probs, p.log_prob(torch.tensor(actions)), p.entropy()]

    _compare(ours, theirs, (logits,))


@given(seed=seeds)
def test_scores_of_draws_and_of_many_actions_for_each_row_are_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mu, log_sigma = rng.normal(size=(2, 4, 3))
    draws = rng.normal(size=(10, 4, 3))

    def ours(mu: Any, log_sigma: Any) -> list[Any]:
        sigma = nnp.exp(log_sigma)
        squashed = SquashedGaussian(mu, sigma, LOW, HIGH)
        actions = squashed.sample(noise=np.zeros((4, 3)))
        return [Gaussian(mu, sigma).log_prob(draws), squashed.log_prob(draw=draws), actions]

    def theirs(mu: Any, log_sigma: Any) -> list[Any]:
        normal = Normal(mu, log_sigma.exp())
        half, middle = (torch.tensor((HIGH + sign * LOW) / 2) for sign in (-1, 1))
        transforms = [TanhTransform(cache_size=1), AffineTransform(middle, half, cache_size=1)]
        squashed = TransformedDistribution(normal, transforms)
        action = torch.tensor(draws)
        for transform in transforms:
            action = transform(action)
        score = squashed.log_prob(action).sum(-1)
        return [Independent(normal, 1).log_prob(torch.tensor(draws)), score, middle + half * torch.tanh(mu)]

    _compare(ours, theirs, (mu, log_sigma))
