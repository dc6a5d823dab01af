"""One step of a policy along the natural gradient, within a trust region (Schulman et al. 2015, arXiv:1502.05477).

The Fisher matrix is never formed: it is the Hessian of the mean KL divergence from the old policy, `npnets.hvp`
multiplies vectors by it, and SciPy's conjugate gradients need only these products.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg

import npnets
import npnets.numpy as nnp
from examples.shared.pendulum_evaluation import MAX_TORQUE
from npnets import tree
from npnets.distributions import Gaussian

ACTOR = npnets.ActorProb(npnets.Net(3, hidden_sizes=(32, 32), activation="tanh"), 1, max_action=MAX_TORQUE)
LARGEST_KL, DAMPING, CG_STEPS, HALVINGS = 0.03, 1e-3, 10, 10


class Batch(NamedTuple):
    """Steps of the old policy: observations `(n, 3)`, torques `(n, 1)`, advantages `(n,)`, and its distributions."""

    observations: Any
    torques: Any
    advantages: Any
    old_policy: Gaussian


class Step(NamedTuple):
    """The result of a step: parameters, KL divergence from the old policy, and the gain in surrogate advantage."""

    params: Any
    kl: float
    gain: float


def policy_of(params: Any, observations: Any) -> Gaussian:
    """The distribution over torques for each observation."""
    return Gaussian.from_actor(ACTOR, params, observations)[0]


def divergence(params: Any, batch: Batch) -> Any:
    """Mean Kullback-Leibler divergence from the old policy to the one with these parameters."""
    return nnp.mean(batch.old_policy.kl(policy_of(params, batch.observations)))


def surrogate(params: Any, batch: Batch) -> Any:
    """The surrogate advantage of a policy, estimated from the old policy's steps by importance weights."""
    log_ratio = policy_of(params, batch.observations).log_prob(batch.torques) - batch.old_policy.log_prob(batch.torques)
    return nnp.mean(nnp.exp(log_ratio) * batch.advantages)


def fisher_matrix(params: Any, batch: Batch, damping: float) -> LinearOperator:
    """The Fisher information of the policy at `params`, plus `damping` times the identity."""
    vector, unravel = tree.ravel(params)
    multiply = npnets.hvp(divergence)

    def product(v: NDArray[Any]) -> NDArray[Any]:
        v = v.reshape(-1)  # SciPy may pass a column
        return tree.ravel(multiply(params, unravel(v.astype(vector.dtype)), batch))[0] + damping * v

    return LinearOperator((vector.size, vector.size), matvec=product, dtype=np.float64)


def trust_region_step(params: Any, batch: Batch, cg_steps: int = CG_STEPS) -> Step:
    """Step along the natural gradient to the limit of the divergence; halve the step until it improves the policy."""
    vector, unravel = tree.ravel(params)
    before, grads = npnets.value_and_grad(surrogate)(params, batch)
    slope = tree.ravel(grads)[0].astype(np.float64)
    if not slope.any():
        return Step(params, 0.0, 0.0)
    fisher = fisher_matrix(params, batch, DAMPING)
    direction, _ = cg(fisher, slope, maxiter=cg_steps)
    longest = np.sqrt(2 * LARGEST_KL / (direction @ (fisher @ direction)))
    for halving in range(HALVINGS):
        there = unravel((vector + longest * 0.5**halving * direction).astype(vector.dtype))
        kl, gain = float(divergence(there, batch)), float(surrogate(there, batch) - before)
        if kl <= LARGEST_KL and gain > 0:
            return Step(there, kl, gain)
    return Step(params, 0.0, 0.0)
