"""The perturbation network of BCQ."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import npnets.numpy as nnp
from npnets.backend import Array, Device, parse_device
from npnets.common import PreprocessNet
from npnets.common.chain import Chain
from npnets.common.protocols import check_is_network, init_part, run_preprocess
from npnets.continuous.pairs import paired
from npnets.continuous.shortcut import trunk_and_head
from npnets.description import Bound, bound, cached_property, call_repr, no_call, set_fields, set_plain
from npnets.functional import limit, scaled
from npnets.initializers import check_generator, placed
from npnets.inputs import check_keys, follows_params
from npnets.kernels.activations import activate
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class Perturbation:
    """A network that moves a given action a little: by up to `phi * max_action`, and never out of the bound.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        From observation and action side by side to as many features as an action has entries.
    max_action : float or sequence of float
        Bound of the actions: one number, or one for each dimension.
    device : str, int or None
        Where `init` places parameters.
    phi : float
        The largest change, as a share of the bound.

    Notes
    -----
    Tianshou's ``Perturbation``; Fujimoto, Meger and Precup 2019. Parameters: `preprocess`.
    """

    preprocess_net: PreprocessNet
    max_action: Bound
    device: Device = "cpu"
    phi: float = 0.05

    __repr__ = call_repr
    __call__ = no_call

    def __post_init__(self) -> None:
        set_plain(self)
        check_is_network("preprocess_net", self.preprocess_net)
        parse_device(self.device)
        set_fields(
            self, max_action=bound("max_action", self.max_action, getattr(self.preprocess_net, "output_dim", None))
        )
        if not isinstance(self.phi, (int, float, np.number)) or not np.isfinite(self.phi):
            raise ValueError(f"phi must be a finite number, but is {self.phi!r}")

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Draw parameters: `{"preprocess": ...}`."""
        return placed({"preprocess": init_part(self.preprocess_net, check_generator(rng), dtype)}, self.device)

    @follows_params
    def forward(self, params: Params, state: ArrayLike, action: ArrayLike) -> Array:
        """Perturb actions.

        Parameters
        ----------
        params : dict
            As `init` made them.
        state : (batch, features) array
            Observations.
        action : (batch, actions) array

        Returns
        -------
        (batch, actions) array
            Every entry within `[-max_action, max_action]`.
        """
        check_keys(params, ("preprocess",), self)
        state, action = paired(params, state, action, "action")
        inputs = nnp.concatenate([state, action], -1)
        moved = self._chain.apply(params, inputs)
        if moved is None:
            logits, _ = run_preprocess(self.preprocess_net, params["preprocess"], inputs)
            moved = activate(logits, "tanh")
        if moved.shape != action.shape:
            raise ValueError(
                f"the preprocess net must answer with as many features as an action has entries, {action.shape}, but "
                f"gave {moved.shape}"
            )
        bound: Any = self.max_action
        return limit(self.phi * scaled(moved, bound) + action, bound)

    @cached_property
    def _chain(self) -> Chain:
        return trunk_and_head(self.preprocess_net, None, then=("tanh",))
