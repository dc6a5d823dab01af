"""The perturbation network of BCQ."""

from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device, parse_device
from npnets.bounds import Edge, repr_with_bounds, set_bounds
from npnets.common import PreprocessNet
from npnets.common.network import Network
from npnets.common.protocols import check_is_network
from npnets.common.spec import Spec
from npnets.common.trunk import NetBody, OwnBody, body, entry_of_trunk
from npnets.continuous.action_axes import in_shape
from npnets.continuous.pairs import paired_actions
from npnets.description import Bound, cached_property, set_plain
from npnets.functional import limit, rounded_like, scaled
from npnets.kernels.activations import TANH
from npnets.tree import Params


@dataclass(frozen=True, repr=False)
class Perturbation(Network):
    """A network that moves a given action a little: by up to `phi * max_action`, and never out of the bounds.

    With `low` and `high` it moves it by up to `phi * (high - low) / 2`.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        From observation and action side by side to as many features as an action has entries.
    max_action : float or sequence of float, optional
        Bound of the actions: one number, or one for each dimension. It is needed unless there are `low` and
        `high`.
    device : str, int or None
        Where `init` places parameters.
    phi : float
        The largest change, as a fraction of the bound, or of half the width from `low` to `high`.
    low, high : float or array of the action's shape, optional
        In place of `max_action`: the lower and the upper bound of the actions.

    Notes
    -----
    Tianshou's ``Perturbation``; Fujimoto, Meger and Precup 2019. Parameters: `preprocess`.
    """

    preprocess_net: PreprocessNet
    max_action: Bound | None = None
    device: Device = "cpu"
    phi: float = 0.05
    _: KW_ONLY
    low: Edge | None = None
    high: Edge | None = None

    def __post_init__(self) -> None:
        set_plain(self)
        check_is_network("preprocess_net", self.preprocess_net)
        parse_device(self.device)
        set_bounds(self, getattr(self.preprocess_net, "output_dim", None))
        if not isinstance(self.phi, (int, float, np.number)) or not np.isfinite(self.phi):
            raise ValueError(f"phi must be a finite number, but is {self.phi!r}")

    def __repr__(self) -> str:
        return repr_with_bounds(self)

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
            Actions of several axes, `(batch, *action_shape)`, are laid out in one for the preprocess net.

        Returns
        -------
        array of the shape of `action`
            Every entry within its bounds.
        """
        leaves = self.spec.read(params, self)
        state, action, came = paired_actions(leaves, state, action, (self.low, self.high))
        change = self._body.run(leaves, nnp.concatenate([state, action], -1))
        if change.shape != action.shape:
            raise ValueError(
                f"the preprocess net must return as many features as an action has entries, {action.shape}, but "
                f"returned {change.shape}"
            )
        if self.low is None:
            change = scaled(change, self.max_action)
        else:
            change = rounded_like(self.low, self.high, change).half * change
        return in_shape(limit(self.phi * change + action, self.max_action, self.low, self.high), came)

    @cached_property
    def _body(self) -> NetBody | OwnBody:
        return body(self.preprocess_net, then=TANH)
