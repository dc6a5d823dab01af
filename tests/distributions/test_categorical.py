"""Categorical against SciPy, against sums over all actions, and against its laws, with masks and without."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import scipy
from backends import as_numpy, assert_allclose, assert_array_equal, bits, on_backend
from finite_differences import check_first_order, check_second_order
from hypothesis import given
from hypothesis import strategies as st

import npnets
import npnets.numpy as nnp
from npnets.distributions import Categorical

MASK = np.array([[1, 1, 0, 1], [0, 1, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1], [1, 0, 1, 0]], bool)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def logits(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Any:
    return on_backend(np.random.default_rng(seed).normal(size=shape).astype(dtype))


def by_hand(raw: Any, mask: Any) -> Any:
    """The probabilities of allowed actions by their definition."""
    powers = np.where(mask, np.exp(as_numpy(raw)), 0)
    return powers / powers.sum(-1, keepdims=True)


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (4,), (2, 3, 2)])
def test_probabilities_log_probabilities_and_entropy_are_scipys(shape: tuple[int, ...]) -> None:
    raw = logits(*shape)
    probs = scipy.special.softmax(as_numpy(raw), -1)
    made = Categorical(raw)
    assert_allclose(made.probs, probs, rtol=1e-12)
    assert_allclose(made.logits, scipy.special.log_softmax(as_numpy(raw), -1), rtol=1e-12, atol=1e-14)
    assert_allclose(made.entropy(), scipy.stats.entropy(probs, axis=-1), rtol=1e-12, atol=1e-14)
    actions = np.random.default_rng(1).integers(shape[-1], size=shape[:-1])
    expected = np.log(np.take_along_axis(probs, actions[..., None], -1)[..., 0])
    assert_allclose(made.log_prob(on_backend(actions)), expected, rtol=1e-12, atol=1e-14)


def test_a_masked_distribution_is_the_one_of_the_allowed_actions_alone() -> None:
    raw, other = logits(5, 4), logits(5, 4, seed=1)
    masked, second = Categorical(raw, MASK), Categorical(other, MASK)
    for row, allowed in enumerate(MASK):
        alone = Categorical(raw[row][allowed])
        assert_allclose(masked.probs[row][allowed], alone.probs, rtol=1e-12)
        assert_array_equal(masked.probs[row][~allowed], np.zeros((~allowed).sum()))
        assert_allclose(masked.entropy()[row], alone.entropy(), rtol=1e-12)
        assert_allclose(masked.kl(second)[row], alone.kl(Categorical(other[row][allowed])), rtol=1e-11, atol=1e-15)
    assert_array_equal(masked.log_prob(on_backend(np.array([2, 0, 0, 0, 3])))[:2], [-np.inf, -np.inf])


def test_a_divergence_is_the_mean_of_the_log_ratio_over_all_actions() -> None:
    p, q = Categorical(logits(5, 4), MASK), Categorical(logits(5, 4, seed=1))
    probs, others = as_numpy(p.probs), as_numpy(q.probs)
    assert_allclose(p.kl(q), scipy.special.rel_entr(probs, others).sum(-1), rtol=1e-11)
    assert_array_equal(p.kl(p), np.zeros(5))
    beyond = ~MASK.all(-1)
    np.testing.assert_array_equal(np.isinf(as_numpy(q.kl(p))), beyond)


def test_a_distribution_from_probabilities_is_that_of_their_logarithms_with_zeros_as_forbidden_actions() -> None:
    probs = by_hand(logits(5, 4), MASK)
    made = Categorical.from_probs(on_backend(3 * probs))
    assert_allclose(made.probs, probs, rtol=1e-12)
    np.testing.assert_array_equal(as_numpy(made.probs) == 0, ~MASK)
    again = Categorical.from_probs(made.probs, MASK | ~MASK.any(0))
    assert_allclose(again.logits, made.logits, rtol=1e-12)


def test_minus_infinity_among_the_logits_forbids_as_a_mask_does() -> None:
    raw = as_numpy(logits(5, 4))
    given, masked = Categorical(on_backend(np.where(MASK, raw, -np.inf))), Categorical(on_backend(raw), MASK)
    assert bits(given.logits) == bits(masked.logits)
    for mask in (MASK.astype(np.int8), MASK.tolist(), on_backend(MASK)):
        assert bits(Categorical(on_backend(raw), mask).logits) == bits(masked.logits)
    for some in (raw, np.stack([raw, 2 * raw])):
        one = Categorical(on_backend(some), MASK[0])
        assert bits(one.logits) == bits(Categorical(on_backend(some), np.broadcast_to(MASK[0], some.shape)).logits)


@each_dtype
def test_logits_of_any_size_lose_nothing(dtype: Any) -> None:
    raw = on_backend(np.array([[1e6, 1e6], [-1e30, -1e30], [0, -1e4], [3e38, -3e38]], dtype))
    made = Categorical(raw)
    half = np.log(dtype(0.5))
    expected = np.array([[half, half], [half, half], [0, -1e4], [0, -6e38 if dtype is np.float64 else -np.inf]])
    assert_allclose(made.logits, expected.astype(dtype), rtol=1e-6)
    assert_allclose(made.entropy(), [-half, -half, 0, 0], rtol=1e-6)


@each_dtype
def test_derivatives_of_all_orders_are_finite_and_right_at_large_logits(dtype: Any) -> None:
    raw = np.array([[0.5, -0.25, 1.0]], dtype)
    entropy = lambda x: nnp.sum(Categorical(x).entropy())  # noqa: E731
    v = on_backend(np.array([[1.0, 0.5, -0.5]], dtype))
    for shift in (1e3, -1e3):
        x, shifted = on_backend(raw), on_backend(raw + dtype(shift))
        assert_allclose(npnets.grad(entropy)(shifted), as_numpy(npnets.grad(entropy)(x)), rtol=1e-3)
        assert_allclose(npnets.hvp(entropy)(shifted, v), as_numpy(npnets.hvp(entropy)(x, v)), rtol=1e-3)


# -- draws ------------------------------------------------------------------------------------------------------------


def test_actions_are_drawn_as_often_as_their_probabilities_say() -> None:
    raw = np.array([0.3, -1.0, 2.0, 0.0, -0.5])
    mask = np.array([1, 1, 1, 0, 1])
    made = Categorical(on_backend(np.broadcast_to(raw, (20_000, 5)).copy()), mask)
    counts = np.bincount(as_numpy(made.sample(np.random.default_rng(2))), minlength=5)
    assert counts[3] == 0
    allowed = mask.astype(bool)
    expected = 20_000 * by_hand(on_backend(raw), mask)[allowed]
    assert scipy.stats.chisquare(counts[allowed], expected).pvalue > 1e-3


@given(seed=st.integers(0, 2**32), scale=st.sampled_from([0.1, 3.0, 1e3, 1e30]), dtype=st.sampled_from(["f", "d"]))
def test_a_forbidden_action_is_never_drawn_and_everything_is_finite(seed: int, scale: float, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((6, 5)) < 0.4
    mask[np.arange(6), rng.integers(5, size=6)] = True
    raw = on_backend((scale * rng.normal(size=(6, 5))).astype(dtype))

    def loss(raw: Any) -> Any:
        made = Categorical(raw, mask)
        action, log_prob = made.sample_and_log_prob(np.random.default_rng(seed))
        return nnp.mean(log_prob) + nnp.mean(made.entropy()), (action, made.mode(), made.entropy())

    (value, (action, mode, entropy)), grads = npnets.value_and_grad(loss, has_aux=True)(raw)
    assert mask[np.arange(6), as_numpy(action)].all() and mask[np.arange(6), as_numpy(mode)].all()
    assert np.isfinite(as_numpy(value)) and np.isfinite(as_numpy(grads)).all()
    assert not as_numpy(grads)[~mask].any()
    assert (as_numpy(entropy) >= 0).all() and (as_numpy(entropy) <= np.log(mask.sum(-1)) + 1e-6).all()


@given(seed=st.integers(0, 2**32), shift=st.floats(-100, 100))
def test_probabilities_add_up_to_one_and_do_not_change_with_a_number_added_to_all_logits(
    seed: int, shift: float
) -> None:
    raw = np.random.default_rng(seed).normal(size=(3, 4))
    made, shifted = Categorical(on_backend(raw)), Categorical(on_backend(raw + shift))
    assert_allclose(nnp.sum(made.probs, -1), np.ones(3), rtol=1e-14)
    assert_allclose(shifted.logits, made.logits, rtol=1e-11, atol=1e-12)
    assert_allclose(nnp.sum(made.probs * made.logits, -1), -as_numpy(made.entropy()), rtol=1e-12)
    other = Categorical(on_backend(raw[::-1].copy()))
    assert (as_numpy(made.kl(other)) > -1e-15).all()


@each_dtype
def test_a_draw_is_what_the_generator_gives_in_double_precision_and_nothing_else(dtype: Any) -> None:
    raw = logits(5, 4, dtype=dtype)
    before, noise = bits(raw), np.random.default_rng(7).gumbel(size=(5, 4))
    made = Categorical(raw, MASK)
    drawn, (again, log_prob) = (draw(np.random.default_rng(7)) for draw in (made.sample, made.sample_and_log_prob))
    assert bits(drawn) == bits(again) == bits(made.sample(noise=noise))
    assert as_numpy(drawn).dtype.kind == "i" and as_numpy(log_prob).dtype == dtype
    assert bits(log_prob) == bits(made.log_prob(drawn))
    assert bits(raw) == before
    assert_array_equal(made.mode(), as_numpy(made.sample(noise=np.zeros((5, 4)))))
    assert_array_equal(made.mode(), np.argmax(as_numpy(made.probs), -1))


def test_each_row_is_drawn_and_scored_by_itself() -> None:
    raw, noise = logits(3, 5, 4), np.random.default_rng(1).gumbel(size=(3, 5, 4))
    whole = Categorical(raw, np.broadcast_to(MASK, (3, 5, 4)))
    actions, log_probs = whole.sample_and_log_prob(noise=noise)
    for row in range(3):
        alone = Categorical(raw[row], MASK)
        assert_array_equal(alone.sample(noise=noise[row]), as_numpy(actions[row]))
        assert_allclose(alone.log_prob(actions[row]), log_probs[row], rtol=1e-12)
        assert_array_equal(alone.mode(), as_numpy(whole.mode()[row]))
        assert_allclose(alone.entropy(), whole.entropy()[row], rtol=1e-12)
        assert_allclose(alone.kl(Categorical(raw[0], MASK)), whole.kl(_repeated(raw[0]))[row], rtol=1e-11, atol=1e-15)


def _repeated(raw: Any) -> Categorical:
    """Three times the same masked rows."""
    return Categorical(nnp.stack([raw] * 3), np.broadcast_to(MASK, (3, 5, 4)))


def test_extra_leading_axes_of_actions_are_scored_one_by_one() -> None:
    made = Categorical(logits(5, 4), MASK)
    actions = on_backend(np.random.default_rng(3).integers(4, size=(10, 2, 5)))
    scores = made.log_prob(actions)
    assert scores.shape == (10, 2, 5)
    for i, j in np.ndindex(10, 2):
        assert bits(scores[i, j]) == bits(made.log_prob(actions[i, j]))
    single = Categorical(logits(4))
    assert_array_equal(single.log_prob(on_backend(np.arange(4))), as_numpy(single.logits))
    assert single.log_prob(2).shape == ()


def test_an_empty_batch_gives_empty_outputs() -> None:
    made = Categorical(logits(0, 3))
    action, log_prob = made.sample_and_log_prob(np.random.default_rng(0))
    assert (action.shape, log_prob.shape, made.entropy().shape, made.kl(made).shape) == ((0,), (0,), (0,), (0,))


# -- derivatives ------------------------------------------------------------------------------------------------------

ACTIONS = np.array([[1, 1, 0, 3, 2], [3, 1, 2, 2, 0]])
MEASURES: dict[str, Any] = {
    "probs": lambda p, mask: Categorical(p[0], mask).probs,
    "log_prob": lambda p, mask: Categorical(p[0], mask).log_prob(on_backend(ACTIONS)),
    "entropy": lambda p, mask: Categorical(p[0], mask).entropy(),
    "kl": lambda p, mask: Categorical(p[0], mask).kl(Categorical(p[1], mask)),
    "from_probs": lambda p, mask: Categorical.from_probs(nnp.exp(p[0]), mask).entropy(),
    "sample_and_log_prob": lambda p, mask: Categorical(p[0], mask).sample_and_log_prob(noise=np.zeros((5, 4)))[1],
}


@pytest.mark.parametrize("mask", [None, MASK], ids=["all allowed", "masked"])
@pytest.mark.parametrize("name", MEASURES)
def test_derivatives_of_three_orders_are_those_of_finite_differences(name: str, mask: Any) -> None:
    point = [logits(5, 4), logits(5, 4, seed=1)]
    fun = lambda p: MEASURES[name](p, mask)  # noqa: E731
    check_first_order(fun, point, np.random.default_rng(10))
    check_second_order(fun, point, np.random.default_rng(11))
    slope = npnets.grad(lambda p: nnp.sum(nnp.square(fun(p)) + fun(p)))
    check_second_order(slope, point, np.random.default_rng(12))


@each_dtype
def test_gradients_at_minus_infinity_are_finite_zero_where_forbidden_and_of_the_dtype(dtype: Any) -> None:
    raw = on_backend(np.where(MASK, as_numpy(logits(5, 4)), -np.inf).astype(dtype))
    actions = on_backend(np.array([2, 1, 0, 3, 0]))  # the first is forbidden

    def loss(raw: Any) -> Any:
        made = Categorical(raw)
        score = made.log_prob(actions)
        return nnp.sum(made.entropy()) + nnp.sum(made.kl(Categorical(0.5 * raw))) + nnp.sum(score[1:]), score[0]

    (_, impossible), grads = npnets.value_and_grad(loss, has_aux=True)(raw)
    twice = npnets.hvp(lambda raw: loss(raw)[0])(raw, on_backend(np.ones((5, 4), dtype)))
    assert as_numpy(impossible) == -np.inf
    for found in as_numpy([grads, twice]):
        assert found.dtype == dtype and np.isfinite(found).all() and not found[~MASK].any()
    score = lambda raw: nnp.sum(Categorical(raw).log_prob(actions))  # noqa: E731
    direction = logits(5, 4, seed=2, dtype=dtype)
    for found in as_numpy([npnets.grad(score)(raw), npnets.hvp(score)(raw, direction)]):
        np.testing.assert_array_equal(found[0], np.zeros(4))
        assert found[2].all()


def test_an_infinite_divergence_leaves_the_gradients_of_other_rows_alone() -> None:
    p, q = logits(5, 4), logits(5, 4, seed=1)
    fun = lambda p, rows: nnp.sum(Categorical(p[0][rows]).kl(Categorical(p[1][rows], MASK[rows])))  # noqa: E731
    everything = npnets.grad(lambda p: fun(p, slice(None)))([p, q])
    for part, expected in zip(everything, npnets.grad(lambda p: fun(p, slice(2, 3)))([p, q]), strict=True):
        assert_allclose(part[2], as_numpy(expected[2]), rtol=1e-12)
        assert_array_equal(part[:2], np.zeros((2, 4)))


def test_ascent_on_expected_reward_ends_at_the_best_allowed_action() -> None:
    raw, rewards = on_backend(np.zeros((1, 4))), np.array([0.0, 2.0, 5.0, 1.0])
    mask, rng = np.array([1, 1, 0, 1]), np.random.default_rng(0)
    adam = npnets.optim.adam(0.1)
    state = adam.init(raw)
    for _ in range(100):
        actions = on_backend(as_numpy(Categorical(nnp.broadcast_to(raw, (64, 4)), mask).sample(rng)))
        gains = on_backend(rewards)[actions] - 1.0
        loss = lambda raw, a=actions, g=gains: -nnp.mean(g * Categorical(raw[0], mask).log_prob(a))  # noqa: E731
        raw, state = adam.update(raw, npnets.grad(loss)(raw), state)
    assert as_numpy(Categorical(raw, mask).probs)[0, 1] > 0.95
    assert as_numpy(Categorical(raw, mask).probs)[0, 2] == 0


# -- as a value -------------------------------------------------------------------------------------------------------


def test_a_categorical_cannot_be_changed_and_tells_what_it_is() -> None:
    made = Categorical(logits(5, 4, dtype=np.float32), MASK)
    assert repr(made) == "Categorical(<float32 (5, 4)>)"
    with pytest.raises(AttributeError, match="cannot assign"):
        made.logits = None
    assert not hasattr(made, "mask")
    constant = npnets.stop_gradient(made)
    assert bits(constant.logits) == bits(made.logits)
    through = npnets.grad(lambda raw: nnp.sum(npnets.stop_gradient(Categorical(raw)).probs * Categorical(raw).logits))
    raw = logits(5, 4)
    expected = npnets.grad(lambda x: nnp.sum(as_numpy_probs(raw) * Categorical(x).logits))(raw)
    assert_allclose(through(raw), as_numpy(expected), rtol=1e-12, atol=1e-15)


def as_numpy_probs(raw: Any) -> Any:
    return on_backend(scipy.special.softmax(as_numpy(raw), -1))


@pytest.mark.numpy_alone("pickles NumPy's arrays")
def test_a_categorical_survives_pickling() -> None:
    made = Categorical(logits(5, 4), MASK)
    assert bits(pickle.loads(pickle.dumps(made)).logits) == bits(made.logits)
