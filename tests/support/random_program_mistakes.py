"""Last operations of deliberately wrong programs: calls for which NumPy mostly raises an error."""

from __future__ import annotations

from random_program_drawing import Drawing, Family
from random_program_source import Operation

CALLS = {
    "axis out of range": (
        "np.sum({x}, axis={far})",
        "np.mean({x}, axis={far})",
        "np.max({x}, axis={far})",
        "np.var({x}, axis={far})",
        "np.std({x}, axis=({far},))",
        "{x}.sum({far})",
        "np.logsumexp({x}, axis={far})",
        "np.softmax({x}, axis={far})",
        "np.squeeze({x}, {far})",
        "np.squeeze(np.ones({x}.shape), {far})",
        "np.expand_dims({x}, {far} + 1)",
        "np.swapaxes({x}, 0, {far})",
        "np.repeat({x}, 2, axis={far})",
        "np.concatenate([{x}, {x}], axis={far})",
        "np.stack([{x}, {x}], axis={far} + 1)",
        "np.argmax({x}, axis={far})",
        "np.cumsum({x}, {far})",
        "np.prod({x}, axis={far})",
        "np.diff({x}, axis={far})",
        "np.roll({x}, 1, {far})",
        "np.sort({x}, axis={far})",
        "np.take_along_axis({x}, np.argsort({x}), {far})",
    ),
    "no axis": (
        "np.sum({x}, axis=[0])",
        "np.max({x}, axis='a')",
        "np.mean({x}, axis=0.0)",
        "np.swapaxes({x}, 0, None)",
        "np.softmax({x}, axis={x}.ndim)",
        "np.transpose({x}, 0.5)",
        "np.reshape({x}, (2.5, -1))",
        "np.repeat({x}, 1.5)",
        "np.linalg.norm({x}, axis={far})",
        "np.masked_sum({x}, {x} > 0, axis={far})",
    ),
    "axis named twice": (
        "np.sum({x}, axis=(0, 0))",
        "np.mean({x}, axis=(0, -{x}.ndim))",
        "np.max({x}, axis=(0, 0))",
        "np.std({x}, axis=(0, 0))",
        "np.logsumexp({x}, axis=(0, 0))",
        "np.transpose({x}, (0,) * {x}.ndim)",
        "np.expand_dims({x}, (0, 0))",
        "np.squeeze({x}, (0, 0))",
    ),
    "wrong count": (
        "np.reshape({x}, ({x}.size + 1,))",
        "{x}.reshape(-1, {x}.size + 2)",
        "{x}.reshape(-1, -1)",
        "np.transpose({x}, (*range({x}.ndim), 0))",
        "np.transpose({x}, tuple(range({x}.ndim - 1)))",
        "{x}.T @ {x}.reshape(-1, 1).repeat(5, 0)",
        "np.broadcast_to({x}, (*{x}.shape, 5))",
        "np.broadcast_to({x}, ())",
        "np.repeat({x}, -1)",
        "np.stack([{x}, {x}[:-1]])",
        "np.concatenate([])",
        "np.stack([])",
        "np.diff({x}, -1)",
        "np.repeat({x}, [1] * ({x}.shape[0] + 2), 0)",
        "np.einsum('ij', {x}[0])",
        "np.einsum('i...,j...', {x})",
        "np.einsum('i...->ij', {x})",
        "np.hstack([])",
    ),
    "unlike shapes": (
        "{x} + {y}",
        "{x} @ {y}",
        "np.multiply({x}, {y})",
        "np.where({x} > 0, {x}, {y})",
        "np.where({y} > 0, {x}, {x})",
        "np.maximum({x}, {y})",
        "np.concatenate([{x}, {y}])",
        "np.concatenate([{x}, {y}], axis=-1)",
        "np.stack([{x}, {y}])",
        "np.matmul({x}, {y})",
        "np.dot({x}, {y})",
        "np.einsum('i...,i...', {x}, {y})",
        "np.vstack([{x}, {y}])",
        "np.masked_mean({x}, {y} > 0)",
        "np.clip({x}, 0, numpy.ones({x}.size + 2))",
        "log_density({x}, {x}, np.square({y}) + 1)",
        "linear_layers({x}, ({y}, None), (None,))",
    ),
    "wrong index": (
        "{x}[{x}.shape[0]]",
        "{x}[(0,) * ({x}.ndim + 1)]",
        "{x}[-{x}.shape[0] - 1]",
        "{x}[[0, {x}.shape[0]]]",
        "{x}[..., ...]",
        "{x}[None, True, {x}.shape[0]]",
        "{x}[[[0, 1], [0]]]",
        "{x}[0.5]",
        "np.take_along_axis({x}, {x}, 0)",
        "np.take_along_axis({x}, np.argsort({x}, 0) + {x}.shape[0], 0)",
        "{x}[{x}]",
        "{x}['a']",
        "{x}[numpy.ones({x}.shape[0] + 1, bool)]",
        "{x}[:, numpy.array([{x}.size])]",
        "{x}[[0, 1], [0, 1, 2]]",
        "{x}[{x}.shape[0] + np.astype({x}, int)]",
    ),
    "wrong iteration": (
        "[row for row in np.sum({x})]",
        "len(np.sum({x}))",
        "np.sum({x})[0]",
        "[part for part in np.reshape({x}, ({x}.size,))[0]]",
        "(lambda a, b: a)(*{x}.ravel().repeat(3))",
    ),
    "nothing to choose from": (
        "np.max({x}[:0])",
        "np.min({x}.reshape(-1)[:0], axis=0)",
        "np.argmax({x}[:0])",
    ),
}


def _mistake(text: str) -> Family:
    def mistake(draw: Drawing) -> Operation:
        x = draw.array(lambda value: value.ndim > 0)
        far = draw.choice((len(draw.shape(x)) + 1, -len(draw.shape(x)) - 2, 7))
        return draw.assign(text.format(x=x, y=draw.array(), far=far))

    return mistake


MISTAKES = tuple(_mistake(text) for calls in CALLS.values() for text in calls)
