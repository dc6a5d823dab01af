"""The normal distribution squashed into an interval by `tanh`."""

import math
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, overload

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.backend import Array, device_of
from npnets.description import Bound, set_fields
from npnets.distributions.arguments import (
    bounds_from,
    check_unbounded,
    computes_where_mean,
    noise_like,
    outputs_of,
    points_like,
    repeated_like,
)
from npnets.distributions.interval import Interval, edge, interval
from npnets.distributions.normal import Normal
from npnets.kernels.gaussian import log_density
from npnets.kernels.squashed_gaussian import LOG_4, neg_log_det_tanh, squashed_draw
from npnets.tree import Tree


@dataclass(frozen=True, eq=False, repr=False)
class SquashedGaussian(Normal):
    """A normal distribution squashed by `tanh` into bounds, for each row: `low <= action <= high` always.

    Parameters
    ----------
    mu : (..., actions) array
        Mean before squashing. A mean that is squashed already looks like any other: `from_actor` checks the actor.
    sigma : (..., actions) array
        Standard deviation before squashing, positive, of the mean's shape and dtype.
    low : float or (actions,) NumPy array
        Lower bound of the actions: one number, or one for each dimension; a constant to every derivative.
    high : float or (actions,) NumPy array
        Upper bound, in the same form.

    Raises
    ------
    TypeError, ValueError
        If they are not so. On a GPU values are not looked at: a `sigma` that is not positive gives NaN or infinity.

    Notes
    -----
    Haarnoja et al. 2018, appendix C. Tianshou's ``SACPolicy`` computes the same for bounds of -1 and 1, with an epsilon
    in the logarithm.
    """

    low: Bound
    high: Bound

    def __post_init__(self) -> None:
        super().__post_init__()
        actions = self.mu.shape[-1]
        set_fields(self, low=edge("low", self.low, actions), high=edge("high", self.high, actions))
        self._interval  # noqa: B018  bounds that make no sense are refused here

    @classmethod
    def from_actor(
        cls,
        actor: Any,
        params: Tree,
        obs: Any,
        low: Bound | None = None,
        high: Bound | None = None,
        state: Any = None,
        **options: Any,
    ) -> "tuple[SquashedGaussian, Any]":
        """Run a probabilistic actor and squash its distribution into bounds; one that squashes its mean is refused.

        Parameters
        ----------
        actor : ActorProb or RecurrentActorProb
            Made with `unbounded=True`; or one of your own that returns `((mu, sigma), state)` and has an attribute
            `unbounded`.
        params, obs
            As `actor.forward` takes them.
        low, high : float or (actions,) NumPy array, optional
            Bounds of the actions. Without them they are those of the actor: of its action space, as in
            `ActorProb(net, env.action_space, unbounded=True)`, or its `low` and `high`.
        state, **options
            As `actor.forward` takes them.

        Returns
        -------
        distribution : SquashedGaussian
        state
            The actor's new state.

        Raises
        ------
        TypeError
            If the actor has no attribute `unbounded`, or does not return a mean and a standard deviation; or if there
            are no bounds.
        ValueError
            If its mean is bounded.
        """
        check_unbounded(actor)
        low, high = bounds_from(actor, low, high)
        mu, sigma, state = outputs_of(actor, params, obs, state, options)
        return cls(mu, sigma, low, high), state

    @overload
    def sample(
        self,
        rng: np.random.Generator | None = None,
        *,
        noise: ArrayLike | None = None,
        with_draw: Literal[False] = False,
    ) -> Array: ...

    @overload
    def sample(
        self, rng: np.random.Generator | None = None, *, noise: ArrayLike | None = None, with_draw: Literal[True]
    ) -> tuple[Array, Array]: ...

    @computes_where_mean
    def sample(
        self, rng: np.random.Generator | None = None, *, noise: ArrayLike | None = None, with_draw: bool = False
    ) -> Array | tuple[Array, Array]:
        """Draw one action for each row, differentiable with respect to mean and standard deviation.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the noise; pass exactly one of `rng` and `noise`.
        noise : (..., actions) array, optional
            Standard normal numbers to use instead.
        with_draw : bool
            Whether to return the draw before squashing too, for `log_prob(draw=draw)`.

        Returns
        -------
        action : (..., actions) array
            The draw, squashed: every entry within `[low, high]`.
        draw : (..., actions) array
            `mu + sigma * noise`; only with `with_draw=True`.
        """
        draw = self.mu + self.sigma * noise_like(self.mu, rng, noise)
        return (self._squash(draw), draw) if with_draw else self._squash(draw)

    @computes_where_mean
    def log_prob(self, x: ArrayLike | None = None, *, draw: ArrayLike | None = None) -> Array:
        """Return the log-density of actions, summed over their dimensions.

        Pass exactly one of `x` and `draw`. Near a bound many draws round to the same action; the draw gives the exact
        density and gradient everywhere.

        Parameters
        ----------
        x : (..., actions) array
            One action for each row, as `sample` gives them: squashed. Extra leading axes hold more of them:
            `(10, 4, 2)` for a mean of `(4, 2)`.
        draw : (..., actions) array
            The same actions before squashing, as `sample(rng, with_draw=True)` gives them.

        Returns
        -------
        (...) array
            Minus infinity, with a gradient of zero, for a row with an entry outside of the bounds. An entry exactly at
            a bound, where the density is zero but where samples are rounded to, is read as the outermost sample short
            of it, and its own gradient is zero. With `draw` always finite, and that of the squashed action.
        """
        if (x is None) == (draw is None):
            raise TypeError("expected exactly one of x, the actions, and draw, the actions before squashing")
        return self._log_prob_of_action(x) if draw is None else self._log_prob_of_draw(draw)

    def _log_prob_of_draw(self, draw: ArrayLike) -> Array:
        u = points_like(draw, self.mu, "draw")
        log_norm = u.shape[-1] * LOG_4 + self._interval.log_half
        return log_density(u, *repeated_like(u, self.mu, self.sigma)) + (nnp.sum(neg_log_det_tanh(u), -1) - log_norm)

    def _log_prob_of_action(self, action: ArrayLike | None) -> Array:
        x, edges = points_like(action, self.mu, "x"), self._interval
        value = bare(x)
        x = nnp.where(
            value <= edges.low, edges.just_above_low, nnp.where(value >= edges.high, edges.just_below_high, x)
        )
        low, high = edges.low, edges.high
        if edges.scale != 1:
            x, low, high = edges.scale * x, edges.scale * low, edges.scale * high
        below, above = nnp.log(x - low), nnp.log(high - x)
        log_det = nnp.sum(below + above, -1) - (edges.log_half + 2 * math.log(edges.scale) * x.shape[-1])
        u = 0.5 * (below - above)
        log_prob = log_density(u, *repeated_like(u, self.mu, self.sigma)) - log_det
        outside = nnp.any((value < edges.lowest) | (value > edges.highest), -1)
        return nnp.where(outside, -np.inf, log_prob)

    @overload
    def sample_and_log_prob(
        self,
        rng: np.random.Generator | None = None,
        *,
        noise: ArrayLike | None = None,
        with_draw: Literal[False] = False,
    ) -> tuple[Array, Array]: ...

    @overload
    def sample_and_log_prob(
        self, rng: np.random.Generator | None = None, *, noise: ArrayLike | None = None, with_draw: Literal[True]
    ) -> tuple[Array, Array, Array]: ...

    @computes_where_mean
    def sample_and_log_prob(
        self, rng: np.random.Generator | None = None, *, noise: ArrayLike | None = None, with_draw: bool = False
    ) -> tuple[Array, ...]:
        """Draw actions as `sample` does, together with their log-density.

        Returns
        -------
        action : (..., actions) array
            Every entry within `[low, high]`.
        log_prob : (...) array
            Computed before squashing: exact, with exact gradients, also where actions round to a bound.
        draw : (..., actions) array
            The actions before squashing; only with `with_draw=True`.
        """
        noise, edges = noise_like(self.mu, rng, noise), self._interval
        scored = squashed_draw(self.mu, self.sigma, noise, edges.middle, edges.half, edges.log_half)
        return (*scored, self.mu + self.sigma * noise) if with_draw else scored

    @computes_where_mean
    def mode(self) -> Array:
        """Return the mean, squashed, `(..., actions)`: what a policy does without noise.

        It is the mode before squashing, and the median of the actions. The density over actions is largest
        elsewhere, as a rule nearer to a bound, at a place that has no closed form.
        """
        return self._squash(self.mu)

    @property
    def entropy(self) -> NoReturn:
        """Not available, because it has no closed form; reading it raises `AttributeError`."""
        raise AttributeError(
            "the entropy of a SquashedGaussian has no closed form; estimate it by the mean of -log_prob from "
            "sample_and_log_prob"
        )

    def _check_like(self, other: "SquashedGaussian") -> None:
        super()._check_like(other)
        if (self.low, self.high) != (other.low, other.high):
            raise ValueError(f"expected two distributions with the same bounds, but got {self!r} and {other!r}")

    def _squash(self, u: Array) -> Array:
        edges = self._interval
        return edges.middle + edges.half * nnp.tanh(u)

    @property
    def _interval(self) -> Interval:
        mu = bare(self.mu)
        bounds: tuple[Any, Any] = self.low, self.high  # numbers or tuples of them, since the distribution was made
        return interval(*bounds, mu.shape[-1], mu.dtype.str, device_of(mu))
