"""Moving a target network's parameters to those of the network that learns."""

from npnets.autodiff.devices import computing_where
from npnets.optim.arithmetic import Rule, updated
from npnets.optim.checks import ARRAYS
from npnets.optim.optimizer import T
from npnets.optim.settings import check_number
from npnets.tree import Tree
from npnets.underflow import ignoring_underflow

_RULE = Rule("lerp", lambda ops, numbers, target, source: (ops.lerp(target, source, *numbers),))


@ignoring_underflow
def soft_update(target: T, source: Tree, tau: float) -> T:
    """Move a target network's parameters a part of the way to another's: `tau * source + (1 - tau) * target`.

    Parameters
    ----------
    target, source : tree
        Left as they are; the same networks' parameters, of the same shapes and dtypes.
    tau : float
        In [0, 1]. At zero the target comes back bit for bit, at one the source, whatever the other holds.

    Returns
    -------
    tree
        The target's new parameters. An infinite entry stays infinite, and NaN comes out only where NaN went in or two
        infinities oppose each other.

    Raises
    ------
    TypeError
        If `tau` is no number.
    ValueError
        If `tau` is not in [0, 1], or the trees differ in structure, shapes or dtypes.
    """
    tau = check_number("tau", tau, "the order is soft_update(target, source, tau)")
    if not 0 <= tau <= 1:
        raise ValueError(f"tau must be in [0, 1], but is {tau!r}")
    with computing_where({"target": target, "source": source}, ARRAYS):
        moved: T
        (moved,) = updated(_RULE, (tau,), (target, source))
        return moved
