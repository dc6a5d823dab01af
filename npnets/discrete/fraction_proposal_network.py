"""The network that proposes quantile fractions: the sums of a softmax rise from zero to one.

    q = softmax(z),   tau_i = q_1 + ... + q_i,   tau_hat_i = (tau_i + tau_i+1) / 2

Symbols: `z` the logits `(batch, n)`; `tau_0` is zero and `tau_n` is one, up to rounding.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff import bare, stop_gradient
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array
from npnets.common import Linear
from npnets.common.network import Network
from npnets.common.sequential import Sequential, operations_of
from npnets.common.spec import Constant, Parameter, Spec
from npnets.description import cached_property, set_plain, set_sizes
from npnets.dtypes import DType
from npnets.inputs import as_input, check_width, flattened
from npnets.kernels.log_softmax import log_softmax
from npnets.tree import Params


class Fractions(NamedTuple):
    """Proposed quantile fractions.

    Attributes
    ----------
    taus : (batch, num_fractions + 1) array
        They rise from zero to one.
    tau_hats : (batch, num_fractions) array
        The middle between two neighbours; a constant to every derivative.
    entropies : (batch,) array
        Entropy of the distances between neighbours, which are probabilities.
    """

    taus: Array
    tau_hats: Array
    entropies: Array


@dataclass(frozen=True)
class XavierUniform:
    """Draws evenly within `gain * sqrt(6 / (in + out))`, for a weight `(in, out)`."""

    gain: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DType) -> Array:
        """Return an array of a shape and dtype."""
        limit = self.gain * math.sqrt(6 / sum(shape))
        return rng.uniform(-limit, limit, shape).astype(dtype)


@dataclass(frozen=True, repr=False)
class FractionProposalNetwork(Network):
    """A network that proposes quantile fractions for each observation, by its features.

    Parameters
    ----------
    num_fractions : int
        How many fractions it proposes.
    embedding_dim : int
        Number of features of an observation.

    Notes
    -----
    Tianshou's ``FractionProposalNetwork``; Yang et al. 2019. Parameters: `linear`, whose weight begins near zero and
    whose bias at zero, so that the first fractions are about even.
    """

    num_fractions: int
    embedding_dim: int

    def __post_init__(self) -> None:
        set_plain(self)
        set_sizes(self, "num_fractions", "embedding_dim")

    @cached_property
    def linear(self) -> Linear:
        """The layer from features to logits."""
        return Linear(self.embedding_dim, self.num_fractions)

    @property
    def output_dim(self) -> int:
        """Number of fractions."""
        return self.num_fractions

    @cached_property
    def spec(self) -> Spec:
        """`linear`, with initial values of its own."""
        layer = self.linear.spec
        weight = Parameter(layer["weight"].shape, XavierUniform(0.01))
        return Spec({"linear": Spec({"weight": weight, "bias": Parameter(layer["bias"].shape, Constant(0))})})

    @computes_where_params
    def forward(self, params: Params, obs_embeddings: ArrayLike) -> Fractions:
        """Map features of observations to fractions.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs_embeddings : (batch, embedding_dim) array

        Returns
        -------
        Fractions
            `taus`, `tau_hats` and `entropies`.
        """
        leaves = self.spec.read(params, self)
        embeddings = flattened(as_input(obs_embeddings, leaves[0], "obs_embeddings"), "obs_embeddings")
        check_width(embeddings, self.embedding_dim, self)
        logits = self._layers.run(leaves, embeddings)
        log_probs = log_softmax(logits)
        probs = nnp.exp(log_probs)
        taus = nnp.concatenate([nnp.zeros_like(bare(probs)[:, :1]), nnp.cumsum(probs, 1)], 1)
        fixed = stop_gradient(taus)
        return Fractions(taus, (fixed[:, :-1] + fixed[:, 1:]) / 2, -nnp.sum(probs * log_probs, 1))

    @cached_property
    def _layers(self) -> Sequential:
        return Sequential(operations_of(self.linear, "linear"))
