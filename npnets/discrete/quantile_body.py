"""The body of quantile networks: a trunk, an embedding of quantile fractions, and a head on the product of both.

    quantiles = head(features * embedding(taus))

Symbols: `features` `(batch, features)`; `taus` `(batch, samples)`; `quantiles` `(batch, actions, samples)`.
"""

from typing import Any

import npnets.numpy as nnp
from npnets.backend import Array
from npnets.common import MLP
from npnets.common.protocols import features_of
from npnets.common.sequential import Leaves, entry_of, part_of
from npnets.common.spec import Spec
from npnets.common.trunk import body, entry_of_trunk
from npnets.description import set_fields, set_plain, set_sizes, width
from npnets.discrete.actions import actions_shape
from npnets.inputs import check_dtype
from npnets.tree import Tree


def set_quantile_fields(net: Any) -> None:
    """Check the arguments that quantile networks have in common, and store them in one form."""
    set_plain(net)
    set_fields(net, action_shape=actions_shape("action_shape", net.action_shape))
    set_sizes(net, "num_cosines")
    set_fields(net, hidden_sizes=net.last.hidden_sizes)


def head_of(net: Any) -> MLP:
    """Return the MLP from the product of features and embedding to one value for each action."""
    features = features_of("preprocess_net", net.preprocess_net, net.preprocess_net_output_dim, takes_state=True)
    return MLP(features, width(net.action_shape), net.hidden_sizes, device=net.device)


def spec_of(net: Any) -> Spec:
    """Return the parameters of a quantile network."""
    parts = {"last": entry_of(net.last), "embed_model": entry_of(net.embed_model)}
    return Spec({"preprocess": entry_of_trunk(net.preprocess_net), **parts}, net.device)


class QuantileBody:
    """The operations of a quantile network, which take all leaves of its parameters; errors name the network."""

    def __init__(self, net: Any) -> None:
        self._net, self._actions = net, net.last.output_dim
        remedy = "a quantile network needs the features of a single network"
        self._trunk = body(net.preprocess_net, features=net.last.input_dim, remedy=remedy)
        self._last = part_of(net.spec, "last", net.last)
        self._embed_model = part_of(net.spec, "embed_model", net.embed_model)

    def features(self, leaves: Leaves, obs: object, state: Tree) -> tuple[Array, Tree]:
        """Return the trunk's features and its new state."""
        features, new_state = self._trunk.observe(leaves, obs, state)
        check_dtype(features.dtype, leaves[-1], self._net)
        return features, new_state

    def quantiles(self, leaves: Leaves, features: Array, taus: Array) -> Array:
        """Return the quantiles of each action's value at each row's fractions."""
        embedding = self._embed_model.run(leaves, taus)
        rows, samples, features_each = embedding.shape
        product = nnp.reshape(nnp.expand_dims(features, 1) * embedding, (rows * samples, features_each))
        values = self._last.run(leaves, product)
        return nnp.swapaxes(nnp.reshape(values, (rows, samples, self._actions)), 1, 2)
