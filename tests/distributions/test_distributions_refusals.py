"""What a distribution refuses, in the user's words; and how it is made from an actor, which squashes only once."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, device, on_backend

import npnets
import npnets.numpy as nnp
from npnets.distributions import Gaussian, SquashedGaussian

OBS, ACT = 5, 3
NET = npnets.Net(OBS, hidden_sizes=(8,))
UNBOUNDED = npnets.ActorProb(NET, ACT, unbounded=True, conditioned_sigma=True)
BOUNDED = npnets.ActorProb(NET, ACT, max_action=2.0)
RECURRENT = npnets.RecurrentActorProb(1, OBS, ACT, 8, unbounded=True)


def _ones(*shape: int, dtype: Any = np.float64) -> Any:
    return on_backend(np.ones(shape, dtype))


def _init(actor: Any) -> Any:
    return on_backend(actor.init(np.random.default_rng(0)))


def _obs(*shape: int) -> Any:
    return np.random.default_rng(1).normal(size=(*shape, OBS))


# -- from an actor ----------------------------------------------------------------------------------------------------


def test_a_distribution_from_an_actor_is_that_of_its_output() -> None:
    params = _init(UNBOUNDED)
    (mu, sigma), _ = UNBOUNDED.forward(params, _obs(4))
    gaussian, state = Gaussian.from_actor(UNBOUNDED, params, _obs(4))
    squashed, _ = SquashedGaussian.from_actor(UNBOUNDED, params, _obs(4), low=-1, high=[1, 2, 3])
    assert state is None
    for distribution in (gaussian, squashed):
        assert bits([distribution.mu, distribution.sigma]) == bits([mu, sigma])
    assert (squashed.low, squashed.high) == (-1, (1, 2, 3))


def test_a_distribution_from_a_recurrent_actor_takes_what_its_forward_takes_and_gives_the_new_state() -> None:
    params, lengths = _init(RECURRENT), np.array([4, 2])
    _, before = RECURRENT.forward(params, _obs(2, 3))
    given = {"lengths": on_backend(lengths), "all_steps": True}
    (mu, _), after = RECURRENT.forward(params, _obs(2, 4), before, **given)
    gaussian, state = Gaussian.from_actor(RECURRENT, params, _obs(2, 4), before, **given)
    squashed, squashed_state = SquashedGaussian.from_actor(RECURRENT, params, _obs(2, 4), -1, 1, before, **given)
    assert bits([gaussian.mu, squashed.mu]) == bits([mu, mu])
    assert bits([state, squashed_state]) == bits([after, after])
    assert squashed.log_prob(squashed.mode()).shape == (2, 4)


@pytest.mark.parametrize("actor", [BOUNDED, npnets.RecurrentActorProb(1, OBS, ACT, 8)])
def test_an_actor_that_has_squashed_its_mean_already_is_not_squashed_again(actor: Any) -> None:
    params = _init(actor)
    words = "has squashed its mean by tanh already: squashed again, .* make it with unbounded=True, or use Gaussian"
    with pytest.raises(ValueError, match=words):
        SquashedGaussian.from_actor(actor, params, _obs(4), -1, 1)
    assert as_numpy(Gaussian.from_actor(actor, params, _obs(4))[0].mode()).shape == (4, ACT)


def test_actions_of_several_axes_are_distributed_flattened_and_otherwise_refused() -> None:
    low, high = np.zeros((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]])
    actor = npnets.ActorProb(NET, (2, 2), unbounded=True, low=low, high=high)
    squashed, _ = SquashedGaussian.from_actor(actor, _init(actor), _obs(4))
    assert (squashed.mu.shape, squashed.low, squashed.high) == ((4, 4), 0.0, (1.0, 2.0, 3.0, 4.0))
    with pytest.raises(
        TypeError, match="expected low and high, but got None and None for ActorProb.*; pass both, or make it"
    ):
        SquashedGaussian.from_actor(UNBOUNDED, _init(UNBOUNDED), _obs(4))
    whole = npnets.ActorProb(NET, (2, 2), unbounded=True, flatten_action=False)
    for make in (Gaussian.from_actor, lambda *given: SquashedGaussian.from_actor(*given, -1, 1)):
        with pytest.raises(ValueError, match=r"laid out in one axis, .* have the axes \(2, 2\); make it without"):
            make(whole, _init(whole), _obs(4))


class Own:
    """An actor of the user's."""

    def __init__(self, output: Any, **more: Any) -> None:
        self.output = output
        vars(self).update(more)

    def __repr__(self) -> str:
        return "Own()"

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return self.output, state


def test_an_actor_of_ones_own_must_tell_whether_its_mean_is_unbounded() -> None:
    pair = (_ones(2, 3), _ones(2, 3))
    squashed, state = SquashedGaussian.from_actor(Own(pair, unbounded=True), {}, None, -1, 1, "state")
    assert bits([squashed.mu, squashed.sigma]) == bits(pair) and state == "state"
    with pytest.raises(TypeError, match=r"an attribute unbounded, .* but got Own\(\)"):
        SquashedGaussian.from_actor(Own(pair), {}, None, -1, 1)
    with pytest.raises(ValueError, match="squashed its mean"):
        SquashedGaussian.from_actor(Own(pair, unbounded=False), {}, None, -1, 1)


def test_an_actor_that_returns_actions_makes_no_distribution() -> None:
    actor = npnets.Actor(NET, ACT)
    params = _init(actor)
    with pytest.raises(TypeError, match=r"returns \(mu, sigma\), such as ActorProb, but Actor\(.*returned a .*array"):
        Gaussian.from_actor(actor, params, _obs(4))
    with pytest.raises(TypeError, match="an attribute unbounded"):
        SquashedGaussian.from_actor(actor, params, _obs(4), -1, 1)


def test_an_actor_and_a_critic_learn_from_the_draws_of_a_squashed_gaussian() -> None:
    critic = npnets.Critic(npnets.Net(OBS, ACT, (8,), concat=True))
    params, critic_params = _init(UNBOUNDED), on_backend(critic.init(np.random.default_rng(2)))
    obs, noise = _obs(16).astype("f"), np.random.default_rng(3).standard_normal((16, ACT))

    def loss(params: Any) -> Any:
        policy, _ = SquashedGaussian.from_actor(UNBOUNDED, params, obs, low=-2, high=2)
        action, log_prob = policy.sample_and_log_prob(noise=noise)
        return nnp.mean(0.2 * log_prob[:, None] - critic.forward(critic_params, obs, action))

    adam = npnets.optim.adam(0.01)
    state = adam.init(params)
    start = float(as_numpy(loss(params)))
    for _ in range(30):
        value, grads = npnets.value_and_grad(loss)(params)
        params, state = adam.update(params, grads, state)
    assert {leaf.dtype for leaf in npnets.tree.leaves(grads)} == {np.dtype(np.float32)}
    assert all(as_numpy(leaf).any() for leaf in npnets.tree.leaves(grads))
    assert float(as_numpy(value)) < start - 0.05


# -- what is refused --------------------------------------------------------------------------------------------------


def _refusals() -> dict[str, Any]:
    """Calls on a distribution of shape (2, 3), with the error of each."""
    mu = _ones(2, 3)
    gaussian, squashed = Gaussian(mu, mu), SquashedGaussian(mu, mu, -1, 1)
    box = lambda low, high: SquashedGaussian(mu, mu, low, high)  # noqa: E731
    return {
        "a distribution as a mean": (lambda: SquashedGaussian(gaussian, mu, -1, 1), TypeError, "made into one again"),
        "a squashed one as a mean": (lambda: SquashedGaussian(squashed, mu, -1, 1), TypeError, "made into one again"),
        "a list": (lambda: Gaussian([1.0], mu), TypeError, "mu as a floating-point array, but got a list"),
        "the pair of an actor": (lambda: Gaussian((mu, mu), None), TypeError, r"got a tuple; .*\(\(mu, sigma\), state"),
        "integers": (lambda: Gaussian(mu, mu.astype(int)), TypeError, "sigma as a .* array, but it has dtype int64"),
        "a number for sigma": (lambda: Gaussian(mu, 0.1), TypeError, "sigma as a .* array, but got a float"),
        "one sigma for all rows": (
            lambda: Gaussian(mu, mu[0]),
            ValueError,
            r"mu has \(2, 3\) and sigma \(3,\); for one .* use npnets.numpy.broadcast_to\(sigma, mu.shape\)",
        ),
        "no axis of actions": (lambda: Gaussian(mu[0, 0:1].sum(), mu[0, 0:1].sum()), ValueError, r"\(..., actions\)"),
        "two dtypes": (lambda: Gaussian(mu, mu.astype("f")), TypeError, "mu is float64 and sigma float32"),
        "bounds the wrong way round": (lambda: box(1, [2, 0, 3]), ValueError, "low must be below high, but low is 1.0"),
        "equal bounds": (lambda: box(1, 1), ValueError, "low must be below high"),
        "an infinite bound": (lambda: box(-1, np.inf), ValueError, "high must be finite, but is inf; .* use Gaussian"),
        "bounds for other actions": (
            lambda: box([-1, -2], 1),
            ValueError,
            r"low .* of shape \(3,\), but has shape \(2,\)",
        ),
        "a word for a bound": (lambda: box("low", 1), TypeError, "low must be a number"),
        "no bound": (lambda: box(None, 1), TypeError, "low must be a number .* but is None$"),
        "a ragged bound": (lambda: box(-1, [1, [2]]), TypeError, "high must be a number"),
        "bounds beyond the dtype": (
            lambda: SquashedGaussian(mu.astype("f"), mu.astype("f"), -1, 1e300),
            ValueError,
            "no numbers of float32 lie between",
        ),
        "both bounds beyond the dtype": (
            lambda: SquashedGaussian(mu.astype("f"), mu.astype("f"), 1e300, 2e300),
            ValueError,
            "no numbers of float32 lie between",
        ),
        "bounds that the dtype cannot tell apart": (
            lambda: SquashedGaussian(mu.astype("f"), mu.astype("f"), 1000, 1000.00001),
            ValueError,
            "no numbers of float32 lie between",
        ),
        "neither rng nor noise": (lambda: gaussian.sample(), TypeError, "exactly one of rng .* and noise"),
        "rng and noise": (
            lambda: squashed.sample(np.random.default_rng(0), noise=mu),
            TypeError,
            "exactly one of rng .* and noise",
        ),
        "a seed": (
            lambda: squashed.sample_and_log_prob(3),
            TypeError,
            "rng must be a numpy.random.Generator, but is 3",
        ),
        "words as noise": (lambda: squashed.sample(noise="x"), TypeError, "noise must be an array of real numbers"),
        "noise of another shape": (
            lambda: gaussian.sample(noise=mu[0]),
            ValueError,
            r"noise must have .* but has \(3,\)",
        ),
        "actions of another shape": (
            lambda: squashed.log_prob(mu[:1]),
            ValueError,
            r"x must have .* \(2, 3\), with extra axes before it only, but has \(1, 3\)",
        ),
        "actions and draws": (lambda: squashed.log_prob(mu, draw=mu), TypeError, "exactly one of x, .* and draw, the"),
        "nothing to score": (lambda: squashed.log_prob(), TypeError, "exactly one of x, the actions, and draw"),
        "draws of another shape": (
            lambda: squashed.log_prob(draw=mu[:, :1]),
            ValueError,
            r"draw must have .* \(2, 3\), with extra axes before it only, but has \(2, 1\)",
        ),
        "actions with an extra axis in the middle": (
            lambda: gaussian.log_prob(np.ones((2, 10, 3))),
            ValueError,
            r"x must have .* but has \(2, 10, 3\)",
        ),
        "words to score": (lambda: gaussian.log_prob("x"), TypeError, "x must be an array of real numbers"),
        "a divergence between kinds": (
            lambda: gaussian.kl(squashed),
            TypeError,
            "expected a second Gaussian, but got Sq",
        ),
        "from squashed to gaussian": (lambda: squashed.kl(gaussian), TypeError, "expected a second SquashedGaussian"),
        "a divergence between shapes": (
            lambda: gaussian.kl(Gaussian(mu[:1], mu[:1])),
            ValueError,
            "of one shape and dt",
        ),
        "a divergence between bounds": (lambda: squashed.kl(box(-1, 2)), ValueError, "with the same bounds, but got"),
    }


@pytest.mark.parametrize("name", _refusals())
def test_a_distribution_refuses(name: str) -> None:
    call, error, words = _refusals()[name]
    with pytest.raises(error, match=words):
        call()


def test_the_entropy_of_a_squashed_gaussian_does_not_exist_and_says_what_to_do() -> None:
    squashed = SquashedGaussian(_ones(2, 3), _ones(2, 3), -1, 1)
    assert not hasattr(squashed, "entropy")
    with pytest.raises(AttributeError, match="no closed form; estimate it by the mean of -log_prob"):
        squashed.entropy()


@pytest.mark.numpy_alone("values on a GPU are not looked at")
@pytest.mark.parametrize("sigma", [0.0, -0.5])
def test_a_sigma_that_is_not_positive_is_refused_also_while_it_is_differentiated(sigma: float) -> None:
    mu = np.ones((2, 3))
    words = re.escape(f"positive sigma, but its smallest is {sigma}; is it the logarithm of one?")
    for make in (Gaussian, lambda m, s: SquashedGaussian(m, s, -1, 1)):
        with pytest.raises(ValueError, match=words):
            make(mu, np.array([[1.0, 1.0, 1.0], [1.0, sigma, 1.0]]))
        with pytest.raises(ValueError, match=words):
            npnets.grad(lambda s, make=make: nnp.sum(make(mu, s).mode()))(sigma * mu)


@pytest.mark.needs_gpus(1)
def test_a_negative_sigma_on_a_gpu_comes_out_as_nan() -> None:
    mu, negative = _ones(2, 3), -_ones(2, 3)
    for distribution in (Gaussian(mu, negative), SquashedGaussian(mu, negative, -1, 1)):
        assert np.isnan(as_numpy(distribution.log_prob(0.5 * mu))).all()
        assert np.isnan(as_numpy(distribution.sample_and_log_prob(noise=mu)[1])).all()


# -- devices ----------------------------------------------------------------------------------------------------------


@pytest.mark.needs_gpus(1)
@pytest.mark.parametrize("where", ["cuda:0", pytest.param("cuda:1", marks=pytest.mark.needs_gpus(2))])
def test_a_distribution_follows_its_mean_to_a_gpu_and_brings_noise_and_actions_there(where: str) -> None:
    numbers, x = [np.full((4, 3), 0.3), np.full((4, 3), 0.7)], np.full((4, 3), 0.1)
    there, on_cpu = npnets.tree.to_device(numbers, where), numbers
    for make in (Gaussian, lambda m, s: SquashedGaussian(m, s, [-1, -2, -3], 1)):
        outputs = [
            [
                *make(*given).sample_and_log_prob(np.random.default_rng(0)),
                make(*given).sample(np.random.default_rng(0)),
                make(*given).log_prob(x),
                make(*given).kl(make(*given)),
                *npnets.grad(lambda p, make=make: nnp.sum(make(*p).log_prob(x)))(given),
            ]
            for given in (there, on_cpu)
        ]
        assert {npnets.backend.device_of(output) for output in outputs[0]} == {where}
        for actual, expected in zip(*outputs, strict=True):
            np.testing.assert_allclose(npnets.tree.to_numpy(actual), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.needs_gpus(1)
def test_parameters_on_two_devices_are_refused() -> None:
    with pytest.raises(TypeError, match=r"mu and sigma of Gaussian must lie on one device"):
        Gaussian(_ones(2, 3), np.ones((2, 3)))
    with pytest.raises(TypeError, match="low must be a number or a NumPy array"):
        SquashedGaussian(_ones(2, 3), _ones(2, 3), -_ones(3), 1)
    assert device() != "cpu"
    assert_array_equal(Gaussian(_ones(1, 3), _ones(1, 3)).mode(), np.ones((1, 3)))
    assert_allclose(Gaussian(_ones(1, 3), _ones(1, 3)).entropy(), [3 * 1.4189385332046727])
