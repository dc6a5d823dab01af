"""Moving trees to another device."""

from typing import Any, TypeVar

from npnets import backend
from npnets.backend import Device
from npnets.tree.structure import Tree, map

T = TypeVar("T")


def to_device(tree: T, device: Device) -> T:
    """Bring all arrays of a tree to a device: parameters, an optimizer's state, a batch.

    Parameters
    ----------
    tree : tree
        Leaves that are no arrays, such as the step that an optimizer counts, stay as they are.
    device : str, int or None
        `"cpu"` or `None`; `"cuda"` for the first GPU; `"cuda:1"` or `1` for the second. `npnets.backend.available()`
        lists those that there are.

    Returns
    -------
    tree
        A new tree; arrays that lie on that device already are not copied.

    Raises
    ------
    ImportError
        If the device is a GPU, and CuPy is not installed or does not load.
    RuntimeError
        If there is no driver, the driver is too old, or that GPU is not there.
    TypeError
        If a leaf is a network, which holds no arrays.
    ValueError
        If that is no device.
    """
    try:
        backend.parse_device(device)
    except ValueError as error:
        raise ValueError(f"{error}; the order is to_device(tree, device)") from None
    moved: Tree = map(lambda leaf: _moved(leaf, device), tree)
    return moved


def _moved(leaf: Any, device: Device) -> Any:
    if hasattr(leaf, "forward"):
        raise TypeError(f"a network holds no arrays: move its parameters, not {leaf!r:.80}")
    return backend.to_device(leaf, device) if hasattr(leaf, "dtype") else leaf


def to_numpy(tree: T) -> T:
    """Return a tree with all its CuPy arrays copied from their GPUs; what is NumPy's already is not copied."""
    moved: Tree = map(backend.to_numpy, tree)
    return moved
