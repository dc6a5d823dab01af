"""The npnets side of the comparison: the vocabulary of the cases, how a case is run, and how close is close."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from backends import as_numpy, on_backend
from golden import npnets_quantiles
from golden.fixtures import load
from golden.npnets_trunks import Tokens

import npnets
from npnets.backend import Array

OUTPUT_TOLERANCE = 2e-5
GRADIENT_TOLERANCE = 1e-4
SMALL = 1e-2

NETWORKS = ("Linear", "EnsembleLinear", "MLP", "Net", "Actor", "ActorProb", "Critic", "Perturbation", "VAE")
RECURRENT = ("Recurrent", "RecurrentActorProb", "RecurrentCritic")
DISCRETE: dict[str, Any] = {
    "DiscreteActor": npnets.discrete.Actor,
    "DiscreteCritic": npnets.discrete.Critic,
    "BranchingNet": npnets.BranchingNet,
    "IntrinsicCuriosityModule": npnets.discrete.IntrinsicCuriosityModule,
}
QUANTILES = (
    *("CosineEmbeddingNetwork", "ImplicitQuantileNetwork", "FractionProposalNetwork", "FullQuantileFunction"),
    "NoisyLinear",
)
DISCRETE |= {name: getattr(npnets.discrete, name) for name in QUANTILES}
"""By the names that the cases have for them: `npnets.Actor` and `npnets.Critic` are other classes."""

CLASSES: dict[str, Any] = {name: getattr(npnets, name) for name in (*NETWORKS, *RECURRENT)} | DISCRETE
FAMILIES: list[dict[str, Any]] = [
    load(name) for name in ("networks", "recurrent", "discrete", "quantiles", "trunks_1_1")
]
CASES: list[dict[str, Any]] = [case for family in FAMILIES for case in family["cases"]]
ACTIVATIONS = (
    *("relu", "tanh", "elu", "gelu", "silu", "sigmoid", "softplus", "leaky_relu", "selu", "celu", "mish", "relu6"),
    *("hardtanh", "softsign", "hardsigmoid", "hardswish", "logsigmoid"),
)

VOCABULARY: dict[str, Any] = {
    "partial": partial,
    "Tokens": Tokens,
    **{name: name for name in ("layer_norm", *ACTIVATIONS)},
    **CLASSES,
}


class Scripted(np.random.Generator):
    """A generator of given standard normal numbers, which must be drawn in their shape."""

    def __new__(cls, numbers: Array) -> "Scripted":
        return super().__new__(cls, np.random.PCG64(0))

    def __init__(self, numbers: Array) -> None:
        super().__init__(np.random.PCG64(0))
        self._numbers = numbers

    def standard_normal(self, size: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return the given numbers."""
        assert size == self._numbers.shape
        return self._numbers


def make(call: str) -> Any:
    """Make a network from the call in a case."""
    return eval(call, dict(VOCABULARY))


def parameters(case: dict[str, Any]) -> Any:
    """Return a case's parameters as the tree that its network expects, on the running backend."""
    template = make(case["call"]).init(np.random.default_rng(0))
    return on_backend(filled(template, case["params"]))


def inputs_of(case: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of a case on the running backend; the numbers for a generator stay on NumPy."""
    integers = {name: case["inputs"][name].astype(np.int64) for name in case.get("integers", ())}
    inputs = {**case["inputs"], **integers}
    return {name: value if name == "drawn" else on_backend(value) for name, value in inputs.items()}


def filled(template: Any, leaves: dict[str, Array], path: str = "") -> Any:
    """Return a tree with the leaves at its paths replaced; a part without parameters stays an empty dict."""
    if isinstance(template, dict):
        return {key: filled(part, leaves, f"{path}.{key}".lstrip(".")) for key, part in template.items()}
    return leaves[path]


def run(case: dict[str, Any], params: Any, inputs: dict[str, Any]) -> list[Any]:
    """Call a case's network and return its outputs in order; a state that is `None` is left out."""
    return outputs_of(make(case["call"]), case["method"], params, inputs)


def outputs_of(net: Any, method: str, params: Any, inputs: dict[str, Any]) -> list[Any]:
    """Call a network with the inputs of a case, and return its outputs in order."""
    if isinstance(net, npnets_quantiles.CLASSES):
        return list(flat(npnets_quantiles.called(net, params, inputs)))
    given = [value for name, value in inputs.items() if name not in ("noise", "drawn", "hidden", "cell")]
    named = {"noise": inputs["noise"]} if "noise" in inputs else {}
    if "drawn" in inputs:
        named = {"rng": Scripted(inputs["drawn"])}
    if "hidden" in inputs:
        named = {"state": {"hidden": inputs["hidden"], "cell": inputs["cell"]}}
        if isinstance(net, npnets.RecurrentCritic):
            named["return_state"] = True
    return list(flat(getattr(net, method)(params, *given, **named)))


def flat(output: Any) -> Iterator[Any]:
    """Go through the arrays of an output, a state's `hidden` before its `cell`, without `None`."""
    if isinstance(output, dict):
        yield from (output["hidden"], output["cell"])
    elif isinstance(output, tuple):
        for part in output:
            yield from flat(part)
    elif output is not None:
        yield output


def gradients(case: dict[str, Any]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the gradients of `sum(outputs * weights)` for all parameters, by path, and for all inputs, by name."""

    given, weights = inputs_of(case), on_backend(case["weights"])

    def loss(params: Any, inputs: dict[str, Any]) -> Any:
        outputs = run(case, params, {**given, **inputs})
        return sum(npnets.numpy.sum(o * w) for o, w in zip(outputs, weights, strict=True))

    inputs = {name: value for name, value in given.items() if name in case["inputs_grads"]}
    params_grads, inputs_grads = npnets.grad(loss, (0, 1))(parameters(case), inputs)
    return by_path(params_grads), inputs_grads


def by_path(tree: Any) -> dict[str, Any]:
    """Return the leaves of a tree by their paths."""
    return dict(zip(npnets.tree.paths(tree), npnets.tree.leaves(tree), strict=True))


def assert_all_close(found: dict[Any, Any], expected: dict[Any, Any], tolerance: float) -> None:
    """Assert that arrays equal the expected ones within a tolerance, which is relative to the largest entry."""
    assert found.keys() == expected.keys()
    found, expected = as_numpy(found), npnets.tree.to_numpy(expected)
    for name, array in found.items():
        assert array.shape == expected[name].shape, name
        assert array.dtype == np.float32, name
        error = relative_error(array, expected[name])
        assert error <= tolerance, f"{name}: relative error {error:.1e}\n{array}\nexpected\n{expected[name]}"


def relative_error(found: Array, expected: Array) -> float:
    """Return `max|found - expected| / max|expected|`, the largest entries of the whole array.

    The error of an array with no entry above `SMALL` is relative to that, because cancelling sums leave only rounding.
    """
    difference = np.abs(found.astype(np.float64) - expected).max()
    return float(difference / max(np.abs(expected).max(), SMALL))
