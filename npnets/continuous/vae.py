"""The variational autoencoder of BCQ, which generates actions like those in the data."""

from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff import is_traced
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device, parse_device
from npnets.bounds import Edge, repr_with_bounds, set_bounds
from npnets.common import Linear
from npnets.common.network import Network
from npnets.common.protocols import Layer, check_is_network
from npnets.common.sequential import Leaves, Sequential, entry_of, part_of
from npnets.common.spec import Spec
from npnets.continuous.action_axes import in_shape
from npnets.continuous.pairs import paired, paired_actions
from npnets.description import Bound, cached_property, set_plain, set_sizes
from npnets.functional import scaled
from npnets.initializers import check_generator
from npnets.inputs import as_input, check_dtype, check_width, first_leaf
from npnets.kernels.activations import TANH
from npnets.kernels.latent import latent_draw
from npnets.random_numbers import drawn_or_given
from npnets.tree import Params

LOG_STD_MIN, LOG_STD_MAX = -4, 15
LATENT_LIMIT = 0.5


@dataclass(frozen=True, repr=False)
class VAE(Network):
    """A variational autoencoder of actions, given observations.

    Parameters
    ----------
    encoder : MLP
        From observation and action side by side to `hidden_dim` features.
    decoder : MLP
        From observation and latent vector side by side to an action, unsquashed.
    hidden_dim : int
        Number of features that the encoder returns.
    latent_dim : int
        Size of the latent vector.
    max_action : float or sequence of float, optional
        Bound of the actions: one number, or one for each dimension. It is needed unless there are `low` and
        `high`.
    device : str, int or None
        Where `init` places parameters.
    low, high : float or array of the action's shape, optional
        In place of `max_action`: the lower and the upper bound of the actions.

    Notes
    -----
    Tianshou's ``VAE``; Fujimoto, Meger and Precup 2019. Parameters: `encoder`, `mean`, `log_std`, `decoder`.
    """

    encoder: Layer
    decoder: Layer
    hidden_dim: int
    latent_dim: int
    max_action: Bound | None = None
    device: Device = "cpu"
    _: KW_ONLY
    low: Edge | None = None
    high: Edge | None = None

    def __post_init__(self) -> None:
        set_plain(self)
        check_is_network("encoder", self.encoder)
        check_is_network("decoder", self.decoder)
        parse_device(self.device)
        set_sizes(self, "hidden_dim", "latent_dim")
        set_bounds(self, getattr(self.decoder, "output_dim", None))
        returned = getattr(self.encoder, "output_dim", self.hidden_dim)
        if returned != self.hidden_dim:
            raise ValueError(f"the encoder returns {returned} features, but hidden_dim is {self.hidden_dim}")

    def __repr__(self) -> str:
        return repr_with_bounds(self)

    @cached_property
    def latent_layer(self) -> Linear:
        """The layer from the encoder's features to the latent's mean; `log_std` has one of the same form."""
        return Linear(self.hidden_dim, self.latent_dim)

    @cached_property
    def spec(self) -> Spec:
        """`encoder`, `mean`, `log_std` and `decoder`."""
        latent = self.latent_layer.spec
        entries = {"encoder": entry_of(self.encoder), "mean": latent, "log_std": latent}
        return Spec({**entries, "decoder": entry_of(self.decoder)}, self.device)

    @computes_where_params
    def forward(
        self,
        params: Params,
        state: ArrayLike,
        action: ArrayLike,
        *,
        rng: np.random.Generator | None = None,
        noise: ArrayLike | None = None,
    ) -> tuple[Array, Array, Array]:
        """Encode actions, draw latent vectors, and decode them.

        Parameters
        ----------
        params : dict
            As `init` made them.
        state : (batch, features) array
            Observations.
        action : (batch, actions) array
            Actions of several axes, `(batch, *action_shape)`, are laid out in one for the encoder.
        rng : numpy.random.Generator, optional
            Draws the latent vectors; give exactly one of `rng` and `noise`.
        noise : (batch, latent_dim) array, optional
            Standard normal numbers to use instead.

        Returns
        -------
        reconstruction : array of the shape of `action`
            Every entry within its bounds.
        mean, std : (batch, latent_dim) arrays
            Of the latent vectors; `log(std)` within [-4, 15].
        """
        leaves = self.spec.read(params, self)
        state, action, came = paired_actions(leaves, state, action, (self.low, self.high))
        features = self._encoder.run(leaves, nnp.concatenate([state, action], -1))
        check_width(features, self.hidden_dim, self.latent_layer)
        to_mean, to_log_std = (tuple(leaves[self.spec.slices[name]]) for name in ("mean", "log_std"))
        check_dtype(features.dtype, to_mean[0], self)
        like = features if is_traced(features) else to_log_std[0]  # a traced one makes a copy of noise
        shape = (*features.shape[:-1], self.latent_dim)
        noise = drawn_or_given("noise", rng, noise, shape, like, "standard_normal")
        mean, std, latent_z = latent_draw(features, to_mean, to_log_std, noise, LOG_STD_MIN, LOG_STD_MAX)
        reconstruction = self._decoded(leaves, state, latent_z)
        if reconstruction.shape != action.shape:
            raise ValueError(
                f"the decoder must return as many features as an action has entries, {action.shape}, but returned "
                f"{reconstruction.shape}"
            )
        return in_shape(reconstruction, came), mean, std

    @computes_where_params
    def decode(
        self,
        params: Params,
        state: ArrayLike,
        latent_z: ArrayLike | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> Array:
        """Decode latent vectors to actions.

        Parameters
        ----------
        params : dict
            As `init` made them.
        state : (batch, features) array
            Observations.
        latent_z : (batch, latent_dim) array, optional
            Without it, standard normal numbers are drawn with `rng` and clipped to [-0.5, 0.5].
        rng : numpy.random.Generator, optional

        Returns
        -------
        (batch, actions) array
            Every entry within its bounds. Actions of several axes are laid out in one.
        """
        leaves = self.spec.read(params, self)
        if latent_z is None:
            latent_z = self._drawn_latent(rng, as_input(state, first_leaf(leaves), "state").shape[:-1])
        elif rng is not None:
            raise TypeError("decode takes latent_z, or rng to draw one with, but not both")
        state, latent_z = paired(leaves, state, latent_z, "latent_z")
        if latent_z.shape[-1] != self.latent_dim:
            raise ValueError(f"latent_z must have {self.latent_dim} entries a row, but has {latent_z.shape[-1]}")
        return self._decoded(leaves, state, latent_z)

    def _decoded(self, leaves: Leaves, state: Array, latent_z: Array) -> Array:
        decoded = self._decoder.run(leaves, nnp.concatenate([state, latent_z], -1))
        return scaled(decoded, self.max_action, self.low, self.high)

    @cached_property
    def _encoder(self) -> Sequential:
        return part_of(self.spec, "encoder", self.encoder)

    @cached_property
    def _decoder(self) -> Sequential:
        return part_of(self.spec, "decoder", self.decoder, then=TANH)

    def _drawn_latent(self, rng: object, batch: tuple[int, ...]) -> Array:
        if rng is None:
            raise TypeError("decode needs latent_z, or rng to draw one with: numpy.random.default_rng(seed)")
        drawn = check_generator(rng).standard_normal((*batch, self.latent_dim))
        return np.clip(drawn, -LATENT_LIMIT, LATENT_LIMIT)
