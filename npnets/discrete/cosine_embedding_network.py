"""The embedding of quantile fractions by cosines, with which quantile networks see a fraction.

    embedding = relu(c W + b),  c_i = cos(i pi tau),  i = 1, ..., n

Symbols: `tau` a fraction between zero and one, `n` the number of cosines.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, device_of, to_device
from npnets.caches import bounded_cache
from npnets.common import Linear
from npnets.common.network import Network
from npnets.common.sequential import Operation, Sequential, entry_of, operations_of
from npnets.common.spec import Spec
from npnets.description import cached_property, set_plain, set_sizes
from npnets.inputs import as_input
from npnets.kernels.activations import Activation
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class CosineEmbeddingNetwork(Network):
    """An embedding of quantile fractions: cosines of each fraction, a linear layer and relu.

    Parameters
    ----------
    num_cosines : int
        Number of cosines of a fraction.
    embedding_dim : int
        Number of features of the embedding.

    Notes
    -----
    Tianshou's ``CosineEmbeddingNetwork``; Dabney et al. 2018, equation 4. Parameters: `linear`.
    """

    num_cosines: int
    embedding_dim: int

    def __post_init__(self) -> None:
        set_plain(self)
        set_sizes(self, "num_cosines", "embedding_dim")

    @cached_property
    def linear(self) -> Linear:
        """The layer from cosines to features."""
        return Linear(self.num_cosines, self.embedding_dim)

    @property
    def output_dim(self) -> int:
        """Number of features of the embedding."""
        return self.embedding_dim

    @cached_property
    def spec(self) -> Spec:
        """`linear`."""
        return Spec({"linear": entry_of(self.linear)})

    @computes_where_params
    def forward(self, params: Params, taus: ArrayLike) -> Array:
        """Map fractions to their embeddings.

        Parameters
        ----------
        params : dict
            As `init` made them.
        taus : (batch, samples) array
            Fractions between zero and one.

        Returns
        -------
        (batch, samples, embedding_dim) array
        """
        leaves = self.spec.read(params, self)
        return self._run(as_input(taus, bare(leaves[0]), "taus"), *leaves)

    def _run(self, taus: Array, *leaves: Array) -> Array:
        check_fractions("taus", taus)
        rows, samples = taus.shape
        multiples = _multiples_of_pi(self.num_cosines, taus.dtype.str, device_of(bare(taus)))
        cosines = nnp.cos(nnp.reshape(taus, (rows * samples, 1)) * multiples)
        return nnp.reshape(self._layers.run(leaves, cosines), (rows, samples, self.embedding_dim))

    @cached_property
    def _operations(self) -> tuple[Operation, ...]:
        return (Operation(self._run, 2),)

    @cached_property
    def _layers(self) -> Sequential:
        return Sequential(operations_of(self.linear, "linear"), Activation("relu"))


def check_fractions(name: str, taus: Array) -> None:
    """Check that fractions have an axis for the rows of a batch and one for each row's fractions."""
    if taus.ndim != 2:
        raise ValueError(
            f"{name} must have the shape (batch, samples), but has {taus.shape}; for the same fractions in every row "
            f"use numpy.broadcast_to({name}, (batch, samples))"
        )


@bounded_cache(maxsize=64)
def _multiples_of_pi(count: int, dtype: str, device: str) -> Array:
    """Return pi, 2 pi, ..., rounded as in PyTorch: cosines of large multiples show the last bit of pi."""
    return to_device(np.arange(1, count + 1, dtype=dtype) * np.dtype(dtype).type(np.pi), device)
