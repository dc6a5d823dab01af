"""The mean and standard deviation of each row, and the methods that `Gaussian` and `SquashedGaussian` share."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.backend import Array
from npnets.distributions.arguments import check_like, check_parameters, computes_where_mean

D = TypeVar("D", bound="Normal")


@dataclass(frozen=True, eq=False, repr=False)
class Normal:
    """A normal distribution for each row, whose samples a subclass may squash."""

    mu: Array
    sigma: Array

    def __post_init__(self) -> None:
        check_parameters(self.mu, self.sigma, type(self).__name__)

    def __repr__(self) -> str:
        arrays = [f"<{value.dtype} {value.shape}>" for value in (bare(self.mu), bare(self.sigma))]
        bounds = [f"{field.name}={getattr(self, field.name)!r}" for field in fields(self)[2:]]
        return f"{type(self).__name__}({', '.join(arrays + bounds)})"

    def map_arrays(self: D, fun: Callable[[Array], Array]) -> D:
        """Return the distribution with a function applied to `mu` and `sigma`, as `npnets.stop_gradient` does."""
        return replace(self, mu=fun(self.mu), sigma=fun(self.sigma))

    @computes_where_mean
    def kl(self: D, other: D) -> Array:
        """Return the Kullback-Leibler divergence from this distribution to another, in nats.

        Parameters
        ----------
        other : distribution
            Of the same class, shape, dtype and bounds.

        Returns
        -------
        (...) array
            `E[log p(x) - log q(x)]` for `x` drawn from this distribution. Squashing does not change it.
        """
        self._check_like(other)
        log_ratio, distance = nnp.log(self.sigma / other.sigma), (self.mu - other.mu) / other.sigma
        return 0.5 * nnp.sum(nnp.expm1(2 * log_ratio) - 2 * log_ratio + distance * distance, -1)

    def _check_like(self: D, other: D) -> None:
        """Check that a second distribution has the class, shape and dtype of this one."""
        check_like(self, other, self.mu, getattr(other, "mu", None))
