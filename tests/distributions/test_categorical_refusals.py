"""Bad input of a categorical distribution, each with its error; and how it is made from an actor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, on_backend

import npnets
import npnets.numpy as nnp
from npnets.distributions import Categorical, Gaussian


def _ones(*shape: int, dtype: Any = np.float64) -> Any:
    return on_backend(np.ones(shape, dtype))


def _of_softmax(name: str) -> Any:
    measures = {"log_prob": lambda made: made.log_prob(np.array([0, 1])), "entropy": lambda made: made.entropy()}
    return lambda logits: nnp.sum(measures[name](Categorical.from_probs(nnp.softmax(logits))))


@pytest.mark.parametrize("name", ["log_prob", "entropy"])
@pytest.mark.parametrize(("dtype", "gap"), [(np.float32, 95.0), (np.float32, 103.0), (np.float64, 740.0)])
def test_gradients_are_finite_where_a_softmax_returns_subnormal_probabilities(
    name: str, dtype: Any, gap: float
) -> None:
    logits = on_backend(np.array([[0, -gap], [-gap, 0]], dtype))
    probs = as_numpy(nnp.softmax(logits))
    assert 0 < probs.min() < np.finfo(dtype).tiny
    made = Categorical.from_probs(on_backend(probs))
    assert_allclose(made.logits[0, 1], np.log(probs[0, 1]), rtol=1e-6)
    for gradient in (npnets.grad(_of_softmax(name)), npnets.grad(lambda x: nnp.sum(npnets.grad(_of_softmax(name))(x)))):
        assert_allclose(gradient(logits), np.zeros((2, 2)), atol=1e-30)


# -- from an actor ----------------------------------------------------------------------------------------------------


class Own:
    """An actor of the user's, whose output is what it observes."""

    def __init__(self, **more: Any) -> None:
        vars(self).update(more)

    def __repr__(self) -> str:
        return "Own()"

    def forward(self, params: Any, obs: Any, state: Any = None, scale: float = 1.0) -> Any:
        return scale * obs, state


def test_a_distribution_from_an_actor_reads_its_output_as_what_it_says_that_it_is() -> None:
    obs = on_backend(np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]))
    of_logits, state = Categorical.from_actor(Own(softmax_output=False), {}, obs, "state", scale=2.0)
    of_probs, _ = Categorical.from_actor(Own(softmax_output=True), {}, obs, mask=[True, True, False])
    assert state == "state"
    assert bits(of_logits.logits) == bits(Categorical(2.0 * obs).logits)
    assert bits(of_probs.logits) == bits(Categorical.from_probs(obs, [True, True, False]).logits)


@pytest.mark.parametrize("dtype", [np.bool_, np.int8])
def test_a_mask_in_the_place_of_the_state_is_an_error_whose_remedy_works(dtype: Any) -> None:
    obs, mask = _ones(2, 3), on_backend(np.array([1, 0, 1], dtype))  # gymnasium's masks are of int8
    with pytest.raises(TypeError, match=r"state is an array of truth values; .* from_actor\(actor, .* mask=mask\)"):
        Categorical.from_actor(Own(softmax_output=True), {}, obs, mask)
    made, _ = Categorical.from_actor(Own(softmax_output=True), {}, obs, mask=mask)
    assert_array_equal(made.probs, np.array([[0.5, 0, 0.5]] * 2))


def test_tianshous_actor_gives_one_distribution_whether_it_returns_logits_or_probabilities() -> None:
    trunk = npnets.Recurrent(1, 5, 3, hidden_layer_size=4)
    of_logits, of_probs = (npnets.discrete.Actor(trunk, 3, softmax_output=softmax) for softmax in (False, True))
    params = on_backend(of_logits.init(np.random.default_rng(0), np.float64))
    obs = np.random.default_rng(1).normal(size=(4, 2, 5))
    _, before = trunk.forward(params["preprocess"], obs)
    first, state = Categorical.from_actor(of_logits, params, obs, before, mask=[1, 1, 0])
    second, _ = Categorical.from_actor(of_probs, params, obs, before, mask=[1, 1, 0])
    (logits, after) = of_logits.forward(params, obs, before)
    assert bits(state) == bits(after) != bits(before)
    assert bits(first.logits) == bits(Categorical(logits, [1, 1, 0]).logits)
    assert_allclose(second.logits[:, :2], first.logits[:, :2], rtol=1e-12)


def test_an_actor_of_ones_own_must_tell_whether_it_returns_probabilities() -> None:
    with pytest.raises(TypeError, match=r"an attribute softmax_output, .* but got Own\(\); otherwise use Categorical"):
        Categorical.from_actor(Own(), {}, _ones(2, 3))
    with pytest.raises(TypeError, match="expected an actor with an attribute softmax_output"):
        Categorical.from_actor({}, Own(), _ones(2, 3))


# -- bad input --------------------------------------------------------------------------------------------------------


def _refusals() -> dict[str, Any]:
    """Calls about two rows of three actions, with the error of each."""
    logits = _ones(2, 3)
    made = Categorical(logits)
    return {
        "a distribution": (lambda: Categorical(made), TypeError, "logits as an array, .* made into one again"),
        "a list": (
            lambda: Categorical([0.0, 1.0]),
            TypeError,
            "Categorical expects logits as a floating-point array, but got a list",
        ),
        "a list of probabilities": (
            lambda: Categorical.from_probs([0.5, 0.5]),
            TypeError,
            "Categorical expects probs as a floating-point array, but got a list",
        ),
        "probabilities of no actions": (
            lambda: Categorical.from_probs(logits[:, :0]),
            ValueError,
            r"expects probs of shape \(..., actions\), but got \(2, 0\)",
        ),
        "the pair of an actor": (lambda: Categorical((logits, None)), TypeError, r"got a tuple; .* \(logits, state\)"),
        "integers": (lambda: Categorical(logits.astype(int)), TypeError, "float32 or float64 array, but it has dtype"),
        "no axis of actions": (lambda: Categorical(logits.sum()), ValueError, r"\(..., actions\), but got \(\)"),
        "no actions": (lambda: Categorical(logits[:, :0]), ValueError, r"\(..., actions\), but got \(2, 0\)"),
        "a mask of other rows": (
            lambda: Categorical(logits, np.ones((1, 3), bool)),
            ValueError,
            r"the shape of logits, \(2, 3\), or \(3,\) for all rows, but has \(1, 3\)",
        ),
        "a mask of the last rows": (
            lambda: Categorical(_ones(4, 2, 3), np.ones((2, 3), bool)),
            ValueError,
            r"the shape of logits, \(4, 2, 3\), or \(3,\) for all rows, but has \(2, 3\)",
        ),
        "a mask of numbers": (lambda: Categorical(logits, np.ones(3)), TypeError, "mask must be booleans, .* float64"),
        "a mask of actions": (lambda: Categorical(logits, [0, 1, 2]), ValueError, "is it a list of actions?"),
        "actions that are floats": (
            lambda: made.log_prob(_ones(2)),
            TypeError,
            r"actions must be integers, .* float64; .* actions.astype\(int\)",
        ),
        "actions that are booleans": (lambda: made.log_prob([True, False]), TypeError, "actions must be integers"),
        "actions of other rows": (
            lambda: made.log_prob(on_backend(np.zeros(3, int))),
            ValueError,
            r"the shape of the rows, \(2,\), with extra axes before it only, but have \(3,\)",
        ),
        "one action for two rows": (lambda: made.log_prob(1), ValueError, r"\(2,\), .* but have \(\)"),
        "actions with an axis of their own": (
            lambda: made.log_prob(np.zeros((2, 1), int)),
            ValueError,
            r"but have \(2, 1\)",
        ),
        "an action too large": (lambda: made.log_prob([0, 3]), ValueError, "between 0 and 2, but lie between 0 and 3"),
        "a negative action": (lambda: made.log_prob([-1, 0]), ValueError, "between 0 and 2, but lie between -1 and 0"),
        "neither rng nor noise": (lambda: made.sample(), TypeError, "exactly one of rng .* and noise"),
        "rng and noise": (
            lambda: made.sample_and_log_prob(np.random.default_rng(0), noise=logits),
            TypeError,
            "exactly one of rng .* and noise",
        ),
        "a seed": (lambda: made.sample(3), TypeError, "rng must be a numpy.random.Generator, but is 3"),
        "words as noise": (lambda: made.sample(noise="x"), TypeError, "noise must be an array of real numbers"),
        "noise of another shape": (lambda: made.sample(noise=logits[0]), ValueError, r"\(2, 3\), but has \(3,\)"),
        "a divergence between kinds": (
            lambda: made.kl(Gaussian(logits, logits)),
            TypeError,
            "expected a second Categorical, but got Gaussian",
        ),
        "a divergence between shapes": (lambda: made.kl(Categorical(logits[:1])), ValueError, "of one shape and dtype"),
    }


@pytest.mark.parametrize("name", _refusals())
def test_a_categorical_refuses(name: str) -> None:
    call, error, words = _refusals()[name]
    with pytest.raises(error, match=words):
        call()


@pytest.mark.numpy_alone("values on a GPU are not looked at")
def test_values_that_make_no_distribution_are_refused_also_while_they_are_differentiated() -> None:
    logits = np.zeros((2, 3))
    refused = {
        "the mask allows no action in row 1": lambda x: Categorical(x, [[1, 0, 1], [0, 0, 0]]),
        "allows only actions of probability zero in row 0; .* use logits": lambda x: Categorical(
            x + [[0, -np.inf, 0], [0, 0, 0]], [0, 1, 0]
        ),
        "no action has a probability above zero in row 0": lambda x: Categorical(x + [[-np.inf], [0]]),
        "the largest logit in row 1 is nan, .* has training diverged": lambda x: Categorical(x + [[0], [np.nan]]),
        "the largest logit in row 0 is inf": lambda x: Categorical(x + [[0, np.inf, 0], [0, 0, 0]]),
        "probabilities, but the smallest is -1.0; are these logits": lambda x: Categorical.from_probs(x - 1),
        "no action has a probability above zero in row 0; .* at least one action": lambda x: Categorical.from_probs(x),
        "finite standard Gumbel numbers": lambda x: Categorical(x).sample(noise=x + np.inf) + x,
    }
    for words, make in refused.items():
        with pytest.raises(ValueError, match=words):
            make(logits)
        with pytest.raises(ValueError, match=words):
            npnets.grad(lambda x, make=make: nnp.sum(getattr(make(x), "logits", x)))(logits)
    with pytest.raises(ValueError, match="the mask allows no action; a row"):
        Categorical(logits[0], [0, 0, 0])
    assert np.isfinite(Categorical(logits + [0, np.nan, np.inf], [1, 0, 0]).entropy()).all()  # masked NaN is not read


@pytest.mark.needs_gpus(1)
def test_on_a_gpu_a_row_without_actions_is_nan_and_an_action_out_of_range_has_probability_zero() -> None:
    nothing = Categorical(_ones(2, 3) - np.inf)
    assert np.isnan(as_numpy(nothing.probs)).all()
    beyond = Categorical(_ones(2, 3)).log_prob(on_backend(np.array([3, -1])))
    assert_array_equal(beyond, [-np.inf, -np.inf])


@pytest.mark.needs_gpus(1)
@pytest.mark.parametrize("where", ["cuda:0", pytest.param("cuda:1", marks=pytest.mark.needs_gpus(2))])
def test_a_categorical_follows_its_logits_to_a_gpu_and_brings_masks_noise_and_actions_there(where: str) -> None:
    raw, mask = np.random.default_rng(0).random((4, 3)), np.array([[1, 1, 0]] * 4)
    for make in (Categorical, Categorical.from_probs):
        outputs = [
            [
                *make(x, mask).sample_and_log_prob(np.random.default_rng(0)),
                make(x, mask).log_prob([0, 1, 2, 0]),
                make(x, mask).kl(make(x, mask)),
                npnets.grad(lambda x, make=make: nnp.sum(make(x, mask).entropy()))(x),
            ]
            for x in (npnets.tree.to_device(raw, where), raw)
        ]
        assert {npnets.backend.device_of(output) for output in outputs[0]} == {where}
        for actual, expected in zip(*outputs, strict=True):
            np.testing.assert_allclose(npnets.tree.to_numpy(actual), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.needs_gpus(2)
def test_actions_and_masks_on_another_gpu_are_refused() -> None:
    made, elsewhere = Categorical(_ones(2, 3)), npnets.tree.to_device(np.ones((2, 3), int), "cuda:1")
    with pytest.raises(TypeError, match="actions and logits of Categorical must lie on one device"):
        made.log_prob(elsewhere[0, :2])
    with pytest.raises(TypeError, match="mask and logits of Categorical must lie on one device"):
        Categorical(_ones(2, 3), elsewhere)
    assert_array_equal(made.mode(), [0, 0])
