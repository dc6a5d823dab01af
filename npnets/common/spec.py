"""The parameters of a network, declared once: names, shapes, initial values, and the parts that are networks.

A `Spec` lists them in order. `init` draws from it, a call reads a tree of parameters by it, and whoever needs shapes
without weights (`summary`, `checkpoint`, `interop`) takes them from it.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from npnets import tree
from npnets.autodiff import Traced, bare
from npnets.backend import Array, Device, device_of, parse_device
from npnets.common.protocols import Layer, PreprocessNet
from npnets.common.spec_faults import fault_of
from npnets.description import cached_property
from npnets.dtypes import COMPUTED, DType, class_fault
from npnets.initializers import check_floating, check_generator, uniform_fan_in
from npnets.tree import Params, Tree

Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, ...], DType], Array]

_PLAIN = (np.ndarray, Traced)


class Parameter(NamedTuple):
    """One array of a network: its shape, and the function that draws its initial values."""

    shape: tuple[int, ...]
    draw: Draw


@dataclass(frozen=True)
class Uniform:
    """Draws evenly within one over the square root of `fan_in`."""

    fan_in: int

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DType) -> Array:
        """Return an array of a shape and dtype."""
        return uniform_fan_in(rng, shape, self.fan_in, dtype)


@dataclass(frozen=True)
class Constant:
    """Draws nothing: every entry is one value."""

    value: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DType) -> Array:
        """Return an array of a shape and dtype."""
        return np.full(shape, self.value, dtype)


@dataclass(frozen=True)
class ShapeDtype:
    """The shape and dtype of an array that has not been made."""

    shape: tuple[int, ...]
    dtype: DType


class Spec(Mapping[str, Any]):
    """The parameters of a network, in order.

    Parameters
    ----------
    entries : dict
        By name: a `Parameter`; the `Spec` of a part whose parameters are read together with the network's own; a part
        that runs by its own `forward` and checks its own parameters; or `None` for an array that layers of this kind
        can have and this one lacks, such as a bias.
    device : str, int or None
        Where `init` places arrays.
    """

    def __init__(self, entries: Mapping[str, "Entry"], device: Device = None) -> None:
        self._entries, self._device = dict(entries), device

    def __getitem__(self, name: str) -> Any:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Spec({self._entries!r})"

    @property
    def present(self) -> dict[str, Any]:
        """The entries without those that the network lacks: those that a dict of its parameters holds."""
        return {name: entry for name, entry in self._entries.items() if entry is not None}

    def without(self, name: str) -> "Spec":
        """Return the spec of all other entries."""
        return Spec({key: entry for key, entry in self.items() if key != name}, self._device)

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Draw parameters on the network's device; a tree of one seed is the same on every device."""
        check_generator(rng)
        drawn = {name: _init(entry, rng, dtype) for name, entry in self.present.items()}
        return on_device(drawn, self._device)

    def shapes(self, dtype: DTypeLike = np.float32) -> Params:
        """Return the tree of parameters with a `ShapeDtype` in the place of each array; see `shapes_of`."""
        return shapes_of(self, dtype)

    @cached_property
    def slices(self) -> dict[str, slice]:
        """By the name of an entry: where its leaves stand among those that `read` returns."""
        found, start = {}, 0
        for name, entry in self.items():
            stop = start + (entry.size if isinstance(entry, Spec) else 1)
            found[name], start = slice(start, stop), stop
        return found

    @property
    def has_own_parts(self) -> bool:
        """Whether a part runs by its own `forward`, whose output may have any shape."""
        parts = [entry for entry in self.present.values() if not isinstance(entry, Parameter)]
        return any(part.has_own_parts if isinstance(part, Spec) else True for part in parts)

    @property
    def size(self) -> int:
        """How many leaves `read` returns."""
        return len(self._reader.leaves)

    def read(self, params: Tree, network: object) -> list[Tree]:
        """Check a tree of parameters in one pass, and return its leaves in the order of the spec.

        Parameters
        ----------
        params : dict
        network : network
            Named in errors.

        Returns
        -------
        list
            Arrays of one dtype; `None` for what the network lacks; the whole tree of a part that checks its own.

        Raises
        ------
        TypeError, ValueError
            If keys, shapes or dtypes are not those declared; the message names the path.
        """
        leaves = self._reader.read(params)
        if leaves is None:
            raise fault_of(self, params, network)
        return leaves

    @cached_property
    def _reader(self) -> "_Reader":
        return _Reader(self)


Entry: TypeAlias = Parameter | Spec | Layer | PreprocessNet | None


class _Reader:
    """The places of all leaves in a tree, so that reading them takes little time.

    `dicts`: for each nested dict the number of the dict that holds it, its key, and how many keys it has. `leaves`: for
    each leaf the number of its dict, its key and its shape; no shape for a part that checks its own parameters, and no
    key for an array that the network lacks.
    """

    def __init__(self, spec: Spec) -> None:
        self.keys = len(spec.present)
        self.dicts: list[tuple[int, str, int]] = []
        self.leaves: list[tuple[int, str | None, tuple[int, ...] | None]] = []
        self._add(spec, 0)

    def _add(self, spec: Spec, number: int) -> None:
        for key, entry in spec.items():
            if isinstance(entry, Spec):
                self.dicts.append((number, key, len(entry.present)))
                self._add(entry, len(self.dicts))
            elif isinstance(entry, Parameter):
                self.leaves.append((number, key, entry.shape))
            else:
                self.leaves.append((number, key if entry is not None else None, None))

    def read(self, params: Tree) -> list[Tree] | None:
        """Return all leaves, or `None` if anything differs from what was declared."""
        try:
            return self._leaves(self._dicts(params))
        except (AttributeError, LookupError, TypeError, ValueError):
            return None

    def _dicts(self, params: Tree) -> list[Params]:
        dicts = [params if type(params) is dict else _as_dict(params)]
        if len(dicts[0]) != self.keys:
            raise KeyError
        for number, key, keys in self.dicts:
            part = dicts[number][key]
            part = part if type(part) is dict else _as_dict(part)
            if len(part) != keys:
                raise KeyError
            dicts.append(part)
        return dicts

    def _leaves(self, dicts: list[Params]) -> list[Tree] | None:
        leaves: list[Tree] = []
        dtype = None
        for number, name, shape in self.leaves:
            value: Tree = None if name is None else dicts[number][name]
            if shape is not None:
                found = value.dtype
                if value.shape != shape or (found is not dtype and dtype is not None and found != dtype):
                    return None
                if type(value) not in _PLAIN and class_fault(bare(value)) is not None:
                    return None
                dtype = found
            leaves.append(value)
        return leaves if dtype is None or dtype in COMPUTED else None


def _as_dict(params: Any) -> dict[Any, Any]:
    """Return another mapping as a dict, which, unlike a `defaultdict`, adds no key that it lacks."""
    return {key: params[key] for key in params.keys()}  # noqa: SIM118 (a sequence of pairs has no keys)


def init_part(part: Any, rng: np.random.Generator, dtype: DTypeLike) -> Tree:
    """Return the parameters of a part in a dtype, whether or not its own `init` has an argument for it."""
    if "dtype" in inspect.signature(part.init).parameters:
        return part.init(rng, dtype=dtype)
    return tree.map(lambda leaf: _cast(leaf, part, dtype), part.init(rng))


def _cast(leaf: Tree, part: object, dtype: DTypeLike) -> Array:
    if not hasattr(leaf, "astype"):
        raise TypeError(
            f"init of {part!r:.80} must return a tree of arrays, but it holds {leaf!r:.60}; make each leaf one with "
            "numpy.asarray(x, numpy.float32)"
        )
    return leaf.astype(dtype)


def on_device(params: Params, device: Device) -> Params:
    """Return parameters on the network's device.

    If that is the CPU, the default, and a part of the network drew its own on a GPU, all are moved to that GPU.
    """
    if parse_device(device) is None:
        device = next((found for leaf in tree.leaves(params) if (found := device_of(leaf)) != "cpu"), None)
    return params if device is None else tree.to_device(params, device)


def _init(entry: "Entry", rng: np.random.Generator, dtype: DTypeLike) -> Tree:
    if isinstance(entry, Parameter):
        return entry.draw(rng, entry.shape, check_floating(dtype))
    return init_part(entry, rng, dtype)


def own_spec(network: object) -> "Spec | None":
    """Return the spec that a network's own class declares: a subclass may have other parameters."""
    spec = getattr(network, "spec", None) if "spec" in vars(type(network)) else None
    return spec if isinstance(spec, Spec) else None


def shapes_of(network: object, dtype: DTypeLike = np.float32) -> Tree:
    """Return the parameters of any network with a `ShapeDtype` in the place of each array.

    It draws weights only if the network's own class declares no spec: one of the user's, or a subclass, which may draw
    other parameters than those of the spec that it inherits.
    """
    spec = network if isinstance(network, Spec) else own_spec(network)
    if spec is not None:
        return {name: _shapes(entry, dtype) for name, entry in spec.present.items()}
    drawn = init_part(network, np.random.default_rng(0), dtype)
    return tree.map(lambda leaf: ShapeDtype(leaf.shape, leaf.dtype) if hasattr(leaf, "dtype") else leaf, drawn)


def _shapes(entry: object, dtype: DTypeLike) -> Tree:
    return ShapeDtype(entry.shape, np.dtype(dtype)) if isinstance(entry, Parameter) else shapes_of(entry, dtype)
