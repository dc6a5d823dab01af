"""The perturbation network of BCQ."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device, parse_device
from npnets.common import PreprocessNet
from npnets.common.network import Network
from npnets.common.protocols import check_is_network
from npnets.common.spec import Spec
from npnets.common.trunk import NetBody, OwnBody, body, entry_of_trunk
from npnets.continuous.pairs import paired
from npnets.description import Bound, bound, cached_property, set_fields, set_plain
from npnets.functional import limit, scaled
from npnets.kernels.activations import TANH
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class Perturbation(Network):
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
        The largest change, as a fraction of the bound.

    Notes
    -----
    Tianshou's ``Perturbation``; Fujimoto, Meger and Precup 2019. Parameters: `preprocess`.
    """

    preprocess_net: PreprocessNet
    max_action: Bound
    device: Device = "cpu"
    phi: float = 0.05

    def __post_init__(self) -> None:
        set_plain(self)
        check_is_network("preprocess_net", self.preprocess_net)
        parse_device(self.device)
        set_fields(
            self, max_action=bound("max_action", self.max_action, getattr(self.preprocess_net, "output_dim", None))
        )
        if not isinstance(self.phi, (int, float, np.number)) or not np.isfinite(self.phi):
            raise ValueError(f"phi must be a finite number, but is {self.phi!r}")

    @cached_property
    def spec(self) -> Spec:
        """`preprocess`."""
        return Spec({"preprocess": entry_of_trunk(self.preprocess_net)}, self.device)

    @computes_where_params
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
        leaves = self.spec.read(params, self)
        state, action = paired(leaves, state, action, "action")
        change = self._body.run(leaves, nnp.concatenate([state, action], -1))
        if change.shape != action.shape:
            raise ValueError(
                f"the preprocess net must return as many features as an action has entries, {action.shape}, but "
                f"returned {change.shape}"
            )
        bound: Any = self.max_action
        return limit(self.phi * scaled(change, bound) + action, bound)

    @cached_property
    def _body(self) -> NetBody | OwnBody:
        return body(self.preprocess_net, then=TANH)
