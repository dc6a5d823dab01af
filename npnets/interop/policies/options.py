"""What the caller of `load_policy` says about a policy, beside its file."""

from dataclasses import dataclass

import numpy as np

from npnets.backend import Array
from npnets.files.fault import Fault
from npnets.files.quoting import quoted
from npnets.interop.policies.action_space import Bounds
from npnets.interop.policies.activations import Named
from npnets.normalization import Normalization
from npnets.policy import Policy

_REMEDY = "pass action_space=env.action_space, or action_space=(low, high)"


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

    normalization: Normalization | None = None
    bounds: Bounds | None = None
    activation: str | None = None

    def required_bounds(self, why: str) -> Bounds:
        """Return the bounds, for a file that does not hold them: `why` is a clause about it."""
        if self.bounds is None:
            raise Fault(f"{why}: {_REMEDY}")
        return self.bounds

    def check_bounds(self, low: Array, high: Array) -> None:
        """Check that bounds in a file, of an action's shape, are those that were passed, if any were."""
        if self.bounds is None:
            return
        for name, given, found in zip(("low", "high"), self.bounds, (low, high), strict=True):
            if given.shape not in ((), found.shape) or not np.allclose(given, found, rtol=1e-6, atol=0):
                raise Fault(
                    f"its actions have the {name} {quoted(found.tolist())}, but action_space has "
                    f"{quoted(given.tolist())}; leave action_space out, or pass the space of its environment"
                )

    def check_used(self, policy: Policy) -> None:
        """Check that bounds were passed for a policy that has some, and not for one that they would not change."""
        if self.bounds is None or policy.low is not None:
            return
        why = "are chosen among several" if policy.to_action == "greedy" else "have no bounds"
        raise Fault(f"its actions {why}, but action_space was passed; leave action_space out")

    def activation_beside(self, found: Named) -> Named:
        """Return the activation that a file names, after a check that no other was passed."""
        if self.activation not in (None, found.name):
            raise Fault(f"its activation is {found.name!r}, but activation={self.activation!r}; leave activation out")
        return found
