"""The intrinsic curiosity module: a reward for steps of the environment that a network predicts badly."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common import MLP
from npnets.common.network import Network
from npnets.common.protocols import Layer, check_is_network
from npnets.common.sequential import Leaves, Sequential, entry_of, is_known, part_of
from npnets.common.spec import Spec
from npnets.description import Integer, Sizes, cached_property, set_fields, set_plain, set_sizes
from npnets.discrete.actions import actions_shape, one_hot
from npnets.inputs import as_input, check_dtype, features_for, first_leaf, flattened, inputs_on_device
from npnets.spaces import Discrete
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class IntrinsicCuriosityModule(Network):
    """A model of the environment, whose error rewards an agent for what it has not seen yet.

    The forward model predicts the features of the next observation from those of an observation and an action. The
    inverse model predicts the action from the features of both observations.

    Parameters
    ----------
    feature_net : Layer
        Turns observations into features and returns them alone: `MLP`, the `model` of a `Net`, or one of your own.
    feature_dim : int
        Number of features.
    action_dim : int
        Number of actions; a `Discrete` space of Gymnasium means its `n`.
    hidden_sizes : sequence of int
        Widths of the hidden layers of the forward and of the inverse model.
    device : str, int or None
        Where `init` places parameters.

    Notes
    -----
    Tianshou's ``IntrinsicCuriosityModule``; Pathak et al. 2017. Parameters: `feature_net`, `forward_model` and
    `inverse_model`.
    """

    feature_net: Layer
    feature_dim: Integer
    action_dim: Integer | Discrete
    hidden_sizes: Sizes = ()
    device: Device = "cpu"

    def __post_init__(self) -> None:
        set_plain(self)
        check_is_network("feature_net", self.feature_net)
        set_fields(self, action_dim=actions_shape("action_dim", self.action_dim))
        set_sizes(self, "feature_dim", "action_dim")
        set_fields(self, hidden_sizes=self.forward_model.hidden_sizes)
        returned = getattr(self.feature_net, "output_dim", self.feature_dim)
        if returned != self.feature_dim:
            raise ValueError(f"feature_net returns {returned} features, but feature_dim is {self.feature_dim}")

    @cached_property
    def forward_model(self) -> MLP:
        """The MLP from the features of an observation and an action to those of the next observation."""
        features: Any = self.feature_dim
        return MLP(features + self.action_dim, features, self.hidden_sizes, device=self.device)

    @cached_property
    def inverse_model(self) -> MLP:
        """The MLP from the features of two observations to the logits of the action between them."""
        actions: Any = self.action_dim
        return MLP(2 * self.feature_dim, actions, self.hidden_sizes, device=self.device)

    @cached_property
    def spec(self) -> Spec:
        """`feature_net`, `forward_model` and `inverse_model`."""
        models = {"forward_model": self.forward_model.spec, "inverse_model": self.inverse_model.spec}
        return Spec({"feature_net": entry_of(self.feature_net), **models}, self.device)

    @computes_where_params
    def forward(self, params: Params, s1: object, act: ArrayLike, s2: object) -> tuple[Array, Array]:
        """Compare the predictions of both models with steps of the environment.

        Parameters
        ----------
        params : dict
            As `init` made them.
        s1 : (batch, ...) array
            Observations, as the feature net takes them.
        act : (batch,) array of int
            Actions, from zero to below `action_dim`.
        s2 : (batch, ...) array
            The observations that followed.

        Returns
        -------
        mse_loss : (batch,) array
            Half the squared distance between the predicted features and those of `s2`: the reward of curiosity, and the
            loss of the forward model. Derivatives go through the features of both observations.
        act_hat : (batch, action_dim) array
            Logits of the actions by the inverse model, for a cross entropy with `act`.
        """
        leaves = self.spec.read(params, self)
        phi1, phi2 = self._features(leaves, s1, "s1"), self._features(leaves, s2, "s2")
        if len(phi1) != len(phi2):
            raise ValueError(f"s1 and s2 must have a row for each step, but have {len(phi1)} and {len(phi2)}")
        actions: Any = self.action_dim
        phi2_hat = self._forward_model.run(leaves, nnp.concatenate([phi1, one_hot(act, actions, phi1)], 1))
        act_hat = self._inverse_model.run(leaves, nnp.concatenate([phi1, phi2], 1))
        return 0.5 * nnp.sum(nnp.square(phi2_hat - phi2), 1), act_hat

    def _features(self, leaves: Leaves, obs: object, name: str) -> Array:
        if is_known(self.feature_net):
            features = self._feature_net.run(leaves, flattened(as_input(obs, first_leaf(leaves), name), name))
        else:
            x: Any = inputs_on_device(obs, leaves[0])
            features = features_for(leaves[1:], leaves[0], self._feature_net.run(leaves, x))
        if features.shape[1:] != (self.feature_dim,):
            raise ValueError(
                f"feature_net must return features of shape (batch, {self.feature_dim}), but returned "
                f"{features.shape}; is feature_dim another number than it returns, or {name} a single observation?"
            )
        check_dtype(features.dtype, leaves[-1], self)
        return features

    @cached_property
    def _feature_net(self) -> Sequential:
        return part_of(self.spec, "feature_net", self.feature_net)

    @cached_property
    def _forward_model(self) -> Sequential:
        return part_of(self.spec, "forward_model", self.forward_model)

    @cached_property
    def _inverse_model(self) -> Sequential:
        return part_of(self.spec, "inverse_model", self.inverse_model)
