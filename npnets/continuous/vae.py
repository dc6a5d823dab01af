"""The variational autoencoder of BCQ: which actions the data would take."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import npnets.numpy as nnp
from npnets.backend import Array, Device, parse_device
from npnets.common import Linear
from npnets.common.chain import Chain
from npnets.common.protocols import Layer, check_is_network, init_part
from npnets.continuous.pairs import paired
from npnets.continuous.shortcut import one_part
from npnets.description import Bound, bound, cached_property, call_repr, no_call, set_fields, set_plain, size
from npnets.functional import scaled
from npnets.initializers import check_generator, placed
from npnets.inputs import as_input, check_keys, check_parameters, check_width, first_leaf, follows_params
from npnets.kernels.activations import activate
from npnets.kernels.latent import latent_draw
from npnets.tree import Params, Tree

LOG_STD_MIN, LOG_STD_MAX = -4, 15
LATENT_LIMIT = 0.5


@dataclass(frozen=True, repr=False)
class VAE:
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
    max_action : float or sequence of float
        Bound of the actions: one number, or one for each dimension.
    device : str, int or None
        Where `init` places parameters.

    Notes
    -----
    Tianshou's ``VAE``; Fujimoto, Meger and Precup 2019. Parameters: `encoder`, `mean`, `log_std`, `decoder`.
    """

    encoder: Layer
    decoder: Layer
    hidden_dim: int
    latent_dim: int
    max_action: Bound
    device: Device = "cpu"

    __repr__ = call_repr
    __call__ = no_call

    def __post_init__(self) -> None:
        set_plain(self)
        check_is_network("encoder", self.encoder)
        check_is_network("decoder", self.decoder)
        parse_device(self.device)
        set_fields(self, hidden_dim=size("hidden_dim", self.hidden_dim), latent_dim=size("latent_dim", self.latent_dim))
        set_fields(self, max_action=bound("max_action", self.max_action, getattr(self.decoder, "output_dim", None)))
        answers = getattr(self.encoder, "output_dim", self.hidden_dim)
        if answers != self.hidden_dim:
            raise ValueError(f"the encoder answers with {answers} features, but hidden_dim is {self.hidden_dim}")

    @cached_property
    def latent_layer(self) -> Linear:
        """The layer from the encoder's features to the latent's mean; `log_std` has one of the same form."""
        return Linear(self.hidden_dim, self.latent_dim)

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Draw parameters: `{"encoder": ..., "mean": ..., "log_std": ..., "decoder": ...}`."""
        check_generator(rng)
        parts = {
            "encoder": init_part(self.encoder, rng, dtype),
            "mean": self.latent_layer.init(rng, dtype),
            "log_std": self.latent_layer.init(rng, dtype),
            "decoder": init_part(self.decoder, rng, dtype),
        }
        return placed(parts, self.device)

    @follows_params
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
        rng : numpy.random.Generator, optional
            What the latent vectors are drawn with; exactly one of `rng` and `noise`.
        noise : (batch, latent_dim) array, optional
            Standard normal numbers to use instead.

        Returns
        -------
        reconstruction : (batch, actions) array
            Every entry within `[-max_action, max_action]`.
        mean, std : (batch, latent_dim) arrays
            Of the latent vectors; `log(std)` within [-4, 15].
        """
        self._expect(params)
        state, action = paired(params, state, action, "action")
        features = self._encoded(params, nnp.concatenate([state, action], -1))
        noise = self._noise(rng, noise, features)
        mean, log_std = (self._head(params[name], features) for name in ("mean", "log_std"))
        mean, std, latent_z = latent_draw(features, mean, log_std, noise, LOG_STD_MIN, LOG_STD_MAX)
        reconstruction = self._reconstruct(params, state, latent_z)
        if reconstruction.shape != action.shape:
            raise ValueError(
                f"the decoder must answer with as many features as an action has entries, {action.shape}, but gave "
                f"{reconstruction.shape}"
            )
        return reconstruction, mean, std

    @follows_params
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
            Every entry within `[-max_action, max_action]`.
        """
        self._expect(params)
        if latent_z is None:
            latent_z = self._drawn_latent(rng, as_input(state, first_leaf(params), "state").shape[:-1])
        elif rng is not None:
            raise TypeError("decode takes latent_z, or rng to draw one with, but not both")
        state, latent_z = paired(params, state, latent_z, "latent_z")
        if latent_z.shape[-1] != self.latent_dim:
            raise ValueError(f"latent_z must have {self.latent_dim} entries a row, but has {latent_z.shape[-1]}")
        return self._reconstruct(params, state, latent_z)

    def _encoded(self, params: Tree, inputs: Array) -> Array:
        features = self._encoding.apply(params, inputs)
        if features is None:
            features = _answer("encoder", self.encoder, params["encoder"], inputs)
        check_width(features, self.hidden_dim, self.latent_layer)
        return features

    def _head(self, params: Tree, features: Array) -> Any:
        return check_parameters(params, self.latent_layer.shapes, features.dtype, self.latent_layer)

    def _reconstruct(self, params: Tree, state: Array, latent_z: Array) -> Array:
        inputs = nnp.concatenate([state, latent_z], -1)
        action = self._decoding.apply(params, inputs)
        if action is None:
            action = activate(_answer("decoder", self.decoder, params["decoder"], inputs), "tanh")
        return scaled(action, self.max_action)

    @cached_property
    def _encoding(self) -> Chain:
        return one_part("encoder", self.encoder, others=("mean", "log_std", "decoder"))

    @cached_property
    def _decoding(self) -> Chain:
        return one_part("decoder", self.decoder, then=("tanh",), others=("encoder", "mean", "log_std"))

    def _drawn_latent(self, rng: Any, batch: tuple[int, ...]) -> Array:
        if rng is None:
            raise TypeError("decode needs latent_z, or rng to draw one with: numpy.random.default_rng(seed)")
        drawn = check_generator(rng).standard_normal((*batch, self.latent_dim))
        return np.clip(drawn, -LATENT_LIMIT, LATENT_LIMIT)

    def _noise(self, rng: Any, noise: Any, features: Array) -> Array:
        if (rng is None) == (noise is None):
            raise TypeError("forward needs exactly one of rng (numpy.random.default_rng(seed)) and noise")
        shape = (*features.shape[:-1], self.latent_dim)
        drawn = check_generator(rng).standard_normal(shape) if noise is None else noise
        drawn = as_input(drawn, features, "noise")
        if drawn.shape != shape:
            raise ValueError(f"noise must have shape {shape}, but has {drawn.shape}")
        return drawn

    def _expect(self, params: Tree) -> None:
        check_keys(params, ("encoder", "mean", "log_std", "decoder"), self)


def _answer(name: str, part: Layer, params: Tree, inputs: Array) -> Array:
    answer = part.forward(params, inputs)
    if isinstance(answer, tuple):
        raise TypeError(
            f"the {name} must answer with an array, as MLP does, but gave a tuple; is it a Net? Use its .model"
        )
    return answer
