"""Random layers, norms and activations, written in the vocabulary of `golden/cases.py`."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st


class Word(str):
    """A word of the vocabulary, which prints without quotes."""

    def __repr__(self) -> str:
        return str(self)


def call(name: str, **arguments: Any) -> Word:
    """Write a call; it stands for what it makes in other calls."""
    return Word(f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})")


SIZES = st.integers(1, 6)
BATCHES = st.integers(1, 5)
FLAGS = st.booleans()
SHAPES = SIZES | st.lists(st.integers(1, 3), min_size=1, max_size=3) | st.tuples(SIZES, st.integers(1, 2))
BOUNDS = st.sampled_from([1.0, 0.3, 2.5])
LAYER_NORM = Word("layer_norm")
LINEAR = [Word("Linear"), Word("partial(Linear, bias=False)"), Word("NoisyLinear")]
SLOPES = st.floats(0.1, 2.0).map(lambda slope: round(slope, 3))
POSITIVE = st.sampled_from([1e-5, 1e-3, 0.2])

ACTIVATIONS: dict[str, st.SearchStrategy[Any]] = {
    "relu": st.none(),
    "tanh": st.none(),
    "sigmoid": st.none(),
    "silu": st.none(),
    "elu": st.none() | st.tuples(SLOPES) | st.fixed_dictionaries({"alpha": SLOPES}),
    "gelu": st.sampled_from([None, ("tanh",), {"approximate": "tanh"}, {"approximate": "none"}]),
    "softplus": st.none() | st.tuples(SLOPES, SLOPES) | st.fixed_dictionaries({}, optional={"beta": SLOPES}),
    **{name: st.none() for name in ("selu", "mish", "relu6", "softsign", "hardsigmoid", "hardswish", "logsigmoid")},
    "celu": st.none() | st.tuples(SLOPES) | st.fixed_dictionaries({"alpha": SLOPES}),
    "hardtanh": st.none() | st.tuples(SLOPES.map(lambda x: -x), SLOPES) | st.fixed_dictionaries({"max_val": SLOPES}),
    "leaky_relu": st.none() | st.tuples(SLOPES) | st.fixed_dictionaries({"negative_slope": SLOPES}),
}
NORM_ARGS = (
    st.none()
    | st.tuples(POSITIVE, FLAGS)
    | st.fixed_dictionaries({}, optional={"eps": POSITIVE, "elementwise_affine": FLAGS, "bias": FLAGS})
)


def width(shape: Any) -> int:
    """Return how many numbers an array of a shape holds."""
    return shape if isinstance(shape, int) else math.prod(shape)


def shape_of(batch: int, shape: Any) -> tuple[int, ...]:
    """Return the shape of a batch."""
    return (batch, shape) if isinstance(shape, int) else (batch, *shape)


def features(hidden: Any, otherwise: int) -> int:
    """Return the width of the last hidden layer, if there is one."""
    return hidden[-1] if hidden else otherwise


@st.composite
def some(draw: st.DrawFn, **arguments: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Draw some of these arguments, and leave the others at their defaults."""
    return {name: draw(strategy) for name, strategy in arguments.items() if draw(FLAGS)}


@st.composite
def activations(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw an activation and its arguments, or none."""
    name = draw(st.sampled_from([None, *ACTIVATIONS]))
    return (None, None) if name is None else (Word(name), draw(ACTIVATIONS[name]))


@st.composite
def layers(draw: st.DrawFn, last: int | None = None) -> dict[str, Any]:
    """Draw hidden layers with their norms and activations, the same for all or one for each."""
    hidden = draw(st.lists(SIZES, max_size=3)) + ([] if last is None else [last])
    chosen = {"hidden_sizes": draw(st.sampled_from([hidden, tuple(hidden)]))}
    return {**chosen, **draw(_activations(len(hidden))), **draw(_norms(hidden))}


@st.composite
def _activations(draw: st.DrawFn, count: int) -> dict[str, Any]:
    kind = draw(st.sampled_from(["default", "one", "each"]))
    pairs = [draw(activations()) for _ in range(1 if kind == "one" else count)]
    if kind == "one":
        return dict(zip(("activation", "act_args"), pairs[0], strict=True))
    return (
        {"activation": [name for name, _ in pairs], "act_args": [args for _, args in pairs]} if kind == "each" else {}
    )


@st.composite
def _norms(draw: st.DrawFn, hidden: list[int]) -> dict[str, Any]:
    """Draw norms, none of one or two features, whose output hardly depends on the input.

    The exact derivative is then about zero, and the result of either side is only its rounding error.
    """
    kind = draw(st.sampled_from(["none", "one", "each"]))
    if kind == "one" and min(hidden, default=3) >= 3:
        return {"norm_layer": LAYER_NORM, **draw(some(norm_args=NORM_ARGS))}
    if kind == "none":
        return {}
    norms = [draw(st.sampled_from([None, LAYER_NORM])) if size >= 3 else None for size in hidden]
    return {"norm_layer": norms, "norm_args": draw(NORM_ARGS | st.tuples(*[NORM_ARGS for _ in hidden]).map(list))}


@st.composite
def ensembles(draw: st.DrawFn) -> tuple[int, Word]:
    """Draw a number of members, and the layer that makes them."""
    members = draw(st.integers(1, 4))
    return members, Word(f"partial(EnsembleLinear, {members}{draw(st.sampled_from(['', ', bias=False']))})")
