"""The implicit quantile network: quantiles of the return of each action, at fractions that are drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from npnets.autodiff import bare
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common import MLP, PreprocessNet
from npnets.common.network import Network
from npnets.common.spec import Spec
from npnets.description import Sizes, cached_property, size
from npnets.discrete.actions import Actions
from npnets.discrete.cosine_embedding_network import CosineEmbeddingNetwork
from npnets.discrete.quantile_body import QuantileBody, head_of, set_quantile_fields, spec_of
from npnets.random_numbers import drawn_or_given
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class ImplicitQuantileNetwork(Network):
    """An implicit quantile network: quantiles of the return of each action, at drawn or given fractions.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        Turns observations into features: `Net`, or any network with `init`, `forward` and `output_dim`.
    action_shape : int, sequence of int or Discrete
        Number of actions; a shape means the product of its entries, and a `Discrete` space its `n`.
    hidden_sizes : sequence of int
        Widths of hidden layers after the product of features and embedding.
    num_cosines : int
        Number of cosines from which a fraction is embedded.
    preprocess_net_output_dim : int, optional
        Number of features, for a preprocess net without `output_dim`.
    device : str, int or None
        Where `init` places parameters.

    Notes
    -----
    Tianshou's ``ImplicitQuantileNetwork``; Dabney et al. 2018. Parameters: `preprocess`, `last` and `embed_model`.
    """

    preprocess_net: PreprocessNet
    action_shape: Actions
    hidden_sizes: Sizes = ()
    num_cosines: int = 64
    preprocess_net_output_dim: int | None = None
    device: Device = "cpu"

    def __post_init__(self) -> None:
        set_quantile_fields(self)

    @cached_property
    def last(self) -> MLP:
        """The MLP from the product of features and embedding to one value for each action."""
        return head_of(self)

    @cached_property
    def embed_model(self) -> CosineEmbeddingNetwork:
        """The embedding of fractions."""
        return CosineEmbeddingNetwork(self.num_cosines, self.last.input_dim)

    @property
    def output_dim(self) -> int:
        """Number of actions."""
        return self.last.output_dim

    @cached_property
    def spec(self) -> Spec:
        """`preprocess`, `last` and `embed_model`."""
        return spec_of(self)

    @computes_where_params
    def forward(
        self,
        params: Params,
        obs: object,
        sample_size: int,
        *,
        state: Tree = None,
        rng: np.random.Generator | None = None,
        taus: ArrayLike | None = None,
    ) -> tuple[tuple[Array, Array], Tree]:
        """Map observations to quantiles of each action's return.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            Observations, as the preprocess net takes them.
        sample_size : int
            Number of fractions for each observation.
        state : any
            For a recurrent preprocess net.
        rng : numpy.random.Generator, optional
            Draws the fractions evenly from zero to one; give exactly one of `rng` and `taus`.
        taus : (batch, sample_size) array, optional
            Fractions to use instead.

        Returns
        -------
        quantiles : (batch, actions, sample_size) array
            Their mean over the last axis is an estimate of the action's value.
        taus : (batch, sample_size) array
            The fractions, in the parameters' dtype.
        state
            The preprocess net's new state; the other two are a pair.
        """
        leaves = self.spec.read(params, self)
        features, state = self._body.features(leaves, obs, state)
        shape = (features.shape[0], _number(sample_size))
        taus = drawn_or_given("taus", rng, taus, shape, bare(leaves[-1]), "random")
        return (self._body.quantiles(leaves, features, taus), taus), state

    @cached_property
    def _body(self) -> QuantileBody:
        return QuantileBody(self)


def _number(sample_size: object) -> int:
    """Return the number of fractions; the error for an array of them tells where it belongs."""
    if getattr(sample_size, "ndim", 0) or isinstance(sample_size, (list, tuple)):
        raise TypeError(
            "sample_size must be an integer of at least 1, but is an array or a sequence; fractions are given by name: "
            "forward(params, obs, taus.shape[1], taus=taus)"
        )
    return size("sample_size", sample_size)
