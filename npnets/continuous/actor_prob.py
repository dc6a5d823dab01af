"""An actor that answers with a normal distribution."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from npnets.backend import Array, Device
from npnets.common import MLP, PreprocessNet
from npnets.common.chain import Chain
from npnets.common.protocols import features_of, init_part, run_preprocess
from npnets.continuous.gaussian_head import bound_of_mean, mean, sigma_from_features, sigma_from_parameter
from npnets.continuous.shortcut import trunk_and_head
from npnets.description import (
    Bound,
    Shape,
    Sizes,
    cached_property,
    call_repr,
    check_flags,
    no_call,
    set_fields,
    set_plain,
    shape,
    width,
)
from npnets.functional import scaled
from npnets.initializers import check_floating, check_generator, placed
from npnets.inputs import check_dtype, check_keys, check_parameter, features_for, flattened_features, follows_params
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class ActorProb:
    """An actor that returns the mean and the standard deviation of a normal distribution over actions.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        Turns observations into features.
    action_shape : int or sequence of int
        Shape of an action.
    hidden_sizes : sequence of int
        Widths of hidden layers after the preprocess net, for the mean and for a conditioned sigma alike.
    max_action : float or sequence of float
        Bound of the mean: one number, or one for each dimension.
    device : str, int or None
        Where `init` places parameters.
    unbounded : bool
        Whether the mean is left unsquashed; `max_action` is then discarded, with a warning if it was set.
    conditioned_sigma : bool
        Whether the standard deviation is computed from the observation; else it is a parameter of its own.
    preprocess_net_output_dim : int, optional
        Number of features, for a preprocess net without `output_dim`.

    Notes
    -----
    Tianshou's ``ActorProb``. Parameters: `preprocess`, `mu`, and `sigma` (with `conditioned_sigma`) or `log_sigma`
    `(actions,)`.
    """

    preprocess_net: PreprocessNet
    action_shape: Shape
    hidden_sizes: Sizes = ()
    max_action: Bound = 1.0
    device: Device = "cpu"
    unbounded: bool = False
    conditioned_sigma: bool = False
    preprocess_net_output_dim: int | None = None

    __repr__ = call_repr
    __call__ = no_call

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "unbounded", "conditioned_sigma")
        set_fields(self, action_shape=shape("action_shape", self.action_shape))
        set_fields(self, hidden_sizes=self.head.hidden_sizes)
        set_fields(self, max_action=bound_of_mean(self.max_action, self.unbounded, self.output_dim))

    @cached_property
    def head(self) -> MLP:
        """The MLP from features to the mean; a conditioned sigma has one of the same form."""
        features = features_of("preprocess_net", self.preprocess_net, self.preprocess_net_output_dim, takes_state=True)
        return MLP(features, self.output_dim, self.hidden_sizes, device=self.device)

    @property
    def output_dim(self) -> int:
        """Number of entries of an action."""
        return width(self.action_shape)

    def get_preprocess_net(self) -> PreprocessNet:
        """Return the preprocess net."""
        return self.preprocess_net

    def get_output_dim(self) -> int:
        """Return the number of entries of an action."""
        return self.output_dim

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Draw parameters: `{"preprocess": ..., "mu": ..., "sigma" or "log_sigma": ...}`; `log_sigma` is zero."""
        check_generator(rng)
        params = {"preprocess": init_part(self.preprocess_net, rng, dtype), "mu": self.head.init(rng, dtype)}
        if self.conditioned_sigma:
            return placed({**params, "sigma": self.head.init(rng, dtype)}, self.device)
        return placed({**params, "log_sigma": np.zeros(self.output_dim, check_floating(dtype))}, self.device)

    @follows_params
    def forward(self, params: Params, obs: Any, state: Any = None, info: Any = None) -> tuple[tuple[Array, Array], Any]:
        """Map observations to distributions over actions.

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
        (mu, sigma) : two (batch, actions) arrays
            Mean, within `[-max_action, max_action]` unless unbounded, and standard deviation.
        state
            The preprocess net's new state (Tianshou 1.0.0 gives the old one).
        """
        mu = self._chain_to_mean.run(params, obs=obs)
        if mu is not None:
            return (scaled(mu, self.max_action), self._shared_sigma(params, mu)), state
        logits, state = self._features(params, obs, state)
        mu = mean(self.head.apply(params["mu"], logits), self.max_action, self.unbounded)
        if self.conditioned_sigma:
            return (mu, sigma_from_features(self.head.apply(params["sigma"], logits))), state
        return (mu, self._shared_sigma(params, mu)), state

    def _features(self, params: Tree, obs: Any, state: Any) -> tuple[Array, Any]:
        features = self._chain_to_features.run(params, obs=obs)
        if features is not None:
            return features, state
        check_keys(params, self._names, self)
        logits, state = run_preprocess(self.preprocess_net, params["preprocess"], obs, state)
        logits = features_for(params["mu"], params["preprocess"], logits)
        remedy = "an actor needs the features of a single network"
        return flattened_features(logits, obs, self.head.input_dim, remedy), state

    def _shared_sigma(self, params: Tree, mu: Array) -> Array:
        log_sigma = check_parameter(params["log_sigma"], (self.output_dim,), "log_sigma", self)
        check_dtype(mu.dtype, log_sigma, self)
        return sigma_from_parameter(log_sigma, mu)

    @cached_property
    def _chain_to_mean(self) -> Chain:
        if self.conditioned_sigma:  # then there are two ways on from the features
            return Chain(())
        then = None if self.unbounded else ("tanh",)
        return trunk_and_head(self.preprocess_net, ("mu", self.head), then, others=self._names[2:])

    @cached_property
    def _chain_to_features(self) -> Chain:
        return trunk_and_head(self.preprocess_net, None, others=self._names[1:])

    @property
    def _names(self) -> tuple[str, ...]:
        return ("preprocess", "mu", "sigma" if self.conditioned_sigma else "log_sigma")
