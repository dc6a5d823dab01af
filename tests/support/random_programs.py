"""Random differentiable programs: the program of a seed, for the tests of `random_program_laws`.

A program computes on a pool of arrays: one to three inputs, in a tree, of any shape up to three axes, float32 or
float64; and what a few operations make of them, each drawn from the families below. One program in eight ends with a
mistake, which must raise an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy
from random_program_arrays import ACCUMULATING, ANGLES, REARRANGING
from random_program_constructs import CONSTANT, NESTED, NETWORKS, PYTHON
from random_program_drawing import Drawing, Family, drawn_array
from random_program_elementwise import BINARY, CHOICES, UNARY
from random_program_mistakes import MISTAKES
from random_program_reductions import PRODUCTS, REDUCTIONS
from random_program_shapes import CASTING, INDEXING, ITERATION, JOINING, SHAPING
from random_program_source import Inputs, Program

_WEIGHTED = (
    *(*UNARY, *BINARY, *CHOICES, *REDUCTIONS, *PRODUCTS, *SHAPING, *JOINING, *INDEXING, *ITERATION, *CASTING),
    *(*ACCUMULATING, *ANGLES, *REARRANGING),
    *(*CONSTANT, *PYTHON, *NETWORKS, *NESTED),
)
FAMILIES: tuple[Family, ...] = tuple(family for family, weight in _WEIGHTED for _ in range(weight))
SHAPES: tuple[tuple[int, ...], ...] = (
    *((), (), (1,), (2,), (3,), (3,), (0,)),
    *((2, 3), (3, 2), (2, 2), (1, 3), (3, 1), (3, 3), (2, 3), (0, 3), (2, 0)),
    *((2, 3, 2), (1, 2, 3), (2, 1, 3), (3, 2, 2), (0, 2, 1)),
)


def draw_program(seed: int) -> Program:
    """Return the program of a seed."""
    rng = numpy.random.default_rng(seed)
    narrow = bool(rng.random() < 0.3)
    drawing = Drawing(rng, _drawn_inputs(rng, narrow), narrow)
    for _ in range(int(rng.integers(3, 9))):
        _first(rng, FAMILIES, drawing.grow)
    if rng.random() < 0.12:
        _first(rng, MISTAKES, drawing.err)
    return drawing.program(seed)


def _drawn_inputs(rng: numpy.random.Generator, narrow: bool) -> Inputs:
    mixed = rng.random() < 0.3
    dtypes = [numpy.float32 if narrow or (mixed and rng.random() < 0.5) else numpy.float64 for _ in range(3)]
    return {f"x{index}": _drawn_input(rng, dtypes[index], mixed) for index in range(int(rng.integers(1, 4)))}


def _drawn_input(rng: numpy.random.Generator, dtype: Any, mixed: bool) -> Any:
    kind = rng.random()
    if kind < 0.1 and dtype is numpy.float64 and not mixed:
        return float(drawn_array(rng, ()))
    array = drawn_array(rng, SHAPES[int(rng.integers(len(SHAPES)))], dtype)  # a scalar, if it has no axis
    array = numpy.asarray(array) if rng.random() < 0.5 else array
    if kind < 0.3:
        return abs(array) + dtype(0.25)  # for those functions that take no others
    return numpy.rint(array) if kind < 0.4 else array  # whole numbers, to be exponents and indices


def _first(rng: numpy.random.Generator, families: Sequence[Family], grown: Callable[[Family], bool]) -> bool:
    """Try families in a random order until one fits."""
    return any(grown(families[index]) for index in rng.permutation(len(families)).tolist())
