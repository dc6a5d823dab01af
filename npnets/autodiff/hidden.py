"""Traced arrays inside objects that are no trees: found, so that none leaves a derivative unnoticed.

A derivative takes the arrays of nested dicts, lists and tuples out of its trace, and those of objects that map a
function over their arrays themselves, by a method `map_arrays(fun)`, as distributions do. Any other object is searched:
a deque, a view of a dict, a namespace, an array of objects, a function's closure.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, GeneratorType, ModuleType

import numpy as np

from npnets import tree
from npnets.autodiff.ownership import is_array
from npnets.autodiff.tracing import belongs_to, is_traced, untrace
from npnets.tree import Tree

_WITHOUT_OBJECTS = "put its arrays into nested dicts, lists and tuples"
_WITH_OBJECTS = (
    f"{_WITHOUT_OBJECTS}, or give the class a method map_arrays(fun) that returns the same object with fun applied to "
    "its arrays"
)
_NOTHING_INSIDE = (type, ModuleType, CodeType, FrameType, BuiltinFunctionType)
_NUMBERS = (str, bytes, bool, int, float, complex)


def map_arrays(
    fun: Callable[[object], object], x: Tree, is_meant: Callable[[object], bool], where: str, into_objects: bool = True
) -> Tree:
    """Apply a function to the leaves of a tree, and to the arrays of objects in it that have a method `map_arrays`.

    Parameters
    ----------
    fun : callable
    x : tree
    is_meant : callable
        Tells of a traced array whether it may not stay inside an object that nobody can look into.
    where : str
        Where the tree stands, for the error's text.
    into_objects : bool
        Whether objects may map over their arrays; else they are objects like any other.

    Raises
    ------
    TypeError
        If another object holds such an array.
    """

    def of_leaf(leaf: object) -> object:
        if is_traced(leaf) or not _may_hold(leaf):
            return fun(leaf)
        if into_objects and hasattr(leaf, "map_arrays"):
            return leaf.map_arrays(of_leaf)
        if _holds(leaf, is_meant):
            raise TypeError(
                f"{where} holds an array that is being differentiated inside of a {type(leaf).__name__}, which is no "
                f"tree; {_WITH_OBJECTS if into_objects else _WITHOUT_OBJECTS}"
            )
        return fun(leaf)

    if any(_holds([key], is_meant) for key in _keys(x)):
        raise TypeError(f"{where} holds an array that is being differentiated as a key of a dict; keys are texts")
    return tree.map(of_leaf, x)


def untraced(x: Tree, trace: int, is_aux: bool = False) -> Tree:
    """Take the arrays that a function returned out of the trace of this number."""
    where = "aux" if is_aux else "what the function returned"
    return map_arrays(lambda leaf: untrace(leaf, trace), x, lambda leaf: belongs_to(leaf, trace), where, is_aux)


def _keys(x: Tree) -> Iterator[object]:
    """Go through the keys of all dicts of a tree that are no texts."""
    if isinstance(x, dict):
        yield from (key for key in x if type(key) is not str)
    for part in x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else ():
        yield from _keys(part)


def _may_hold(x: object) -> bool:
    if isinstance(x, (np.ndarray, np.generic)):
        return x.dtype.hasobject
    return x is not None and not is_array(x) and type(x) not in _NUMBERS and not isinstance(x, _NOTHING_INSIDE)


def _holds(x: object, is_meant: Callable[[object], bool]) -> bool:
    """Tell whether an object leads to such an array; every object on the way is visited once."""
    pending, seen = [x], {id(x): x}
    while pending:
        for part in _parts(pending.pop()):
            if is_traced(part):
                if is_meant(part):
                    return True
            elif id(part) not in seen and _may_hold(part):
                seen[id(part)] = part
                pending.append(part)
    return False


def _parts(x: object) -> Iterable[object]:
    if isinstance(x, np.ndarray):  # the garbage collector does not look into NumPy's arrays
        return x.ravel().tolist()
    if isinstance(x, FunctionType):  # not into its module's globals
        return x.__closure__, x.__defaults__, x.__kwdefaults__, x.__dict__
    if isinstance(x, GeneratorType):
        return list(x.gi_frame.f_locals.values()) if x.gi_frame is not None else ()
    return gc.get_referents(x)
