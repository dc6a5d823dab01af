"""One way to compute where arrays lie: on a GPU, CuPy allocates and launches on the device that is current."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from npnets import tree
from npnets.autodiff.tracing import bare
from npnets.backend import check_one_device, device_of, loaded_cupy, using
from npnets.tree import Tree

_CPU = nullcontext()


def computing_where(x: Tree, what: str | Callable[[], str] = "") -> AbstractContextManager[object]:
    """Return a context in which CuPy computes on the GPU that a tree lies on; without a GPU it changes nothing.

    Parameters
    ----------
    x : tree of arrays, which may be traced
    what : str or callable, optional
        The name of the tree for an error, or a function that returns it. With it all leaves are checked to lie on one
        device.

    Raises
    ------
    TypeError
        If they do not; the message names them.
    """
    if loaded_cupy() is None:
        return _CPU
    leaves = [bare(leaf) for leaf in tree.leaves(x)]
    if what:
        check_one_device(leaves, lambda: what if isinstance(what, str) else what(), lambda: tree.paths(x))
    return using(next((device for leaf in leaves if (device := device_of(leaf)) != "cpu"), None))
