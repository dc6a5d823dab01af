"""Actions joined to what a critic values: to observations before its preprocess net, or to the features behind it.

`inputs` are those of the critic's head: features, and the numbers of an action beside them.
"""

import npnets.numpy as nnp
from npnets.backend import Array
from npnets.common import Net
from npnets.inputs import as_input, batch_size, flattened, rows_of_one_network

FLAG = "apply_preprocess_net_to_obs_only=True"


def check_place_of_actions(preprocess_net: object, action_shape: object, to_obs_only: bool) -> None:
    """Check that actions whose shape a critic was given join features, and that none is expected before them too."""
    if action_shape is not None and not to_obs_only:
        raise ValueError(
            f"action_shape={action_shape} counts actions in the head, which they reach only with {FLAG}; without it "
            "the preprocess net counts them: Net(state_shape, action_shape, concat=True)"
        )
    if to_obs_only and isinstance(preprocess_net, Net) and preprocess_net.concat:
        raise ValueError(
            f"{preprocess_net!r} expects actions beside observations, but with {FLAG} it sees observations alone; make "
            "it without concat=True and its action_shape"
        )


def flat_actions(act: object, like: Array, expected: int | None, network: object) -> Array:
    """Return actions as `(batch, actions)`, of the number that the network was made for.

    Parameters
    ----------
    act : (batch, ...) array
    like : array
        A parameter.
    expected : int, optional
        The network's number of actions, if it was made with one.
    network : network
        Named in errors.
    """
    if act is None:
        raise ValueError(
            f"{network!r} values observations and actions: pass act of shape (batch, {expected}); for the value of "
            "observations alone make the critic without action_shape"
        )
    actions = flattened(as_input(act, like, "act"), "act")
    if expected is not None and actions.shape[1] != expected:
        raise ValueError(
            f"{network!r} expected act of shape (batch, {expected}), as its action_shape says, but got "
            f"{actions.shape[1]} numbers an action"
        )
    return actions


def check_no_actions(obs: object, act: object) -> None:
    """Check that no actions came beside an observation that is no array."""
    if act is not None:
        raise TypeError(
            f"obs is no array of numbers but a {type(obs).__name__}, which act cannot join before the preprocess net; "
            f"make the critic with {FLAG}, and act joins the features behind it"
        )


def check_batch_axis(obs: Array) -> None:
    """Check that observations can be flattened to `(batch, features)` for a preprocess net of the user's own."""
    if obs.ndim < 2:
        raise ValueError(
            f"obs must have a batch axis and then features, but has shape {obs.shape}; for a single one pass "
            f"obs[None]; for a preprocess net that takes this shape make the critic with {FLAG}"
        )


def joined(name: str, rows: Array, act: Array) -> Array:
    """Return `(batch, features)` or `(members, batch, features)` with actions `(batch, actions)` behind the features.

    Errors call the rows by `name`.
    """
    if rows.shape[-2] != len(act):
        raise ValueError(
            f"{name} and act must have a row for each of the same batch, but have {rows.shape[-2]} and {len(act)}"
        )
    if rows.ndim == 3:
        act = nnp.broadcast_to(act, (rows.shape[0], *act.shape))
    return nnp.concatenate([rows, act], rows.ndim - 1)


def feature_rows(features: Array, obs: object, act: Array | None, inputs: int, flatten: bool, network: object) -> Array:
    """Return a preprocess net's features as one row an observation, once their number is checked.

    Parameters
    ----------
    features : (batch, ...) array
        Or `(members, batch, features)`, which stays as it is without `flatten`.
    obs : any
        The observations, whose number tells an ensemble's features from others.
    act : (batch, actions) array, optional
    inputs : int
        How many numbers the head takes, those of an action included.
    flatten : bool
        Whether an ensemble's features are an error.
    network : network
        Named in errors.
    """
    actions = 0 if act is None else act.shape[1]
    expected = inputs - actions
    if not flatten and features.ndim == 3 and features.shape[2] == expected:
        batches = {batch_size(obs), None if act is None else len(act)}
        if features.shape[1] in batches or batches == {None}:
            return features
    rows = rows_of_one_network(features, obs, expected, "make the critic with flatten_input=False")
    if rows.shape[1] != expected:
        raise ValueError(
            f"{network!r} has a head of {inputs} inputs, but its preprocess net returned features of shape "
            f"{features.shape}, and {f'act has {actions} numbers' if actions else 'no act came'}; "
            + _remedy(rows.shape[1], inputs, actions)
        )
    return rows


def _remedy(features: int, inputs: int, actions: int) -> str:
    if actions and features == inputs:
        return f"make the critic with action_shape={actions}, and the head counts actions among its inputs"
    if not actions and features < inputs:
        return f"pass act, if {inputs - features} of the inputs are an action's"
    return "is its output_dim, or preprocess_net_output_dim, another number than it returns?"
