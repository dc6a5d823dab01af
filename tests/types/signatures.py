"""The types that checkers infer from the public signatures: mypy and pyright read this file, and nothing runs it.

`assert_type` fails in both if a type differs or is unknown.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import default_rng
from typing_extensions import assert_type

import npnets
import npnets.numpy as nnp
from npnets import discrete, tree
from npnets.autodiff import Pair, fused
from npnets.distributions import Categorical, Gaussian, SquashedGaussian
from npnets.typing import Array, Params

NET = npnets.Net(state_shape=3, hidden_sizes=(8,))
ACTOR = npnets.Actor(NET, action_shape=2)
PARAMS = ACTOR.init(default_rng(0))
OBSERVATIONS: Array = np.zeros((4, 3))


def loss(params: Params, observations: Array, scale: float = 1.0) -> Array:
    action, _ = ACTOR.forward(params, observations)
    return nnp.mean(action**2) * scale


def loss_and_statistics(params: Params, observations: Array) -> tuple[Array, dict[str, Array]]:
    return loss(params, observations), {"largest": nnp.max(observations)}


# -- networks ---------------------------------------------------------------------------------------------------------

assert_type(PARAMS, Params)
assert_type(ACTOR.forward(PARAMS, OBSERVATIONS), tuple[Array, Any])
assert_type(ACTOR.output_dim, int)
assert_type(NET.forward(PARAMS["preprocess"], OBSERVATIONS), tuple[Array, Any])
assert_type(npnets.ActorProb(NET, 2).forward(PARAMS, OBSERVATIONS), tuple[tuple[Array, Array], Any])
assert_type(npnets.Critic(NET).forward(PARAMS, OBSERVATIONS), Array)
assert_type(npnets.Linear(3, 2).forward(PARAMS, OBSERVATIONS), Array)
assert_type(npnets.MLP(3, 2).forward(PARAMS, OBSERVATIONS), Array)

RECURRENT_ACTOR, RECURRENT_CRITIC = npnets.RecurrentActorProb(1, 3, 2), npnets.RecurrentCritic(1, 3)
assert_type(RECURRENT_ACTOR.forward(PARAMS, OBSERVATIONS), tuple[tuple[Array, Array], dict[str, Array]])
assert_type(RECURRENT_CRITIC.forward(PARAMS, OBSERVATIONS), Array)
assert_type(RECURRENT_CRITIC.forward(PARAMS, OBSERVATIONS, return_state=True), tuple[Array, dict[str, Array]])
assert_type(npnets.Recurrent(1, 3, 2).forward(PARAMS, OBSERVATIONS), tuple[Array, dict[str, Array]])

VAE = npnets.VAE(npnets.MLP(5, 8), npnets.MLP(6, 2), hidden_dim=8, latent_dim=3, max_action=1)
assert_type(VAE.forward(PARAMS, OBSERVATIONS, OBSERVATIONS, rng=default_rng(0)), tuple[Array, Array, Array])
assert_type(VAE.decode(PARAMS, OBSERVATIONS, rng=default_rng(0)), Array)

QUANTILES, PROPOSAL = discrete.ImplicitQuantileNetwork(NET, 2), discrete.FractionProposalNetwork(8, 8)
assert_type(QUANTILES.forward(PARAMS, OBSERVATIONS, 8, rng=default_rng(0)), tuple[tuple[Array, Array], Any])
assert_type(
    discrete.FullQuantileFunction(NET, 2).forward(PARAMS, OBSERVATIONS, PROPOSAL, PARAMS),
    tuple[tuple[Array, discrete.Fractions, Array | None], Any],
)
assert_type(PROPOSAL.forward(PARAMS, OBSERVATIONS).taus, Array)
assert_type(discrete.sample_noise(NET, PARAMS, default_rng(0)), Params)
npnets.Net(3, 2, linear_layer=discrete.NoisyLinear)

# Sizes and bounds are numbers of Python or NumPy, lists, tuples or arrays; inputs are all that NumPy makes arrays of.
npnets.Net([3, 4], hidden_sizes=[64, 64])
npnets.Net(np.int64(3), hidden_sizes=np.array([64, 64]))
npnets.Actor(NET, (2,), max_action=2)
npnets.Actor(NET, (2,), max_action=np.float32(2.0))
npnets.Actor(NET, (2,), max_action=[1.0, 2.0])
npnets.Actor(NET, (2,), max_action=np.array([1.0, 2.0], np.float32))
npnets.Actor(NET, (2,), low=np.array([0.0, -1.0], np.float32), high=[1, 2.0])
npnets.ActorProb(NET, (2, 1), low=[[0.0], [1.0]], high=3, flatten_action=False)
npnets.MLP(3, 2, (8,), activation=[nnp.tanh, None], linear_layer=functools.partial(npnets.EnsembleLinear, 4))
npnets.Critic(NET).forward(PARAMS, [[0.0, 1.0, 2.0]], act=[[1, 2]])
npnets.Critic(NET, apply_preprocess_net_to_obs_only=True, action_shape=(2,)).forward(PARAMS, {"camera": OBSERVATIONS})
RECURRENT_ACTOR.forward(PARAMS, OBSERVATIONS, lengths=[1, 2, 3, 4], resets=np.zeros(4, bool))

# -- derivatives ------------------------------------------------------------------------------------------------------

assert_type(npnets.grad(loss)(PARAMS, OBSERVATIONS, scale=2.0), Params)
assert_type(npnets.grad(loss, (0, 1))(PARAMS, OBSERVATIONS), tuple[Any, ...])
assert_type(npnets.grad(loss, 1)(PARAMS, OBSERVATIONS), Any)
assert_type(npnets.value_and_grad(loss)(PARAMS, OBSERVATIONS), tuple[Array, Params])
assert_type(npnets.value_and_grad(loss, (0, 1))(PARAMS, OBSERVATIONS), tuple[Array, tuple[Any, ...]])
assert_type(
    npnets.value_and_grad(loss_and_statistics, has_aux=True)(PARAMS, OBSERVATIONS),
    tuple[tuple[Array, dict[str, Array]], Params],
)
assert_type(npnets.hvp(loss)(PARAMS, PARAMS, OBSERVATIONS), Params)
assert_type(npnets.stop_gradient(PARAMS), Params)


# The gradient is of the type of what is differentiated, also where the loss does not say what it takes.
assert_type(npnets.grad(lambda params: nnp.sum(params["last"]["linear_0"]["bias"]))(PARAMS), Params)
assert_type(npnets.value_and_grad(lambda params: loss(params, OBSERVATIONS))(PARAMS), tuple[Array, Params])
assert_type(npnets.vjp(lambda params: loss(params, OBSERVATIONS), PARAMS), tuple[Array, Callable[[Array], Params]])
assert_type(npnets.jvp(lambda params: loss(params, OBSERVATIONS), PARAMS, PARAMS), tuple[Array, Array])
assert_type(npnets.hvp(lambda params: loss(params, OBSERVATIONS))(PARAMS, PARAMS), Params)


def forward(params: Params) -> tuple[Array, Any]:
    return ACTOR.forward(params, OBSERVATIONS)


assert_type(npnets.jvp(forward, PARAMS, PARAMS), tuple[tuple[Array, Any], tuple[Array, Any]])
assert_type(npnets.vjp(forward, PARAMS), tuple[tuple[Array, Any], Callable[[tuple[Array, Any]], Params]])


def softsign(x: Array) -> Array:
    return nnp.divide(x, 1.0 + nnp.abs(x))


def softsign_forward(x: Array) -> tuple[Array, Array]:
    return softsign(x), 1.0 + abs(x)


def softsign_backward(g: Array, residuals: Array, argnums: tuple[int, ...], x: Array) -> tuple[Array, ...]:
    return (g / residuals**2,)


assert_type(fused(softsign, cpu=Pair(softsign_forward, softsign_backward))(x=OBSERVATIONS), Array)

# -- trees ------------------------------------------------------------------------------------------------------------

assert_type(tree.map(nnp.abs, PARAMS), Params)
assert_type(tree.map(nnp.abs, [PARAMS, PARAMS]), list[Any])
assert_type(tree.to_device(PARAMS, "cuda:1"), Params)
assert_type(tree.to_numpy((PARAMS, OBSERVATIONS)), tuple[Params, Array])
assert_type(tree.leaves(PARAMS), list[Any])
assert_type(tree.paths(PARAMS), list[str])
VECTOR, UNRAVEL = tree.ravel(PARAMS, only=lambda path: path.startswith("last"))
assert_type(VECTOR, Array)
assert_type(UNRAVEL, tree.Unravel[Params])
assert_type(UNRAVEL(VECTOR), Params)
assert_type(UNRAVEL.slices, dict[str, slice])

# -- optimizers -------------------------------------------------------------------------------------------------------

ADAM = npnets.optim.adam(np.float64(1e-3))
assert_type(ADAM.init(PARAMS), npnets.optim.AdamState)
assert_type(ADAM.update(params=PARAMS, grads=PARAMS, state=ADAM.init(PARAMS)), tuple[Params, npnets.optim.AdamState])
assert_type(npnets.optim.clip_by_global_norm(PARAMS, 1.0), tuple[Params, float])
assert_type(npnets.optim.soft_update(PARAMS, PARAMS, tau=0.005), Params)
npnets.optim.sgd(1e-3, momentum=0.9)
npnets.optim.adam(lambda step: 1e-3 / (1 + step), betas=(0.9, 0.999))

# -- array functions --------------------------------------------------------------------------------------------------

assert_type(nnp.maximum(OBSERVATIONS, 0), Array)
assert_type(nnp.clip(OBSERVATIONS, -1.0, [1.0, 2.0, 3.0]), Array)
assert_type(nnp.sum(OBSERVATIONS, axis=(0, 1), keepdims=True), Array)
assert_type(nnp.where([True, False], 1.0, [2.0, 3.0]), Array)
assert_type(nnp.concatenate([OBSERVATIONS, OBSERVATIONS], axis=-1), Array)
assert_type(nnp.linalg.norm(OBSERVATIONS, axis=1), Array)
assert_type(nnp.masked_mean(OBSERVATIONS, OBSERVATIONS > 0, axis=0), Array)

# -- distributions ----------------------------------------------------------------------------------------------------

GAUSSIAN, _ = Gaussian.from_actor(npnets.ActorProb(NET, 2), PARAMS, OBSERVATIONS)
assert_type(GAUSSIAN, Gaussian)
assert_type(GAUSSIAN.sample_and_log_prob(default_rng(0)), tuple[Array, Array])
assert_type(GAUSSIAN.log_prob([[0.0, 1.0]]), Array)
assert_type(SquashedGaussian(GAUSSIAN.mu, GAUSSIAN.sigma, -1, np.array([1.0, 2.0])).sample(default_rng(0)), Array)
SQUASHED = SquashedGaussian(GAUSSIAN.mu, GAUSSIAN.sigma, -1, 1)
assert_type(SQUASHED.sample(default_rng(0), with_draw=True), tuple[Array, Array])
assert_type(SQUASHED.sample_and_log_prob(default_rng(0)), tuple[Array, Array])
assert_type(SQUASHED.sample_and_log_prob(default_rng(0), with_draw=True), tuple[Array, Array, Array])
assert_type(SQUASHED.log_prob(draw=OBSERVATIONS), Array)
assert_type(Categorical.from_probs(OBSERVATIONS, mask=[True, True, False]), Categorical)
assert_type(Categorical(OBSERVATIONS).log_prob([0, 1]), Array)

# -- modules that are imported once they are used, and files ----------------------------------------------------------

assert_type(npnets.about(), dict[str, Any])
assert_type(npnets.interop.torch_file.load("policy.pth"), Any)
assert_type(npnets.interop.pickle_file.load(b"", foreign="keep"), Any)
assert_type(npnets.interop.load_policy("policy.zip", "vec.pkl", action_space=(-1.0, 1.0)), npnets.Policy)
assert_type(npnets.interop.load_normalization("vec.pkl"), npnets.normalization.Normalization)
assert_type(npnets.interop.Foreign("gymnasium.spaces.box.Box").name, str)
assert_type(npnets.interop.tianshou.from_state_dict(ACTOR, {}), Params)
assert_type(npnets.interop.tianshou.to_state_dict(ACTOR, PARAMS), dict[str, Array])
assert_type(npnets.checkpoint.load("policy.npz").metadata, dict[str, Any])
npnets.testing.check_network(ACTOR, max_examples=5)
