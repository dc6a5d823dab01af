"""The protocols of networks that are used inside other ones, and checks of such a part and its output."""

import inspect
from typing import Any, Protocol

import numpy as np

from npnets.autodiff import bare
from npnets.backend import Array
from npnets.dtypes import check_plain
from npnets.inputs import inputs_on_device
from npnets.tree import Tree


class PreprocessNet(Protocol):
    """A network that turns observations into features for an actor or critic: `Net`, or your own.

    Three members are all it needs. `output_dim` may be missing where `preprocess_net_output_dim` is given.
    """

    @property
    def output_dim(self) -> int:
        """Number of features, the last axis of what `forward` returns."""
        ...

    def init(self, rng: np.random.Generator) -> Tree:
        """Return parameters; if it has an argument `dtype`, in that dtype."""
        ...

    def forward(self, params: Tree, obs: Tree, state: Tree = None, /) -> tuple[Array, Tree]:
        """Return features `(batch, output_dim)` and the new state."""
        ...


class Layer(Protocol):
    """A layer such as `Linear`, which a `linear_layer` or `norm_layer` of your own makes."""

    def init(self, rng: np.random.Generator) -> Tree:
        """Return parameters; if it has an argument `dtype`, in that dtype."""
        ...

    def forward(self, params: Tree, x: Array, /) -> Array:
        """Map an array to another."""
        ...


def check_is_network(name: str, net: object) -> None:
    """Check that an argument can be used as a part: that it has `init` and `forward`."""
    if isinstance(net, type) or not (hasattr(net, "init") and hasattr(net, "forward")):
        raise TypeError(
            f"{name} must be a network, with init(rng) and forward(params, ...), such as npnets.Net; but is {net!r:.80}"
        )


def _check_state(name: str, net: Any) -> None:
    try:
        inspect.signature(net.forward).bind("params", "obs", "state")
    except TypeError:
        raise TypeError(
            f"{name} must have forward(params, obs, state=None), but that of {net!r:.80} takes no state; if it is an "
            "MLP, use a Net instead"
        ) from None


def features_of(
    name: str, net: object, given: int | None, takes_state: bool = False, counts_actions: bool = False
) -> int:
    """Return how many features a preprocess net returns: its `output_dim`, or the number given instead.

    With `counts_actions` the number given may be larger than `output_dim`, and is returned: actions join the features.

    Raises
    ------
    TypeError
        If it is no network, or `takes_state` and its `forward` takes none.
    ValueError
        If there is neither number, or they differ.
    """
    check_is_network(name, net)
    if takes_state:
        _check_state(name, net)
    own = getattr(net, "output_dim", None)
    features = given if own is None else own
    if features is None:
        raise ValueError(f"{name} {net!r:.80} has no output_dim; give preprocess_net_output_dim")
    if counts_actions and own is not None and given is not None and given > own:
        return int(given)
    if own is not None and given is not None and own != given:
        raise ValueError(f"{name} returns {own} features, but preprocess_net_output_dim is {given}")
    return int(features)


def run_preprocess(net: PreprocessNet, params: Tree, *inputs: Tree) -> tuple[Array, Tree]:
    """Return a preprocess net's features and new state; its inputs are moved to the device of its parameters."""
    output = net.forward(params, *(inputs_on_device(value, params) for value in inputs))
    if not isinstance(output, (tuple, list)) or len(output) != 2:
        raise TypeError(
            f"a preprocess net must return a pair (features, state), but {net!r:.80} returned a "
            f"{type(output).__name__}; if it is an MLP, use a Net instead"
        )
    return output[0], output[1]


def check_features(net: PreprocessNet, features: Array) -> None:
    """Check that a preprocess net returned a plain array: it may have passed its observations on as they came."""
    if not hasattr(features, "ndim"):
        raise TypeError(
            f"a preprocess net must return an array of features, but {net!r:.80} returned a {type(features).__name__}"
        )
    check_plain(bare(features), "the preprocess net's output")
