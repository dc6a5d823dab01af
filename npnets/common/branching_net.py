"""The branching dueling network: values of actions of several dimensions, each a choice of its own.

Symbols: `v` the value of an observation, `a` the advantages of a branch's actions; `q = v + a - mean(a)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common.mlp import MLP
from npnets.common.network import Network
from npnets.common.sequential import Operation, Sequential, entry_of, operations_of
from npnets.common.spec import Spec
from npnets.description import (
    MOST_LAYERS,
    Shape,
    Sizes,
    cached_property,
    set_fields,
    set_plain,
    set_sizes,
    shape,
    sizes,
    width,
)
from npnets.functional import ActivationLike
from npnets.inputs import as_input, first_leaf, flattened
from npnets.tree import Params, Tree

_SHARED = ("norm_layer", "norm_args", "activation", "act_args", "device")


@dataclass(frozen=True, repr=False)
class BranchingNet(Network):
    """A network of action values in branches, one for each dimension of an action.

    Parameters
    ----------
    state_shape : int or sequence of int
        Shape of one observation.
    num_branches : int
        Number of dimensions of an action, at least one.
    action_per_branch : int
        Number of choices in each dimension.
    common_hidden_sizes : sequence of int, optional
        Widths of the layers before all branches; without any, the branches read the observations themselves.
    value_hidden_sizes : sequence of int, optional
        Widths of the hidden layers of the MLP for the value.
    action_hidden_sizes : sequence of int, optional
        Widths of the hidden layers of each branch.
    norm_layer, norm_args, activation, act_args
        As in `MLP`, for every part.
    device : str, int or None
        Where `init` places parameters.

    Notes
    -----
    Tianshou's ``BranchingNet``; Tavakoli, Pardo and Kormushev 2018. Parameters: `common`, `value`, and `branches` with
    `branch_0`, `branch_1`, ...
    """

    state_shape: Shape
    num_branches: int = 0
    action_per_branch: int = 2
    common_hidden_sizes: Sizes | None = None
    value_hidden_sizes: Sizes | None = None
    action_hidden_sizes: Sizes | None = None
    norm_layer: Any = None
    norm_args: object = None
    activation: ActivationLike | Sequence[ActivationLike] = "relu"
    act_args: object = None
    device: Device = "cpu"

    def __post_init__(self) -> None:
        set_plain(self)
        set_fields(self, state_shape=shape("state_shape", self.state_shape))
        set_sizes(self, "num_branches", "action_per_branch")
        if self.num_branches > MOST_LAYERS:
            raise ValueError(f"num_branches must be at most {MOST_LAYERS}, but is {self.num_branches}")
        for name in ("common_hidden_sizes", "value_hidden_sizes", "action_hidden_sizes"):
            given = getattr(self, name)
            set_fields(self, **{name: None if given is None else sizes(name, given) or None})
        for part in (self.common, self.value, self.branch):  # each checks the arguments, and has them in one form
            set_fields(self, **{name: getattr(part, name) for name in _SHARED})

    @cached_property
    def common(self) -> MLP:
        """The MLP from observations to the features that all parts read."""
        return self._part(width(self.state_shape), 0, self.common_hidden_sizes)

    @cached_property
    def value(self) -> MLP:
        """The MLP from features to the value of an observation."""
        return self._part(self.common.output_dim, 1, self.value_hidden_sizes)

    @cached_property
    def branch(self) -> MLP:
        """The MLP from features to the advantages of a branch's actions; all branches have this form."""
        return self._part(self.common.output_dim, self.action_per_branch, self.action_hidden_sizes)

    @property
    def output_dim(self) -> int:
        """Number of action values, those of all branches."""
        return self.num_branches * self.action_per_branch

    @cached_property
    def spec(self) -> Spec:
        """`common`, `value` and `branches`."""
        branches = Spec({f"branch_{number}": entry_of(self.branch) for number in range(self.num_branches)})
        return Spec({"common": entry_of(self.common), "value": entry_of(self.value), "branches": branches})

    @computes_where_params
    def forward(self, params: Params, obs: ArrayLike, state: Tree = None) -> tuple[Array, Tree]:
        """Map observations to action values.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            Observations.
        state : any
            Returned as it is.

        Returns
        -------
        values : (batch, num_branches, action_per_branch) array
            Their mean over the actions of a branch is the value of the observation, in every branch.
        state
        """
        leaves = self.spec.read(params, self)
        return self._layers.run(leaves, flattened(as_input(obs, first_leaf(leaves)), "obs")), state

    def _part(self, inputs: int, outputs: int, hidden: Sizes | None) -> MLP:
        return MLP(inputs, outputs, hidden or (), **{name: getattr(self, name) for name in _SHARED})

    @cached_property
    def _layers(self) -> Sequential:
        own = self.spec.slices["branches"].stop - self.spec.slices["value"].start
        return Sequential([*operations_of(self.common, "common"), Operation(self._action_values, own)])

    def _action_values(self, features: Array, *leaves: Tree) -> Array:
        v, *branches = (part.run(leaves, features) for part in self._heads)
        a = nnp.stack(branches, 1)
        return nnp.expand_dims(v, 1) + (a - nnp.mean(a, 2, True))

    @cached_property
    def _heads(self) -> list[Sequential]:
        """The layers of the value and of each branch, whose leaves come one after the other."""
        value, branches = self.spec["value"].size, self.spec["branches"]
        starts = [0, *(value + own.start for own in branches.slices.values())]
        parts = [self.value, *[self.branch] * self.num_branches]
        return [Sequential(operations_of(part, "branch"), start=at) for part, at in zip(parts, starts, strict=True)]
