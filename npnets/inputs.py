"""Validation of a network's inputs, which are converted to the device and dtype of its parameters.

No other module converts or moves arrays. An error quotes the argument by the user's name for it, before any arithmetic.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from npnets import tree
from npnets.autodiff import bare, is_traced
from npnets.autodiff.tracing import may_change
from npnets.backend import Array, asarray_like, device_of, loaded_cupy
from npnets.dtypes import COMPUTED, DType, array_fault, class_fault
from npnets.numpy.broadcasting import to_device
from npnets.numpy.constants import asarray
from npnets.tree import Tree

_OF_A_DICT = (
    "; forward takes the parameters first: forward(params, ...); if observations are dicts, a preprocess net of your "
    "own must make one array of their parts before a layer of this package takes them"
)

_OF_A_PAIRED_DICT = "; it joins another array here, before any network: make one array of its parts first"

_OF_A_RESET = "; gymnasium's reset returns a pair: obs, info = env.reset()"


def first_leaf(leaves: Sequence[Tree]) -> Array:
    """Return the first array among leaves and the trees of own parts; its dtype and device are those of all."""
    if getattr(leaves[0], "dtype", None) in COMPUTED:
        return leaves[0]
    leaf = _find_leaf(leaves)
    if leaf is None:
        raise TypeError(f"expected parameters with at least one array, but got {leaves!r:.80}")
    fault = array_fault(bare(leaf))
    if fault is not None:
        raise TypeError(f"parameters must be float32 or float64 arrays, but one {fault}")
    return leaf


def _find_leaf(params: Tree) -> Array | None:
    """Return the first array of a tree, or `None`; any mapping is a tree here."""
    if hasattr(params, "dtype"):
        return params
    parts: Any = params.values() if hasattr(params, "values") else params if isinstance(params, (list, tuple)) else ()
    return next((leaf for part in parts if (leaf := _find_leaf(part)) is not None), None)


def as_input(value: Any, like: Array, name: str = "obs") -> Array:
    """Convert an observation, action or state to the device and dtype of a parameter.

    Parameters
    ----------
    value : array or nested sequence of numbers
        Traced arrays stay traced.
    like : array
        A parameter.
    name : str
        The name of the value in an error.

    Returns
    -------
    array
        A copy, if the parameter is being differentiated and the value could be refilled before its backward pass.
    """
    if type(value) is np.ndarray and value.dtype == like.dtype:
        if type(like) is np.ndarray:
            return value
        if type(bare(like)) is np.ndarray:
            return value.copy() if is_traced(like) and may_change(value) else value
    found = as_array(value, name)
    if loaded_cupy() is not None:
        _check_movable(found, like, name)
    if not is_traced(found):
        return asarray_like(found.copy() if is_traced(like) and may_change(found) else found, bare(like))
    cast = found if found.dtype == like.dtype else found.astype(like.dtype)
    return cast if loaded_cupy() is None else to_device(cast, device_of(bare(like)))


def as_array(value: Any, name: str = "obs") -> Array:
    """Return a network's input as an array of real numbers of its own dtype; errors call it by `name`."""
    try:
        found = value if hasattr(getattr(value, "dtype", None), "kind") else asarray(value)
    except (TypeError, ValueError) as error:
        hint = _OF_A_RESET if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict) else ""
        raise TypeError(f"{name} must be an array of numbers, but is {value!r:.80} ({error}){hint}") from error
    if isinstance(found, np.ndarray) and type(found) is not np.ndarray and isinstance(found, np.ma.MaskedArray):
        raise TypeError(f"{name} must be an array of numbers, but {class_fault(found)}")
    if found.dtype.kind not in "biuf":
        if isinstance(value, dict):
            hint = _OF_A_DICT if name == "obs" else _OF_A_PAIRED_DICT
            raise TypeError(f"{name} must be an array of real numbers, but is a dict of {list(value)!r:.80}{hint}")
        raise TypeError(f"{name} must be an array of real numbers, but is {value!r:.80}")
    return found


def is_tuple_of_arrays(value: object) -> TypeGuard[tuple[Any, ...]]:
    """Return whether a value is a tuple with an array in it that has axes."""
    return isinstance(value, tuple) and any(getattr(part, "ndim", 0) for part in value)


def is_array_like(value: Any) -> bool:
    """Return whether an observation is an array of real numbers, or a nested sequence of them.

    A tuple of arrays is none: it is an observation of several parts, such as one of gymnasium's `Tuple`.
    """
    if not hasattr(getattr(value, "dtype", None), "kind"):
        if is_tuple_of_arrays(value):
            return False
        try:
            value = asarray(value)
        except (TypeError, ValueError):
            return False
    return value.dtype.kind in "biuf"


def _check_movable(value: object, like: Array, name: str) -> None:
    """Check that an input lies where the parameters lie, or is NumPy's: nothing else is moved."""
    came, there = device_of(bare(value)), device_of(bare(like))
    if came not in ("cpu", there):
        raise TypeError(
            f"{name} lies on {came!r} and the parameters on {there!r}; only NumPy arrays are moved by themselves: "
            "move the parameters or the batch with npnets.tree.to_device(tree, device)"
        )


def inputs_on_device(value: Tree, params: Tree) -> Tree:
    """Move the arrays of an observation or state to the device of parameters, for a network that takes only those."""
    if loaded_cupy() is None:
        return value
    like = _find_leaf(params)
    if like is None:
        return value
    device = device_of(bare(like))
    apart = [leaf for leaf in tree.leaves(value) if _is_numeric(leaf) and device_of(bare(leaf)) != device]
    for leaf in apart:
        _check_movable(leaf, like, "an observation or state")
    return tree.map(lambda leaf: to_device(leaf, device) if _is_numeric(leaf) else leaf, value) if apart else value


def _is_numeric(leaf: object) -> bool:
    return getattr(getattr(leaf, "dtype", None), "kind", "") in tuple("biuf")


def features_for(head: Sequence[Tree], trunk: Tree, features: Array) -> Array:
    """Convert a trunk's features to the dtype of the head's leaves, if the trunk has no parameters to follow."""
    if _find_leaf(trunk) is not None:
        return features
    return as_input(features, first_leaf(head), "the preprocess net's output")


def flattened(x: Array, name: str) -> Array:
    """Return an input as `(batch, features)`, all axes after the first laid out in one."""
    if x.ndim < 2:
        raise ValueError(
            f"{name} must have a batch axis and then features, but has shape {x.shape}; for a single one pass "
            f"{name}[None], for a batch of single numbers {name}[:, None]"
        )
    return x if x.ndim == 2 else x.reshape((x.shape[0], math.prod(x.shape[1:])))


def flattened_features(logits: Array, obs: object, features: int, remedy: str) -> Array:
    """Return a preprocess net's features as `(batch, features)`; those of an ensemble are refused, with a `remedy`."""
    rows_of_features = rows_of_one_network(logits, obs, features, remedy)
    if rows_of_features.shape[1] != features:
        raise ValueError(
            f"the preprocess net returned features of shape {logits.shape}, but {features} features are expected; is "
            "its output_dim, or preprocess_net_output_dim, another number than it returns?"
        )
    return rows_of_features


def rows_of_one_network(logits: Array, obs: object, features: int, remedy: str) -> Array:
    """Flatten features as `flattened_features` does, but for the check of their number."""
    if logits.ndim == 3 and logits.shape != (1, 1, features) and logits.shape[1:] == (batch_size(obs), features):
        raise ValueError(
            f"the preprocess net is an ensemble: its features of shape {logits.shape} cannot be flattened; {remedy}"
        )
    return flattened(logits, "the preprocess net's output")


def batch_size(obs: Any) -> int | None:
    """Return the size of an observation's batch, that of its first array with axes, or `None` if it has none."""
    if getattr(obs, "ndim", 0):
        return int(obs.shape[0])
    if isinstance(obs, Mapping) or (isinstance(obs, tuple) and not is_array_like(obs)):
        parts = obs.values() if isinstance(obs, Mapping) else obs
        return next((rows for part in parts if (rows := batch_size(part)) is not None), None)
    return len(obs) if isinstance(obs, (list, tuple)) else None


def check_width(x: Array, features: int, owner: object) -> None:
    """Check the last axis of a layer's input."""
    if x.ndim < 2:
        raise ValueError(
            f"{owner!r} expected an input with a batch axis, of shape (batch, {features}), but got {x.shape}; for a "
            "single one pass x[None]"
        )
    if x.shape[-1] != features:
        raise ValueError(
            f"{owner!r} expected an input of shape (batch, {features}), but got {x.shape}; do the widths "
            "of observations and actions match those the network was made for (with concat=True if actions come too)?"
        )


def check_layer_input(x: Array, weight: tuple[int, ...], network: object) -> None:
    """Check the shape of a linear layer's input by the shape of its weight, `(in, out)` or `(members, in, out)`."""
    if len(weight) == 3 and x.ndim != 2 and (x.ndim != 3 or x.shape[0] != weight[0]):
        raise ValueError(
            f"{network!r} expected (batch, {weight[1]}) or ({weight[0]}, batch, {weight[1]}), but got {x.shape}"
        )
    check_width(x, weight[-2], network)


def check_dtype(came: DType, parameter: Array, owner: object) -> None:
    """Check that the dtype of a layer's validated input is that of its parameters."""
    if came != parameter.dtype:
        raise TypeError(
            f"{owner!r} has parameters of dtype {parameter.dtype}, but its input has dtype {came}: does a "
            "preprocess net or a layer of your own return another dtype? It can convert its input: "
            "obs = numpy.asarray(obs, params[...].dtype)"
        )
