"""Calls of every differentiable function of `npnets.numpy`, and what NumPy and SciPy answer to the same calls.

`TABLE` holds at least one call of each function, as a function of the module that it is taken from (`npnets.numpy`, or
NumPy with SciPy's functions added) and of arrays: those of the running backend for the first, NumPy's for the second.
"""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as onp
import pytest
import scipy.special
from backends import on_backend

_SCIPY = {name: getattr(scipy.special, name) for name in ("erf", "logsumexp", "softmax")}


def _masked(reduction: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's reduction of those entries that a mask selects."""
    return lambda x, mask, axis=None, keepdims=False: reduction(x, axis=axis, keepdims=keepdims, where=mask)


_OURS = {
    "masked_sum": _masked(onp.sum),
    "masked_mean": _masked(onp.mean),
    "linalg": types.SimpleNamespace(norm=onp.linalg.norm),
}
REFERENCE = types.SimpleNamespace(**{**vars(onp), **_SCIPY, **_OURS})
"""What values are held against: NumPy's functions of the same names, and SciPy's."""

Draw = Callable[[onp.random.Generator], Any]


class Case(NamedTuple):
    """A call of one function, `fun(module, *arrays)`, and how its arrays are drawn."""

    name: str
    fun: Callable[..., Any]
    draws: tuple[Draw, ...]

    def arrays(self, seed: int, dtype: type = onp.float64) -> tuple[Any, ...]:
        """Return the arrays to call it with, on the running backend."""
        return on_backend(self.numpy_arrays(seed, dtype))

    def numpy_arrays(self, seed: int, dtype: type = onp.float64) -> tuple[Any, ...]:
        """Return the same arrays as NumPy's, to call the reference with."""
        rng = onp.random.default_rng(seed)
        return tuple(onp.asarray(draw(rng), dtype) for draw in self.draws)


def real(*shape: int) -> Draw:
    """Any numbers."""
    return lambda rng: rng.normal(size=shape)


def positive(*shape: int) -> Draw:
    """Numbers away from zero, above it."""
    return lambda rng: rng.uniform(0.5, 2.0, shape)


def nonzero(*shape: int) -> Draw:
    """Numbers of both signs, away from zero."""
    return lambda rng: rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)


def distinct(*shape: int, shift: float = 0.0) -> Draw:
    """Numbers at least 0.2 apart from each other, so that no step of a difference crosses a tie."""
    return lambda rng: 0.2 * rng.permutation(int(onp.prod(shape))).reshape(shape) + shift - 0.91


def beside(module: Any, constant: Any) -> Any:
    """A constant array of a call, brought to where the arrays lie that this module's function is called with."""
    return constant if module is REFERENCE else on_backend(constant)


MASK = onp.array([[True, False, True], [False, False, True]])
SOMETHING_EVERYWHERE = onp.array([[True, False, True], [False, True, True]])
ROWS = onp.array([0, 1, 0, 0])
BROADCAST = [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 3), ()),
    ((), (2, 3)),
    ((2, 1), (1, 3)),
    ((4, 1, 3), (2, 1)),
    ((1,), (2, 3)),
    ((1, 1), (3,)),
    ((0, 3), (1, 3)),
]
AXES: list[dict[str, Any]] = [
    {},
    {"axis": 0},
    {"axis": -1, "keepdims": True},
    {"axis": (0, 2)},
    {"axis": (-1, 0), "keepdims": True},
    {"axis": 1},
    {"keepdims": True},
]


def _unary() -> list[Case]:
    draws = {"log": positive, "log1p": positive, "sqrt": positive, "abs": nonzero, "absolute": nonzero}
    names = "exp expm1 log log1p tanh sqrt square abs absolute sin cos erf negative ravel".split()
    return [Case(name, lambda m, x, n=name: getattr(m, n)(x), (draws.get(name, real)(2, 3),)) for name in names]


def _binary() -> list[Case]:
    second = {"divide": nonzero, "true_divide": nonzero}
    cases = []
    names = "add subtract multiply divide true_divide power maximum minimum".split()
    for name, (a, b) in itertools.product(names, BROADCAST):
        first_draw = positive(*a) if name == "power" else distinct(*a)
        second_draw = distinct(*b, shift=0.1) if name in ("maximum", "minimum") else second.get(name, real)(*b)
        cases.append(Case(name, lambda m, x, y, n=name: getattr(m, n)(x, y), (first_draw, second_draw)))
    for name in names:
        cases.append(Case(name, lambda m, x, n=name: getattr(m, n)(x, 0.75), (positive(2, 3),)))
        cases.append(Case(name, lambda m, x, n=name: getattr(m, n)(1.75, x), (positive(2, 3),)))
        cases.append(Case(name, lambda m, x, n=name: getattr(m, n)(x, x * x), (positive(3),)))
    return cases


def _reductions() -> list[Case]:
    cases = []
    for name, options in itertools.product("sum mean var std max min logsumexp".split(), AXES):
        cases.append(Case(name, lambda m, x, n=name, o=options: getattr(m, n)(x, **o), (distinct(2, 3, 4),)))
    for name in ("var", "std"):
        cases.append(Case(name, lambda m, x, n=name: getattr(m, n)(x, axis=1, ddof=1), (real(2, 4),)))
    for name, options in itertools.product(
        ("masked_sum", "masked_mean"), ({}, {"axis": 0}, {"axis": -1, "keepdims": True})
    ):
        cases.append(
            Case(
                name,
                lambda m, x, n=name, o=options: getattr(m, n)(x, beside(m, SOMETHING_EVERYWHERE), **o),
                (real(2, 3),),
            )
        )
    for options in (
        {},
        {"axis": 1},
        {"axis": (0, 2), "keepdims": True},
        {"ord": 2, "axis": 0},
        {"ord": "fro", "axis": (1, 2)},
    ):
        cases.append(Case("norm", lambda m, x, o=options: m.linalg.norm(x, **o), (real(2, 3, 4),)))
    for axis in (-1, 0, 1):
        cases.append(Case("softmax", lambda m, x, a=axis: m.softmax(x, axis=a), (real(2, 3, 2),)))
    return cases


def _matmul() -> list[Case]:
    shapes = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4))]
    shapes += [((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,))]
    shapes += [((2, 1, 2, 3), (5, 3, 4)), ((1, 3), (3, 1)), ((2, 0), (0, 3))]
    return [Case("matmul", lambda m, x, y: m.matmul(x, y), (real(*a), real(*b))) for a, b in shapes]


def _shaping() -> list[Case]:
    calls: list[tuple[str, Callable[..., Any]]] = [
        ("reshape", lambda m, x: m.reshape(x, (4, -1))),
        ("reshape", lambda m, x: m.reshape(x, -1)),
        ("transpose", lambda m, x: m.transpose(x)),
        ("transpose", lambda m, x: m.transpose(x, (2, 0, 1))),
        ("transpose", lambda m, x: m.transpose(x, (-2, -1, 0))),
        ("swapaxes", lambda m, x: m.swapaxes(x, 0, -1)),
        ("expand_dims", lambda m, x: m.expand_dims(x, 1)),
        ("expand_dims", lambda m, x: m.expand_dims(x, (0, -1))),
        ("squeeze", lambda m, x: m.squeeze(x[:, :1])),
        ("squeeze", lambda m, x: m.squeeze(x[:1, :, :1], axis=-1)),
        ("squeeze", lambda m, x: m.squeeze(x[:1, :, :1], axis=(0, 2))),
        ("broadcast_to", lambda m, x: m.broadcast_to(x, (3, 2, 3, 4))),
        ("broadcast_to", lambda m, x: m.broadcast_to(x[:, :1], (2, 5, 4))),
        ("repeat", lambda m, x: m.repeat(x, 3, axis=1)),
        ("repeat", lambda m, x: m.repeat(x, 2, axis=-1)),
        ("repeat", lambda m, x: m.repeat(x, 2)),
        ("astype", lambda m, x: m.astype(x, onp.float64) * 2),
        ("asarray", lambda m, x: m.asarray([x[0], x[1], x[0]])),
        ("array", lambda m, x: m.array([x[0, 0, 0], x[1, 2, 3], 1.0])),
        ("concatenate", lambda m, x: m.concatenate([x, x * x, x], axis=-1)),
        ("concatenate", lambda m, x: m.concatenate([x, 2 * x[:1]])),
        ("concatenate", lambda m, x: m.concatenate([x, x[0]], axis=None)),
        ("stack", lambda m, x: m.stack([x[0], x[1] * 3], axis=1)),
        ("stack", lambda m, x: m.stack([x, x], axis=-1)),
        ("stack", lambda m, x: m.stack([x[0, 0, 0], 1.0, x[1, 1, 1]])),
    ]
    joined: list[tuple[str, Callable[..., Any]]] = [
        ("concatenate", lambda m, x, y: m.concatenate([x, y], axis=1)),
        ("concatenate", lambda m, x, y: m.concatenate((y, beside(m, onp.ones((2, 2))), x), axis=-1)),
        ("stack", lambda m, x, y: m.stack([x[:, 0], y[:, 1]])),
    ]
    cases = [Case(name, fun, (real(2, 3, 4),)) for name, fun in calls]
    return cases + [Case(name, fun, (real(2, 3), real(2, 2))) for name, fun in joined]


def _choices() -> list[Case]:
    low, high = onp.array([[-0.5], [0.0]]), onp.array([0.3, 0.5, 1.05])
    return [
        Case("where", lambda m, x, y: m.where(beside(m, MASK), x, y), (real(2, 3), real(2, 3))),
        Case("where", lambda m, x, y: m.where(beside(m, MASK), x, y), (real(3), real(2, 1))),
        Case("where", lambda m, x, y: m.where(beside(m, MASK[0]), x, y), (real(4, 1), real())),
        Case("where", lambda m, x: m.where(m.greater(x, 0.05), x * x, 0.0), (distinct(2, 3),)),
        Case("clip", lambda m, x: m.clip(x, -0.5, 0.5), (distinct(2, 5),)),
        Case("clip", lambda m, x: m.clip(x, None, 0.3), (distinct(2, 5),)),
        Case("clip", lambda m, x: m.clip(x, -0.3, None), (distinct(2, 5),)),
        Case("clip", lambda m, x: m.clip(x, beside(m, low), beside(m, high)), (distinct(3),)),
        Case("clip", lambda m, x: m.clip(x, -1.05, beside(m, high)), (distinct(2, 1),)),
    ]


def _indexing() -> list[Case]:
    indices: list[Any] = [1, -1, (0, 2), slice(None, None, -1), (slice(None), slice(1, None, 2)), (Ellipsis, 0)]
    indices += [(None, 0, Ellipsis, None), (0, 1, 2), ROWS, [1, 1], (ROWS, onp.array([2, 1, 2, 0])), (ROWS, 1)]
    indices += [(slice(None), onp.array([[0, 2], [2, 2]])), (0, slice(None), ROWS), (ROWS, slice(None), 1), MASK]
    indices += [(MASK, 0), (onp.array([True, False]), Ellipsis, onp.int64(1)), (None, onp.array(1)), ()]
    return [Case("indexing", lambda m, x, i=index: x[i], (real(2, 3, 4),)) for index in indices]


TABLE = [*_unary(), *_binary(), *_reductions(), *_matmul(), *_shaping(), *_choices(), *_indexing()]


def each_case_that(chosen: Callable[[Case], bool]) -> pytest.MarkDecorator:
    """The mark that runs a test for each chosen case of the table."""
    params = [pytest.param(case, id=f"{case.name}-{i}") for i, case in enumerate(TABLE) if chosen(case)]
    return pytest.mark.parametrize("case", params)


each_case = each_case_that(lambda case: True)
each_pair = each_case_that(lambda case: len(case.draws) == 2)
