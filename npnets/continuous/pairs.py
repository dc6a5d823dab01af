"""Observations that come with actions or latent vectors, as BCQ's networks take them."""

from npnets.backend import Array
from npnets.common.sequential import Leaves
from npnets.continuous.action_axes import check_axes, laid_out
from npnets.inputs import as_input, first_leaf


def paired(leaves: Leaves, state: object, other: object, name: str) -> tuple[Array, Array]:
    """Convert observations, and the actions or latent vectors beside them, and check that their rows match.

    Parameters
    ----------
    leaves : sequence
        Of the network's parameters.
    state : (batch, features) array
    other : (batch, ...) array
        Actions, latent vectors or noise; `name` says which.
    name : str

    Returns
    -------
    state, other : arrays
    """
    like = first_leaf(leaves)
    return _checked(as_input(state, like, "state"), as_input(other, like, name), name)


def paired_actions(
    leaves: Leaves, state: object, action: object, bounds: tuple[object, object]
) -> tuple[Array, Array, tuple[int, ...]]:
    """Do as `paired` with actions, those of several axes laid out in one; the last output is the shape they had.

    The axes must be those of the bounds, `low` and `high`, where these have several too.
    """
    like = first_leaf(leaves)
    state, action = as_input(state, like, "state"), as_input(action, like, "action")
    if action.ndim > state.ndim:
        check_axes(action.shape, bounds)
    return *_checked(state, laid_out(action, state.shape[:-1]), "action"), action.shape


def _checked(state: Array, other: Array, name: str) -> tuple[Array, Array]:
    if state.ndim < 2 or state.shape[:-1] != other.shape[:-1]:
        raise ValueError(
            f"state and {name} must both be (batch, features) with the same batch, but have shapes {state.shape} and "
            f"{other.shape}; for a single one pass state[None]"
        )
    return state, other
