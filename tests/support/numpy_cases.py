"""Calls of every differentiable function of `npnets.numpy`, and the results of NumPy and SciPy for the same calls.

`TABLE` holds at least one call of each function. A call is written as an expression of `m`, the module that its
functions are taken from (`npnets.numpy`, or NumPy with SciPy's functions added), and of `x` and `y`, the arrays: those
of the running backend for the first module, NumPy's for the second.
"""

from __future__ import annotations

import itertools
import re
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.special
from backends import on_backend
from grouped_cases import grouped

_SCIPY = {name: getattr(scipy.special, name) for name in ("erf", "logsumexp", "softmax")}


def _masked(reduction: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's reduction over the entries that a mask selects."""
    return lambda x, mask, axis=None, keepdims=False: reduction(x, axis=axis, keepdims=keepdims, where=mask)


_OURS = {
    "masked_sum": _masked(np.sum),
    "masked_mean": _masked(np.mean),
    "linalg": types.SimpleNamespace(norm=np.linalg.norm),
}
REFERENCE = types.SimpleNamespace(**{**vars(np), **_SCIPY, **_OURS})
"""The reference: NumPy's functions of the same names, and SciPy's."""

Draw = Callable[[np.random.Generator], Any]


class Case(NamedTuple):
    """A call `fun(module, *arrays)` of the function `name`, written as `text`, and how its arrays are drawn."""

    name: str
    text: str
    fun: Callable[..., Any]
    draws: tuple[Draw, ...]

    def arrays(self, seed: int, dtype: type = np.float64) -> tuple[Any, ...]:
        """Return the arrays to call it with, on the running backend."""
        return on_backend(self.numpy_arrays(seed, dtype))

    def numpy_arrays(self, seed: int, dtype: type = np.float64) -> tuple[Any, ...]:
        """Return the same arrays on NumPy, to call the reference with."""
        rng = np.random.default_rng(seed)
        return tuple(np.asarray(draw(rng), dtype) for draw in self.draws)


def _case(text: str, *draws: Draw) -> Case:
    """Return the case of a call; its name is that of the first function called, or `indexing`."""
    found = re.match(r"m\.(?:linalg\.)?(\w+)", text)
    text = text.replace(", )", ")")
    fun = eval(f"lambda m, {', '.join('xy'[: len(draws)])}: {text}", globals())
    shapes = [np.shape(draw(np.random.default_rng(0))) for draw in draws]
    written = f"{text} for x {shapes[0]}" + (f", y {shapes[1]}" if len(shapes) == 2 else "")
    return Case(found[1] if found else "indexing", written, fun, draws)


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
    return lambda rng: 0.2 * rng.permutation(int(np.prod(shape))).reshape(shape) + shift - 0.91


def beside(module: Any, constant: Any) -> Any:
    """Return a constant array of a call on the device of the arrays of this module's functions."""
    return constant if module is REFERENCE else on_backend(constant)


MASK = np.array([[True, False, True], [False, False, True]])
SOMETHING_EVERYWHERE = np.array([[True, False, True], [False, True, True]])
BROKEN = np.array([2.0, np.nan, np.inf, -np.inf], np.float32)
ROWS = np.array([0, 1, 0, 0])
COLUMNS = np.array([[[1, 3, 0], [2, 2, 2], [0, 1, 2]], [[3, 3, 1], [0, 2, 1], [1, 0, 3]]])
LOW, HIGH = np.array([[-0.5], [0.0]]), np.array([0.3, 0.5, 1.05])
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
AXES = ["", "axis=0", "axis=-1, keepdims=True", "axis=(0, 2)", "axis=(-1, 0), keepdims=True", "axis=1", "keepdims=True"]
SHAPING = [
    "m.reshape(x, (4, -1))",
    "m.reshape(x, -1)",
    "m.transpose(x)",
    "m.transpose(x, (2, 0, 1))",
    "m.transpose(x, (-2, -1, 0))",
    "m.swapaxes(x, 0, -1)",
    "m.expand_dims(x, 1)",
    "m.expand_dims(x, (0, -1))",
    "m.squeeze(x[:, :1])",
    "m.squeeze(x[:1, :, :1], axis=-1)",
    "m.squeeze(x[:1, :, :1], axis=(0, 2))",
    "m.broadcast_to(x, (3, 2, 3, 4))",
    "m.broadcast_to(x[:, :1], (2, 5, 4))",
    "m.astype(x, np.float64) * 2",
    "m.asarray([x[0], x[1], x[0]])",
    "m.array([x[0, 0, 0], x[1, 2, 3], 1.0])",
    "m.concatenate([x, x * x, x], axis=-1)",
    "m.concatenate([x, 2 * x[:1]])",
    "m.concatenate([x, x[0]], axis=None)",
    "m.stack([x[0], x[1] * 3], axis=1)",
    "m.stack([x, x], axis=-1)",
    "m.stack([x[0, 0, 0], 1.0, x[1, 1, 1]])",
    "m.hstack([x, x * x])",
    "m.hstack([x[0, 0], 1.0, x[1, 1, 1]])",
    "m.vstack([x, x[:1]])",
    "m.vstack([x[0, 0, 0], 1.0])",
    "m.vstack([x[0, 0], x[1, 1], [0.5, 1, 2, 3]])",
]
JOINING = [
    "m.concatenate([x, y], axis=1)",
    "m.concatenate((y, beside(m, np.ones((2, 2))), x), axis=-1)",
    "m.stack([x[:, 0], y[:, 1]])",
    "m.hstack([x, y])",
    "m.hstack([x[0], y[1]])",
    "m.vstack([x[:, 0], y])",
]
SORTING = [
    "m.sort(x)",
    "m.sort(x, axis=0)",
    "m.sort(x, axis=-2)",
    "m.sort(x, axis=None)",
    "m.take_along_axis(x, beside(m, COLUMNS), axis=-1)",
    "m.take_along_axis(x, beside(m, COLUMNS[:1, :1]), axis=2)",
    "m.take_along_axis(x[:1, :1], beside(m, COLUMNS), 2)",
    "m.take_along_axis(x, beside(m, COLUMNS[..., :1] - 2), axis=1)",
    "m.take_along_axis(x, beside(m, np.array([5, -1, 5, 0])), axis=None)",
]
ACCUMULATING = [
    *(f"m.{name}(x, {axis})" for name in ("cumsum", "cumprod") for axis in ("", "axis=0", "axis=1", "axis=-1")),
    "m.diff(x)",
    "m.diff(x, 2)",
    "m.diff(x, n=5, axis=1)",
    "m.diff(x, axis=0, prepend=x[:1], append=0.5)",
    "m.diff(x, 0)",
    "m.diff(x, axis=1, append=x[:, :1])",
    "m.prod(x[:, :1], axis=2)",
]
TILING = [
    "m.repeat(x, 3, axis=1)",
    "m.repeat(x, 2, axis=-1)",
    "m.repeat(x, 2)",
    "m.repeat(x, [2, 0, 3], axis=1)",
    "m.repeat(x, np.arange(24) % 3)",
    "m.repeat(x, [2], axis=0)",
    "m.tile(x, 2)",
    "m.tile(x, (2, 1, 3))",
    "m.tile(x, (2, 1, 1, 2))",
    "m.tile(x, (3, 1))",
    "m.tile(x, 0)",
    "m.tile(x[0, 0, 0], 3)",
    "m.roll(x, 1)",
    "m.roll(x, -7)",
    "m.roll(x, 2, axis=1)",
    "m.roll(x, (1, -1), axis=(0, -1))",
    "m.roll(x, 1, axis=(1, 1))",
    "m.roll(x, (3, 2), axis=2)",
]
SUBSCRIPTS = {  # by the shapes of x and y
    ((2, 3), (3, 4)): "ij,jk->ik ij,jk ij,jk->ki ij,jk->j ij,jk->ijk ij,jk-> ba,ac",
    ((5, 2, 3), (5, 3, 4)): "bij,bjk->bik bij,bjk->ikb bij,bjk->ij bij,bjk",
    ((2, 3), (2, 3)): "ij,ij->i ij,ij ij,ij->ji ij,ij->ij ij,kl->iljk i...,i...->...",
    ((2, 3), (4, 2, 3)): "...,...->... ...j,...j->... ij,...j->...i ...i,...i",
    ((2, 1), (3, 4)): "ij,jk->ik ij,jk->ijk i...,...k->i...k",
    ((3, 3), (3,)): "ii,i-> ii,i->i ij,j->i ji,i ij,i->j",
    ((), (2,)): ",i->i ,i ...,i->i",
    ((0, 2), (2, 3)): "ij,jk->ik ij,jk->k",
}
SINGLE = {
    (3, 3, 2): "iij->ij iij->j iij iij-> ijk->kji ... ...j->j... i...->... kji",
    (2, 2, 2): "iii->i iii",
    (): "->",
}
DOT = [
    *(((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((), (2, 3)), ((2,), ()), ((5, 2, 3), (4, 3, 2))),
    *(((2, 3), (4, 3, 2)), ((3,), (4, 3, 2)), ((5, 2, 3), (3,)), ((5, 2, 3), (3, 1)), ((0, 3), (2, 3, 1))),
    ((2, 0), (2, 0, 3)),
]
OUTER = [((2,), (3,)), ((2, 2), (3,)), ((), (3,)), ((2, 3), ()), ((0,), (2,))]
INDEXING = [
    "x[1]",
    "x[-1]",
    "x[0, 2]",
    "x[::-1]",
    "x[:, 1::2]",
    "x[..., 0]",
    "x[None, 0, ..., None]",
    "x[0, 1, 2]",
    "x[ROWS]",
    "x[[1, 1]]",
    "x[ROWS, np.array([2, 1, 2, 0])]",
    "x[ROWS, 1]",
    "x[:, np.array([[0, 2], [2, 2]])]",
    "x[0, :, ROWS]",
    "x[ROWS, :, 1]",
    "x[MASK]",
    "x[MASK, 0]",
    "x[np.array([True, False]), ..., np.int64(1)]",
    "x[None, np.array(1)]",
    "x[()]",
]


def _unary() -> list[Case]:
    draws = {"log": positive, "log1p": positive, "sqrt": positive, "abs": nonzero, "absolute": nonzero}
    names = "exp expm1 log log1p tanh sqrt square abs absolute sin cos erf negative ravel".split()
    return [_case(f"m.{name}(x)", draws.get(name, real)(2, 3)) for name in names]


def _binary() -> list[Case]:
    second = dict.fromkeys(("divide", "true_divide", "arctan2"), nonzero)
    cases = []
    names = "add subtract multiply divide true_divide power maximum minimum arctan2".split()
    for name, (a, b) in itertools.product(names, BROADCAST):
        first_draw = positive(*a) if name == "power" else distinct(*a)
        second_draw = distinct(*b, shift=0.1) if name in ("maximum", "minimum") else second.get(name, real)(*b)
        cases.append(_case(f"m.{name}(x, y)", first_draw, second_draw))
    for name in names:
        cases.append(_case(f"m.{name}(x, 0.75)", positive(2, 3)))
        cases.append(_case(f"m.{name}(1.75, x)", positive(2, 3)))
        cases.append(_case(f"m.{name}(x, x * x)", positive(3)))
    return cases


def _reductions() -> list[Case]:
    names = "sum mean var std max min logsumexp prod".split()
    masked = itertools.product(("masked_sum", "masked_mean"), ("", "axis=0", "axis=-1, keepdims=True"))
    norms = ["", "axis=1", "axis=(0, 2), keepdims=True", "ord=2, axis=0", "ord='fro', axis=(1, 2)"]
    norms += [f"ord={sign}np.inf, axis={axes}" for sign in ("", "-") for axes in ("1", "0, keepdims=True", "(2, 0)")]
    norms += ["1, 0", "1, axis=-1, keepdims=True", "-1, axis=(0, 1)", "1, axis=(2, 1), keepdims=True"]
    return [
        *(_case(f"m.{name}(x, {options})", distinct(2, 3, 4)) for name, options in itertools.product(names, AXES)),
        *(_case(f"m.{name}(x, axis=1, ddof=1)", real(2, 4)) for name in ("var", "std")),
        *(_case(f"m.{name}(x, beside(m, SOMETHING_EVERYWHERE), {options})", real(2, 3)) for name, options in masked),
        *(_case(f"m.linalg.norm(x, {options})", real(2, 3, 4)) for options in norms),
        _case("m.linalg.norm(x, np.inf, axis=(1, 2))", real(1, 3, 4)),
        *(_case(f"m.linalg.norm(x, {ord})", nonzero(3)) for ord in ("1", "2", "np.inf", "-np.inf")),
        *(_case(f"m.softmax(x, axis={axis})", real(2, 3, 2)) for axis in (-1, 0, 1)),
    ]


def _matmul() -> list[Case]:
    shapes = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4))]
    shapes += [((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,))]
    shapes += [((2, 1, 2, 3), (5, 3, 4)), ((1, 3), (3, 1)), ((2, 0), (0, 3))]
    return [_case("m.matmul(x, y)", real(*a), real(*b)) for a, b in shapes]


def _contractions() -> list[Case]:
    return [
        *(
            _case(f"m.einsum({one!r}, x, y)", real(*a), real(*b))
            for (a, b), several in SUBSCRIPTS.items()
            for one in several.split()
        ),
        *(_case(f"m.einsum({one!r}, x)", real(*a)) for a, several in SINGLE.items() for one in several.split()),
        _case("m.einsum('', x)", real()),
        _case("m.einsum('ij, jk, ki -> i', x, y, x)", real(2, 2), real(2, 2)),
        _case("m.einsum('bi,bj,ij->b', x, y, y[:3])", real(4, 3), real(4, 2)),
        _case("m.einsum('i,j,j,k->ik', x, y, y, x * x)", real(2), real(3)),
        *(_case("m.dot(x, y)", real(*a), real(*b)) for a, b in DOT),
        _case("m.dot(x, 0.75)", real(2)),
    ]


def between(*divisors: float) -> Draw:
    """Numbers between the multiples of others."""
    steps = np.array(divisors)
    return lambda rng: (rng.integers(-3, 4, (2, *steps.shape)) + rng.uniform(0.1, 0.9, (2, *steps.shape))) * steps


def _remainders() -> list[Case]:
    divisors: Draw = lambda rng: np.array([0.5, -2.0, 1.0])  # noqa: E731
    return [
        *(_case(f"m.{name}(x, y)", between(0.5, -2.0, 1.0), divisors) for name in ("mod", "remainder")),
        _case("m.mod(x, 0.25)", between(0.25, 0.25)),
        _case("m.mod(7.3, x)", lambda rng: rng.uniform(2.0, 2.3, 3)),
        _case("x % (2 + x * x)", nonzero(3)),
        _case("7.3 % x", lambda rng: rng.uniform(2.0, 2.3, 3)),
    ]


def _choices() -> list[Case]:
    return [
        _case("m.where(beside(m, MASK), x, y)", real(2, 3), real(2, 3)),
        _case("m.where(beside(m, MASK), x, y)", real(3), real(2, 1)),
        _case("m.where(beside(m, MASK[0]), x, y)", real(4, 1), real()),
        _case("m.where(m.greater(x, 0.05), x * x, 0.0)", distinct(2, 3)),
        _case("m.clip(x, -0.5, 0.5)", distinct(2, 5)),
        _case("m.clip(x, None, 0.3)", distinct(2, 5)),
        _case("m.clip(x, -0.3, None)", distinct(2, 5)),
        _case("m.clip(x, beside(m, LOW), beside(m, HIGH))", distinct(3)),
        _case("m.clip(x, -1.05, beside(m, HIGH))", distinct(2, 1)),
        _case("m.nan_to_num(x + beside(m, BROKEN), nan=-0.5, posinf=2.5, neginf=2)", nonzero(4)),
        _case("m.nan_to_num(x + beside(m, BROKEN[:2]))", nonzero(2)),
    ]


TABLE = [
    *_unary(),
    *_binary(),
    *_reductions(),
    *_matmul(),
    *(_case(text, real(2, 3, 4)) for text in SHAPING),
    *(_case(text, real(2, 3), real(2, 2)) for text in JOINING),
    *_contractions(),
    *_remainders(),
    *_choices(),
    *(_case(text, distinct(2, 3, 4)) for text in SORTING),
    *(_case(text, real(2, 3, 4)) for text in (*ACCUMULATING, *TILING)),
    *(_case("m.outer(x, y)", real(*a), real(*b)) for a, b in OUTER),
    _case("m.outer(x, 0.75)", real(2)),
    _case("m.outer([0.5, 2], x)", real(2)),
    *(_case(text, real(2, 3, 4)) for text in INDEXING),
]


def each_case_that(is_chosen: Callable[[Case], bool]) -> Callable[[Callable[..., None]], Any]:
    """Return the decorator that runs a test for each function, with all of its chosen cases."""
    groups: dict[str, dict[str, Case]] = {}
    for case in filter(is_chosen, TABLE):
        groups.setdefault(case.name, {})[case.text] = case
    return grouped("case", groups)


each_case = each_case_that(lambda case: True)
each_pair = each_case_that(lambda case: len(case.draws) == 2)
