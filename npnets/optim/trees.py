"""Two operations on whole trees: limiting the norm of gradients, and moving a target network."""

from typing import Any

import numpy as np

from npnets import tree
from npnets.optim.arithmetic import toward
from npnets.optim.optimizer import alike, require_positive, together
from npnets.tree import Tree


def clip_by_global_norm(grads: Tree, limit: float) -> tuple[Tree, Any]:
    """Scale gradients down so that all of them together are no longer than a limit.

    Parameters
    ----------
    grads : tree
    limit : float
        The greatest Euclidean norm of all leaves laid out in one vector.

    Returns
    -------
    grads : tree
    norm : scalar
        The norm that they had before.

    Raises
    ------
    ValueError
        If the limit is not positive.
    TypeError
        If a leaf is no floating-point array.

    Notes
    -----
    PyTorch's `clip_grad_norm_`, whose factor is `limit / (norm + 1e-6)` where that is below one.
    """
    require_positive("limit", limit)
    tree.map(alike, grads)
    with together(grads=grads):
        norm = np.sqrt(sum(np.vdot(leaf, leaf) for leaf in tree.leaves(grads)))
        factor = np.minimum(limit / (norm + 1e-6), 1)
        return tree.map(lambda leaf: leaf * factor.astype(leaf.dtype), grads), norm


def soft_update(target: Tree, source: Tree, tau: float) -> Tree:
    """Move a target network's parameters toward another's: `tau * source + (1 - tau) * target`.

    Parameters
    ----------
    target, source : tree
    tau : float
        In [0, 1].

    Returns
    -------
    tree
        The target's new parameters.
    """
    if not 0 <= tau <= 1:
        raise ValueError(f"tau must be in [0, 1], but is {tau!r}")
    with together(target=target, source=source):
        return tree.map(lambda t, s: toward(alike(t, s), s, tau), target, source)
