"""What the caller of `load_policy` says about a policy whose file does not say it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from npnets.files.fault import Fault
from npnets.interop.policies.action_space import Bounds

if TYPE_CHECKING:
    from npnets.normalization import Normalization


@dataclass(frozen=True)
class Options:
    """The arguments of `load_policy`, once they are checked.

    Parameters
    ----------
    normalization : Normalization, optional
        Statistics of the observations, which are used instead of those in the file.
    bounds : pair of arrays, optional
        The lower and the upper bound of the actions.
    activation : str, optional
        The activation of the hidden layers.
    """

    normalization: "Normalization | None" = None
    bounds: Bounds | None = None
    activation: str | None = None

    def required_bounds(self, why: str) -> Bounds:
        """Return the bounds, for a file that does not hold them; `why` is a clause that ends in "this file"."""
        if self.bounds is None:
            raise Fault(f"{why}: pass action_space=env.action_space, or action_space=(low, high)")
        return self.bounds
