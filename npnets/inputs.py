"""A network's door: what comes in is checked, and brought to the backend and dtype of the parameters.

Nothing is moved or cast anywhere else. What is wrong is said in the user's words, before any arithmetic.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast

import numpy as np

from npnets import tree
from npnets.autodiff import bare, is_traced
from npnets.autodiff.tracing import may_change
from npnets.backend import Array, asarray_like, check_one_device, current_device, device_of, loaded_cupy
from npnets.dtypes import COMPUTED, array_fault, class_fault
from npnets.numpy.broadcasting import to_device
from npnets.numpy.constants import asarray

F = TypeVar("F", bound=Callable[..., Any])

_THE_CPU = nullcontext()
_OF_A_DICT = (
    "; forward takes the parameters first: forward(params, ...); for observations that are dicts, write a preprocess "
    "net of your own"
)


def check_keys(params: Any, names: Sequence[str], owner: object) -> None:
    """Check that parameters have just the keys that a network gave them.

    Raises
    ------
    TypeError
        If they are no dict.
    ValueError
        If keys are missing or left over.
    """
    try:
        if len(params) == len(names) and all(map(params.__contains__, names)):
            return
        found = list(params.keys())
    except (TypeError, AttributeError):
        raise TypeError(
            f"expected the parameters of {owner!r} as a dict with the keys {list(names)}, but got a "
            f"{type(params).__name__}; forward takes the parameters first: forward(params, ...)"
        ) from None
    missing, extra = [n for n in names if n not in found], [n for n in found if n not in names]
    faults = [f"lack {missing}"] * bool(missing) + [f"have {extra} besides"] * bool(extra)
    raise ValueError(
        f"the parameters of {owner!r} must have the keys {list(names)}, but {' and '.join(faults)}; were they made by "
        "another network?"
    )


def check_parameter(value: Any, shape: tuple[int, ...], name: str, owner: object) -> Any:
    """Return one parameter if it is a floating-point array of the expected shape."""
    if getattr(value, "shape", None) != shape:
        found = f"has shape {value.shape}" if hasattr(value, "shape") else f"is a {type(value).__name__}"
        raise ValueError(
            f"parameter {name!r} of {owner!r} must be an array of shape {shape}, but {found}; was it made by another "
            "network?"
        )
    fault = array_fault(bare(value))
    if fault is not None:
        raise TypeError(f"parameter {name!r} of {owner!r} must be a float32 or float64 array, but {fault}")
    return value


def check_parameters(params: Any, shapes: Mapping[str, tuple[int, ...]], came: Any, owner: object) -> list[Any]:
    """Return a layer's parameters if they have its keys and shapes, and the dtype that its input came in.

    Raises
    ------
    TypeError, ValueError
        As `check_keys`, `check_parameter` and `check_dtype`.
    """
    if not _fit(params, shapes, came):
        check_keys(params, tuple(shapes), owner)
        for value in [check_parameter(params[name], shape, name, owner) for name, shape in shapes.items()]:
            check_dtype(came, value, owner)
    return [params[name] for name in shapes]


def _fit(params: Any, shapes: Mapping[str, tuple[int, ...]], came: Any) -> bool:
    """Tell in little time whether parameters are as expected, which they nearly always are."""
    if type(params) is not dict or len(params) != len(shapes) or came not in COMPUTED:
        return False
    for name, shape in shapes.items():
        value: Any = params.get(name)
        if getattr(value, "shape", None) != shape or value.dtype != came or class_fault(bare(value)) is not None:
            return False
    return True


def follows_params(forward: F) -> F:
    """Make a network's method compute where its parameters lie; parameters on two devices are refused."""

    @functools.wraps(forward)
    def run(network: Any, params: Any, *args: Any, **kwargs: Any) -> Any:
        if loaded_cupy() is None:  # asked here too, because to enter even an empty context shows in a small network
            return forward(network, params, *args, **kwargs)
        with on_one_device(params, lambda: f"the parameters of {network!r}"):
            return forward(network, params, *args, **kwargs)

    return cast(F, run)


def on_one_device(arrays: Any, what: Callable[[], str]) -> AbstractContextManager[Any]:
    """Return a context in which the GPU that a tree lies on is the one that CuPy computes on.

    Raises
    ------
    TypeError
        If leaves lie on different devices; the message names them.
    """
    if loaded_cupy() is None:
        return _THE_CPU
    leaves = [bare(leaf) for leaf in tree.leaves(arrays)]
    check_one_device(leaves, what, lambda: tree.paths(arrays))
    return current_device(next((leaf for leaf in leaves if hasattr(leaf, "dtype")), None))


def first_leaf(params: Any) -> Any:
    """Return some array of a tree of parameters: it stands for the backend and dtype of all."""
    leaf = _find_leaf(params)
    if leaf is None:
        raise TypeError(f"expected a dict of arrays as parameters, but got {params!r:.80}")
    fault = array_fault(bare(leaf))
    if fault is not None:
        raise TypeError(f"parameters must be float32 or float64 arrays, but one {fault}")
    return leaf


def _find_leaf(params: Any) -> Any:
    if hasattr(params, "dtype"):
        return params
    for part in params.values() if hasattr(params, "values") else ():
        leaf = _find_leaf(part)
        if leaf is not None:
            return leaf
    return None


def as_input(value: Any, like: Any, name: str = "obs") -> Array:
    """Bring an observation, action or state to the backend and dtype of a parameter.

    Parameters
    ----------
    value : array or nested sequence of numbers
        Traced arrays stay traced.
    like : array
        A parameter.
    name : str
        What the value is, for the error's text.

    Returns
    -------
    array
        A copy, if the parameter is being differentiated and the value could be refilled before its backward pass.
    """
    if type(value) is np.ndarray and value.dtype == like.dtype and type(bare(like)) is np.ndarray:
        return value.copy() if is_traced(like) and may_change(value) else value
    try:
        found = value if hasattr(getattr(value, "dtype", None), "kind") else asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers, but is {value!r:.80} ({error})") from error
    if isinstance(found, np.ndarray) and type(found) is not np.ndarray and isinstance(found, np.ma.MaskedArray):
        raise TypeError(f"{name} must be an array of numbers, but {class_fault(found)}")
    if found.dtype.kind not in "biuf":
        hint = _OF_A_DICT if isinstance(value, dict) else ""
        raise TypeError(f"{name} must be an array of real numbers, but is {value!r:.80}{hint}")
    if loaded_cupy() is not None:
        _check_movable(found, like, name)
    if not is_traced(found):
        return asarray_like(found.copy() if is_traced(like) and may_change(found) else found, bare(like))
    cast = found if found.dtype == like.dtype else found.astype(like.dtype)
    return cast if loaded_cupy() is None else to_device(cast, device_of(bare(like)))


def _check_movable(value: Any, like: Any, name: str) -> None:
    """Check that an input lies where the parameters lie, or is NumPy's: nothing else is moved."""
    came, there = device_of(bare(value)), device_of(bare(like))
    if came not in ("cpu", there):
        raise TypeError(
            f"{name} lies on {came!r} and the parameters on {there!r}; only NumPy arrays are moved by themselves: "
            "bring the parameters over, or the batch, with npnets.tree.to_device(tree, device)"
        )


def brought(value: Any, params: Any) -> Any:
    """Bring the arrays of an observation or state to the device of parameters, for a network that only takes those."""
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


def _is_numeric(leaf: Any) -> bool:
    return getattr(getattr(leaf, "dtype", None), "kind", "") in tuple("biuf")


def as_array(value: Any) -> Array:
    """Return a network's input as an array of its own dtype, where there is no parameter to follow."""
    return value if hasattr(value, "dtype") else np.asarray(value)


def features_for(head: Any, trunk: Any, features: Any) -> Any:
    """Bring a trunk's features to the dtype of the head's parameters, if the trunk has no parameters to follow."""
    if _find_leaf(trunk) is not None:
        return features
    return as_input(features, first_leaf(head), "the preprocess net's answer")


def flattened(x: Array, name: str) -> Array:
    """Return an input as `(batch, features)`, all axes after the first laid out in one."""
    if x.ndim < 2:
        raise ValueError(
            f"{name} must have a batch axis and then features, but has shape {x.shape}; for a single one pass "
            f"{name}[None], for a batch of single numbers {name}[:, None]"
        )
    return x if x.ndim == 2 else x.reshape((x.shape[0], math.prod(x.shape[1:])))


def flattened_features(logits: Array, obs: Any, features: int, remedy: str) -> Array:
    """Return a preprocess net's features as `(batch, features)`; those of an ensemble are refused, with a `remedy`."""
    rows = obs.shape[0] if getattr(obs, "ndim", 0) else len(obs) if isinstance(obs, (list, tuple)) else None
    if logits.ndim == 3 and logits.shape[1:] == (rows, features) and logits.shape != (1, 1, features):
        raise ValueError(
            f"the preprocess net is an ensemble: its features of shape {logits.shape} cannot be flattened; {remedy}"
        )
    return flattened(logits, "the preprocess net's answer")


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


def check_dtype(came: Any, parameter: Array, owner: object) -> None:
    """Check that the dtype of an input that is past the door is the parameters'."""
    if came != parameter.dtype:
        raise TypeError(
            f"{owner!r} has parameters of dtype {parameter.dtype}, but its input came as {came}: parameters of two "
            "dtypes in one tree, or a preprocess net that answers in a dtype of its own? It can cast what comes in: "
            "obs = numpy.asarray(obs, params[...].dtype)"
        )
