"""The batch of an LSTM in shards of rows, one for each thread, where a user asks for it with `batch_threads`.

BLAS computes each product on all its threads, but everything between two products runs on one. A large batch takes less
time if each thread computes the rows of its own shard, from the first product to the last. Bounds of shards depend on
the number of threads and of rows alone, so that results have the same bits in every run.

Symbols as in `lstm`: rows lie along axis 1 of `x`, of the masks and of the outputs, and along axis 0 of the states.
"""

import functools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from npnets.autodiff import Pair
from npnets.backend import Array
from npnets.kernels.buffers import scratch, side_by_side
from npnets.kernels.worker_threads import chosen_threads, run_together
from npnets.log import logger

T = TypeVar("T")

LEAST_ROWS = 64
"""Rows in a shard: fewer are not worth a thread."""

LEAST_WORK = 1 << 24
"""Multiplications in a shard: about a third of a millisecond, of which handing it to a thread takes a fifth."""

_ROWS_OF_OUTPUTS = (1, 0, 0)
_ROWS_OF_ARGUMENTS = {0: 1, 5: 0, 6: 0}  # those of x, h and c; weights and biases have none


def sharded(pair: Pair) -> Pair:
    """Return an LSTM's pair for NumPy which divides large batches among threads.

    Residuals of a batch in shards are a list of each shard's rows and residuals; those of a whole batch the pair's own.
    """
    return Pair(partial(_forward, pair), partial(_backward, pair), partial(_evaluate, pair))


def _forward(pair: Pair, *args: Array, **masks: Array | None) -> Any:
    shards = shards_of(*args)
    if not shards:
        return pair.forward(*args, **masks)
    results = run_together([_task(pair.forward, shard, args, masks) for shard in shards])
    outputs, residuals = zip(*results, strict=True)
    return _joined(outputs), list(zip(shards, residuals, strict=True))


def _evaluate(pair: Pair, *args: Array, **masks: Array | None) -> Any:
    assert pair.evaluate is not None
    shards = shards_of(*args)
    if not shards:
        return pair.evaluate(*args, **masks)
    return _joined(run_together([_task(pair.evaluate, shard, args, masks) for shard in shards]))


def _backward(
    pair: Pair, g: list[Array | None], residuals: object, argnums: tuple[int, ...], *args: Array, **masks: Array | None
) -> tuple[Array, ...]:
    if not isinstance(residuals, list):
        return pair.backward(g, residuals, argnums, *args, **masks)
    tasks = []
    for shard, own_residuals in residuals:
        own_g = [_rows(part, axis, shard) for part, axis in zip(g, _ROWS_OF_OUTPUTS, strict=True)]
        tasks.append(_task(partial(pair.backward, own_g, own_residuals, argnums), shard, args, masks))
    return tuple(map(_whole, argnums, zip(*run_together(tasks), strict=True)))


def shards_of(x: Array, w_x: Array, w_h: Array, *args: Array) -> list[slice]:
    """Return the rows of each shard; none where a batch stays whole."""
    threads = chosen_threads.get()
    if threads < 2:
        return []
    steps, rows, _ = x.shape
    if rows // threads < LEAST_ROWS or rows // threads * steps * (w_x.size + w_h.size) < LEAST_WORK:
        logger().debug("%d rows are too few, or too little work, to be divided among %d threads", rows, threads)
        return []
    bounds = [rows * number // threads for number in range(threads + 1)]
    return [slice(*pair) for pair in zip(bounds, bounds[1:], strict=False)]


def _task(
    run: Callable[..., T], shard: slice, args: tuple[Array, ...], masks: dict[str, Array | None]
) -> Callable[[], T]:
    """Return a function of no arguments that runs a shard."""
    own_args = [_rows(arg, _ROWS_OF_ARGUMENTS.get(argnum), shard) for argnum, arg in enumerate(args)]
    return partial(run, *own_args, **{name: _rows(mask, 1, shard) for name, mask in masks.items()})


def _rows(array: Array | None, axis: int | None, shard: slice) -> Array | None:
    if array is None or axis is None:
        return array
    return array[shard] if axis == 0 else array[:, shard]


def _joined(outputs: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
    return tuple(map(side_by_side, zip(*outputs, strict=True), _ROWS_OF_OUTPUTS))


def _whole(argnum: int, cotangents: Sequence[Array]) -> Array:
    """Return the cotangent of a whole argument; that of a weight or bias is the sum of those of all shards."""
    axis = _ROWS_OF_ARGUMENTS.get(argnum)
    return functools.reduce(_sum, cotangents) if axis is None else side_by_side(cotangents, axis)


def _sum(total: Array, part: Array) -> Array:
    return np.add(total, part, out=scratch(total, total.shape))
