"""An actor for discrete actions."""

from dataclasses import dataclass
from typing import Any

import npnets.numpy as nnp
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common import MLP, PreprocessNet
from npnets.common.network import Network
from npnets.common.protocols import features_of
from npnets.common.sequential import Operation, entry_of, operations_of
from npnets.common.spec import Spec
from npnets.common.trunk import NetBody, OwnBody, body, entry_of_trunk
from npnets.description import Sizes, cached_property, check_flags, set_fields, set_plain, width
from npnets.discrete.actions import Actions, actions_shape
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class Actor(Network):
    """An actor for discrete actions: a probability for each of them, or its logit.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        Turns observations into features: `Net`, or any network with `init`, `forward` and `output_dim`.
    action_shape : int or sequence of int
        Number of actions; a shape means the product of its entries, a `Discrete` space of Gymnasium its `n`.
    hidden_sizes : sequence of int
        Widths of hidden layers after the preprocess net; by default a single linear layer follows it.
    softmax_output : bool
        Whether the output is probabilities, by a softmax over the actions; `False` returns the logits, which
        `Categorical` takes.
    preprocess_net_output_dim : int, optional
        Number of features, for a preprocess net without `output_dim`.
    device : str, int or None
        Where `init` places parameters.

    Notes
    -----
    Tianshou's ``Actor`` of ``tianshou.utils.net.discrete``. Parameters: `preprocess` and `last`.
    """

    preprocess_net: PreprocessNet
    action_shape: Actions
    hidden_sizes: Sizes = ()
    softmax_output: bool = True
    preprocess_net_output_dim: int | None = None
    device: Device = "cpu"

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "softmax_output")
        set_fields(self, action_shape=actions_shape("action_shape", self.action_shape))
        set_fields(self, hidden_sizes=self.last.hidden_sizes)

    @cached_property
    def last(self) -> MLP:
        """The MLP from features to logits."""
        features = features_of("preprocess_net", self.preprocess_net, self.preprocess_net_output_dim, takes_state=True)
        return MLP(features, self.output_dim, self.hidden_sizes, device=self.device)

    @property
    def output_dim(self) -> int:
        """Number of actions."""
        shape: Any = self.action_shape
        return width(shape)

    def get_preprocess_net(self) -> PreprocessNet:
        """Return the preprocess net."""
        return self.preprocess_net

    def get_output_dim(self) -> int:
        """Return the number of actions."""
        return self.output_dim

    @cached_property
    def spec(self) -> Spec:
        """`preprocess` and `last`."""
        return Spec({"preprocess": entry_of_trunk(self.preprocess_net), "last": entry_of(self.last)}, self.device)

    @computes_where_params
    def forward(self, params: Params, obs: object, state: Tree = None, info: object = None) -> tuple[Array, Tree]:
        """Map observations to probabilities or logits of actions.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            Observations, as the preprocess net takes them.
        state : any
            For a recurrent preprocess net.
        info : any
            Accepted and unused, as in Tianshou.

        Returns
        -------
        output : (batch, actions) array
            Probabilities; logits with `softmax_output=False`.
        state
            The preprocess net's new state.
        """
        return self._body.observe(self.spec.read(params, self), obs, state)

    @cached_property
    def _body(self) -> NetBody | OwnBody:
        softmax = (Operation(nnp.softmax, 0),) if self.softmax_output else ()
        head = (*operations_of(self.last, "last"), *softmax)
        return body(self.preprocess_net, head, features=self.last.input_dim)
