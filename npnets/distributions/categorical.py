"""The categorical distribution: a choice among a number of discrete actions, some of which may be forbidden.

Symbols: `l` the logarithms of probabilities, minus infinity for a forbidden action; `p = exp(l)`. Wherever `p * l` is
taken, minus infinity is replaced by zero first, so that `0 * log 0` is 0, and its derivatives are too.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.autodiff.devices import computing_where
from npnets.backend import Array
from npnets.description import set_fields
from npnets.distributions.arguments import check_like, computes_where_parameter, output_of
from npnets.distributions.choices import (
    actions_like,
    allowed_logits,
    check_choices,
    check_no_mask,
    check_softmax_output,
    gumbel_like,
    logits_of_probs,
)
from npnets.kernels.chosen_log_prob import chosen_log_prob
from npnets.kernels.log_softmax import log_softmax
from npnets.tree import Tree

computes_where_logits = computes_where_parameter("logits")


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Categorical:
    """A choice among discrete actions, `0` to `actions - 1`, for each row.

    Parameters
    ----------
    logits : (..., actions) array
        Logarithms of probabilities, up to a number that is added to all of a row; minus infinity forbids an action.
    mask : (..., actions) or (actions,) array, optional
        True (or 1) for the actions that may be chosen. The others have probability exactly zero and are never drawn.

    Attributes
    ----------
    logits : (..., actions) array
        Normalized: the logarithms of the probabilities.

    Raises
    ------
    TypeError, ValueError
        If they are not so, or a row has no action that may be chosen. On a GPU values are not looked at: such a row
        gives NaN.

    Notes
    -----
    PyTorch's `Categorical(logits=logits)`, which Tianshou's policies for discrete actions use.
    """

    logits: Array

    def __init__(self, logits: Array, mask: ArrayLike | None = None) -> None:
        check_choices("logits", logits)
        with np.errstate(under="ignore", over="ignore"), computing_where(logits):
            set_fields(self, logits=log_softmax(allowed_logits(logits, mask)))

    @classmethod
    def from_probs(cls, probs: Array, mask: ArrayLike | None = None) -> "Categorical":
        """Return a distribution with given probabilities, such as the softmax that Tianshou's actors return.

        Parameters
        ----------
        probs : (..., actions) array
            Probabilities, zero or more; they are divided by their sum over the actions that may be chosen. Where one is
            zero or subnormal, its gradient is zero.
        mask : (..., actions) or (actions,) array, optional
            True (or 1) for the actions that may be chosen.

        Returns
        -------
        Categorical
        """
        check_choices("probs", probs)
        with computing_where(probs):
            return cls(logits_of_probs(probs), mask)

    @classmethod
    def from_actor(
        cls,
        actor: Any,
        params: Tree,
        obs: Any,
        state: Any = None,
        *,
        mask: ArrayLike | None = None,
        **options: Any,
    ) -> "tuple[Categorical, Any]":
        """Run an actor for discrete actions and return the distribution of its logits or probabilities.

        Parameters
        ----------
        actor : npnets.discrete.Actor
            Or one of your own that returns `(output, state)` and has an attribute `softmax_output`: whether its output
            is probabilities, and not logits.
        params, obs, state, **options
            As `actor.forward` takes them.
        mask : (..., actions) or (actions,) array, optional
            True (or 1) for the actions that may be chosen.

        Returns
        -------
        distribution : Categorical
        state
            The actor's new state.

        Raises
        ------
        TypeError
            If the actor has no attribute `softmax_output`.
        """
        make = cls.from_probs if check_softmax_output(actor) else cls
        check_no_mask("state", state)
        output, state = output_of(actor, params, obs, state, options)
        return make(output, mask), state

    def __repr__(self) -> str:
        logits = bare(self.logits)
        return f"Categorical(<{logits.dtype} {logits.shape}>)"

    def map_arrays(self, fun: Callable[[Array], Array]) -> "Categorical":
        """Return the distribution with a function applied to `logits`, as `npnets.stop_gradient` does."""
        again = copy.copy(self)
        set_fields(again, logits=fun(self.logits))
        return again

    @property
    @computes_where_logits
    def probs(self) -> Array:
        """Probabilities, `(..., actions)`: exactly zero for forbidden actions."""
        return nnp.exp(self.logits)

    @computes_where_logits
    def sample(self, rng: np.random.Generator | None = None, *, noise: ArrayLike | None = None) -> Array:
        """Draw one action for each row.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the noise; pass exactly one of `rng` and `noise`.
        noise : (..., actions) array, optional
            Standard Gumbel numbers to use instead, as `rng.gumbel(size=logits.shape)` gives them.

        Returns
        -------
        (...) array of integers
            Where `logits + noise` is largest; constant to every derivative.
        """
        logits = bare(self.logits)
        return (logits + gumbel_like(logits, rng, noise)).argmax(-1)

    @computes_where_logits
    def log_prob(self, x: ArrayLike) -> Array:
        """Return the logarithm of the probability of actions.

        Parameters
        ----------
        x : (...) array of integers
            One action for each row. Extra leading axes hold more of them: `(10, 4)` for 4 rows.

        Returns
        -------
        array of the shape of `x`
            Minus infinity, with a gradient of zero, for a forbidden action. On a GPU actions are not looked at: one out
            of range counts as forbidden.
        """
        return chosen_log_prob(self.logits, actions_like(x, self.logits))

    @computes_where_logits
    def sample_and_log_prob(
        self, rng: np.random.Generator | None = None, *, noise: ArrayLike | None = None
    ) -> tuple[Array, Array]:
        """Draw actions as `sample` does, together with the logarithms of their probabilities.

        Returns
        -------
        action : (...) array of integers
        log_prob : (...) array
        """
        action = self.sample(rng, noise=noise)
        return action, chosen_log_prob(self.logits, action)

    @computes_where_logits
    def mode(self) -> Array:
        """Return the likeliest action of each row, `(...)` integers; the first of several."""
        return bare(self.logits).argmax(-1)

    @computes_where_logits
    def entropy(self) -> Array:
        """Return the entropy, `(...)`, in nats: zero for a single possible action, at most `log(actions)`."""
        return 0 - nnp.sum(nnp.exp(self.logits) * _finite(self.logits), -1)

    @computes_where_logits
    def kl(self, other: "Categorical") -> Array:
        """Return the Kullback-Leibler divergence from this distribution to another, in nats.

        Parameters
        ----------
        other : Categorical
            Of the same shape and dtype.

        Returns
        -------
        (...) array
            `E[log p(x) - log q(x)]` for `x` drawn from this distribution: infinite, with a gradient of zero, where the
            other distribution forbids an action that this one allows.
        """
        check_like(self, other, self.logits, getattr(other, "logits", None))
        divergence = nnp.sum(nnp.exp(self.logits) * (_finite(self.logits) - _finite(other.logits)), -1)
        beyond = (bare(self.logits) > -np.inf) & (bare(other.logits) == -np.inf)
        return nnp.where(beyond.any(-1), np.inf, divergence)


def _finite(logits: Array) -> Array:
    """Return logits with zero in the place of minus infinity."""
    return nnp.where(bare(logits) == -np.inf, 0, logits)
