"""The normal distribution with independent dimensions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.backend import Array
from npnets.distributions.arguments import computes_where_mean, noise_like, outputs_of, points_like, repeated_like
from npnets.distributions.normal import Normal
from npnets.kernels.gaussian import LOG_ROOT_2PI, log_density
from npnets.tree import Tree


@dataclass(frozen=True, eq=False, repr=False)
class Gaussian(Normal):
    """A normal distribution over actions, whose dimensions are independent, for each row.

    Parameters
    ----------
    mu : (..., actions) array
        Mean.
    sigma : (..., actions) array
        Standard deviation, positive, of the mean's shape and dtype.

    Raises
    ------
    TypeError, ValueError
        If they are not so. On a GPU values are not looked at: a `sigma` that is not positive gives NaN or infinity.

    Notes
    -----
    PyTorch's `Independent(Normal(mu, sigma), 1)`, which Tianshou's policies use.
    """

    @classmethod
    def from_actor(
        cls, actor: Any, params: Tree, obs: Any, state: Any = None, **options: Any
    ) -> "tuple[Gaussian, Any]":
        """Run a probabilistic actor and return a distribution with its mean and standard deviation.

        Parameters
        ----------
        actor : ActorProb or RecurrentActorProb
            Or one of your own that returns `((mu, sigma), state)`.
        params, obs, state, **options
            As `actor.forward` takes them.

        Returns
        -------
        distribution : Gaussian
        state
            The actor's new state.

        Raises
        ------
        TypeError
            If the actor does not return a mean and a standard deviation.
        """
        mu, sigma, state = outputs_of(actor, params, obs, state, options)
        return cls(mu, sigma), state

    @computes_where_mean
    def sample(self, rng: np.random.Generator | None = None, *, noise: ArrayLike | None = None) -> Array:
        """Draw one action for each row, differentiable with respect to mean and standard deviation.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the noise; pass exactly one of `rng` and `noise`.
        noise : (..., actions) array, optional
            Standard normal numbers to use instead.

        Returns
        -------
        (..., actions) array
            `mu + sigma * noise`.
        """
        return self.mu + self.sigma * noise_like(self.mu, rng, noise)

    @computes_where_mean
    def log_prob(self, x: ArrayLike) -> Array:
        """Return the log-density of actions, summed over their dimensions.

        Parameters
        ----------
        x : (..., actions) array
            One action for each row. Extra leading axes hold more of them: `(10, 4, 2)` for a mean of `(4, 2)`.

        Returns
        -------
        (...) array
        """
        x = points_like(x, self.mu, "x")
        return log_density(x, *repeated_like(x, self.mu, self.sigma))

    @computes_where_mean
    def sample_and_log_prob(
        self, rng: np.random.Generator | None = None, *, noise: ArrayLike | None = None
    ) -> tuple[Array, Array]:
        """Draw actions as `sample` does, together with their log-density.

        Returns
        -------
        action : (..., actions) array
        log_prob : (...) array
            Of the noise that was drawn: exact also where the action rounds to the mean.
        """
        noise = noise_like(self.mu, rng, noise)
        of_noise = -0.5 * nnp.sum(noise * noise, -1) - self.mu.shape[-1] * LOG_ROOT_2PI
        return self.mu + self.sigma * noise, of_noise - nnp.sum(nnp.log(self.sigma), -1)

    def mode(self) -> Array:
        """Return the likeliest actions, `(..., actions)`: the mean."""
        return self.mu

    @computes_where_mean
    def entropy(self) -> Array:
        """Return the differential entropy, `(...)`, in nats."""
        return nnp.sum(nnp.log(self.sigma), -1) + self.mu.shape[-1] * (LOG_ROOT_2PI + 0.5)
