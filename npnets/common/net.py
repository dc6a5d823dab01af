"""The network that actors and critics stand on: an MLP, with outputs for values, dueling and atoms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common.linear import Linear
from npnets.common.mlp import MLP
from npnets.common.network import Network
from npnets.common.protocols import Layer
from npnets.common.sequential import Operation, Sequential, entry_of, operations_of
from npnets.common.spec import Spec
from npnets.description import (
    Shape,
    Sizes,
    cached_property,
    check_flags,
    frozen,
    set_fields,
    set_plain,
    set_sizes,
    shape,
    width,
)
from npnets.functional import ActivationLike
from npnets.inputs import as_array, as_input, first_leaf, flattened
from npnets.tree import Params, Tree

_SHARED = ("hidden_sizes", "norm_layer", "norm_args", "activation", "act_args", "device", "linear_layer")


@dataclass(frozen=True, repr=False)
class Net(Network):
    """An MLP from observations, or observations and actions, to features, action values or distributions over atoms.

    Parameters
    ----------
    state_shape : int or sequence of int
        Shape of one observation.
    action_shape : int or sequence of int
        Shape of the output; zero means that the last hidden layer is the output. With `concat` it is the shape of the
        actions that come in instead.
    hidden_sizes : sequence of int
        Widths of the hidden layers.
    norm_layer, norm_args, activation, act_args, linear_layer
        As in `MLP`.
    device : str, int or None
        Where `init` places parameters.
    softmax : bool
        Whether a softmax over the last axis follows.
    concat : bool
        Whether actions come in beside observations, as in a critic.
    num_atoms : int
        For distributional reinforcement learning: the output is `(batch, actions, num_atoms)` if above one.
    dueling_param : tuple of two dicts, optional
        Arguments of one `MLP` for advantages (`Q`) and one for the value (`V`) of a dueling network (Wang et al. 2016).

    Notes
    -----
    Tianshou's ``Net``. Parameters: `model`, and with `dueling_param` `Q` and `V`. The attribute `output_dim` is
    the number of features of the output.
    """

    state_shape: Shape
    action_shape: Shape = 0
    hidden_sizes: Sizes = ()
    norm_layer: Any = None
    norm_args: object = None
    activation: ActivationLike | Sequence[ActivationLike] = "relu"
    act_args: object = None
    device: Device = "cpu"
    softmax: bool = False
    concat: bool = False
    num_atoms: int = 1
    dueling_param: tuple[dict[str, Any], dict[str, Any]] | None = None
    linear_layer: Callable[[int, int], Layer] = Linear

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "softmax", "concat")
        set_fields(self, state_shape=shape("state_shape", self.state_shape))
        set_fields(self, action_shape=shape("action_shape", self.action_shape, least=0))
        set_sizes(self, "num_atoms")
        set_fields(self, dueling_param=_checked_dueling(frozen(self.dueling_param)))
        model = self.model
        set_fields(self, **{name: getattr(model, name) for name in _SHARED})
        if model.is_ensemble and (self.num_atoms > 1 or self.dueling_param is not None):
            raise ValueError("an ensemble (linear_layer) cannot be combined with num_atoms or dueling_param")
        if self.Q is not None and self.V is not None and self.V.output_dim not in (self.num_atoms, self.Q.output_dim):
            raise ValueError(f"dueling_param makes Q {self.Q.output_dim} wide and V {self.V.output_dim}")

    @cached_property
    def model(self) -> MLP:
        """The MLP from inputs to features."""
        inputs, actions = width(self.state_shape), self._actions
        outputs = 0 if self.concat or self.dueling_param is not None else actions
        shared = {name: getattr(self, name) for name in _SHARED}
        return MLP(inputs + actions * self.concat, outputs, **shared)

    @cached_property
    def Q(self) -> MLP | None:
        """The MLP for the advantage of each action, in a dueling network."""
        return self._dueling_part(0, 0 if self.concat else self._actions)

    @cached_property
    def V(self) -> MLP | None:
        """The MLP for the value, in a dueling network."""
        return self._dueling_part(1, 0 if self.concat else self.num_atoms)

    @property
    def output_dim(self) -> int:
        """Number of features of the output, atoms included."""
        return (self.Q or self.model).output_dim

    @cached_property
    def spec(self) -> Spec:
        """`model`, and `Q` and `V` in a dueling network."""
        return Spec({name: entry_of(part) for name, part in self._parts.items()})

    @computes_where_params
    def forward(self, params: Params, obs: ArrayLike, state: Tree = None) -> tuple[Array, Tree]:
        """Map observations to logits.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            Observations; with `concat`, each followed by its action.
        state : any
            Returned as it is.

        Returns
        -------
        logits : (batch, output_dim) array
            Or `(batch, actions, num_atoms)`; with an ensemble `(members, batch, output_dim)`.
        state
        """
        leaves = self.spec.read(params, self)
        x = as_input(obs, first_leaf(leaves)) if leaves else as_array(obs)
        return self._layers.run(leaves, flattened(x, "obs")), state

    @cached_property
    def _sequence(self) -> tuple[Operation, ...]:
        """The operations from validated inputs to logits.

        They are not called `_operations`, because a `Net` is no layer: its `forward` returns a pair.
        """
        operations = [*operations_of(self.model, "model")]
        if self.Q is not None and self.V is not None:
            operations.append(Operation(self._duel, self.spec.slices["V"].stop - self.spec.slices["Q"].start))
        elif self.num_atoms > 1:
            operations.append(Operation(self._by_atoms, 0))
        return (*operations, Operation(nnp.softmax, 0)) if self.softmax else tuple(operations)

    @cached_property
    def _layers(self) -> Sequential:
        return Sequential(self._sequence)

    @cached_property
    def _parts(self) -> dict[str, MLP]:
        parts = {"model": self.model, "Q": self.Q, "V": self.V}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def _actions(self) -> int:
        return width(self.action_shape) * self.num_atoms

    def _dueling_part(self, index: int, outputs: int) -> MLP | None:
        if self.dueling_param is None:
            return None
        given = {**self.dueling_param[index], "input_dim": self.model.output_dim, "output_dim": outputs}
        return MLP(**{**given, "device": self.device})

    def _duel(self, features: Array, *leaves: Tree) -> Array:
        advantages, value = (head.run(leaves, features) for head in self._heads)
        if self.num_atoms > 1:
            advantages, value = self._by_atoms(advantages), self._by_atoms(value)
        return advantages - nnp.mean(advantages, 1, True) + value

    @cached_property
    def _heads(self) -> list[Sequential]:
        """The layers of `Q` and `V`, whose leaves come one after the other."""
        start, parts = self.spec.slices["Q"].start, self._parts
        return [Sequential(operations_of(parts[n], n), start=self.spec.slices[n].start - start) for n in ("Q", "V")]

    def _by_atoms(self, logits: Array) -> Array:
        rows, columns = logits.shape
        return nnp.reshape(logits, (rows, columns // self.num_atoms, self.num_atoms))


def _checked_dueling(param: object) -> Any:
    if param is None:
        return None
    if not isinstance(param, tuple) or len(param) != 2 or not all(isinstance(part, dict) for part in param):
        raise TypeError(
            f"dueling_param must be a pair of dicts, arguments of the MLPs for Q and V, but is {param!r:.80}"
        )
    known = {field.name for field in fields(MLP) if field.init}
    unknown = sorted((param[0].keys() | param[1].keys()) - known)
    if unknown:
        raise ValueError(f"dueling_param has unknown arguments {unknown}; MLP takes {sorted(known)}")
    return param
