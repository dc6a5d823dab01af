"""The class of policies."""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np

import npnets.numpy as nnp
from npnets import tree
from npnets.autodiff import bare
from npnets.autodiff.devices import computing_where
from npnets.backend import Array, device_of
from npnets.description import cached_property, set_fields, uncached
from npnets.dtypes import COMPUTED
from npnets.inputs import as_array, first_leaf
from npnets.normalization import Normalization, normalize
from npnets.normalization.network import check_normalized_once, unwrapped
from npnets.normalization.statistics import checked
from npnets.policy import network as networks
from npnets.policy import saved
from npnets.policy.actions import Mapping, ToAction, checked_bounds, choice, mapping
from npnets.policy.observations import as_batch
from npnets.tree import Params, Tree

FractionProposal: TypeAlias = tuple[Any, Params]


@dataclass(frozen=True, eq=False, repr=False)
class Policy:
    """A trained network that acts: from an environment's observations to actions in the environment's own units.

    Parameters
    ----------
    network : network
        An actor of npnets, a `Net` or `BranchingNet` for action values, or a network of your own with
        `init`, `forward(params, obs, state=None)` and `output_dim`.
    params : dict
        Its parameters. Actions are computed on their device, in their dtype.
    normalization : Normalization, optional
        Observations are normalized by it first. A network with a `Normalized` has its own.
    to_action : str, optional
        How the network's output becomes an action. `"as_is"`: it is one. `"squash"`: `low + (high - low) * (tanh(x) +
        1) / 2`. `"clip"`: clipped to `[low, high]`. `"clip_and_scale"`: clipped to [-1, 1], then mapped to
        `[low, high]`. `"greedy"`: the index of the largest entry, of quantiles that of the largest mean. By default
        `"greedy"` for `discrete.Actor`, `BranchingNet` and the quantile networks, `"squash"` for an unbounded
        `ActorProb` or `RecurrentActorProb` that knows bounds, else `"as_is"`.
    low, high : float or array of the action's shape, optional
        Bounds of the actions; without them, those that the network has. With them `to_action` is needed.
    fraction_proposal : (FractionProposalNetwork, dict), optional
        The network that proposes fractions and its parameters, for a `discrete.FullQuantileFunction` alone.

    Attributes
    ----------
    low, high : array of the action's shape or None
        Bounds of the actions in float64, `None` if none are known.

    Notes
    -----
    A probabilistic actor acts by its mean. A `discrete.ImplicitQuantileNetwork` takes 32 fractions, evenly spaced.
    """

    network: Any
    params: Params
    normalization: Normalization | None = None
    to_action: ToAction | None = None
    low: Any = None
    high: Any = None
    fraction_proposal: FractionProposal | None = None

    def __init__(
        self,
        network: Any,
        params: Params,
        *,
        normalization: Normalization | None = None,
        to_action: ToAction | None = None,
        low: Any = None,
        high: Any = None,
        fraction_proposal: FractionProposal | None = None,
    ) -> None:
        networks.check(network, params, fraction_proposal)
        check_normalized_once(network, normalization)
        if (low is None) != (high is None):
            raise TypeError(f"expected low and high, or neither, but low is {low!r:.40} and high is {high!r:.40}")
        has_bounds = low is not None
        chosen = choice(network, to_action, has_bounds)
        if not has_bounds:
            low, high = networks.bounds(network) or (None, None)
        bounds = checked_bounds(low, high, network, chosen)
        low, high = bounds or (None, None)
        state = None if normalization is None else checked(normalization)
        set_fields(self, network=network, params=params, normalization=state, to_action=chosen, low=low, high=high)
        set_fields(self, fraction_proposal=fraction_proposal)
        _ = self._shape, self._mapping  # what does not fit is an error here, and not in a step

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        """Raise the error for a policy that is called."""
        raise TypeError("a policy is not called: use policy.act(obs), or policy.step(obs, state) if it has a memory")

    def __repr__(self) -> str:
        count = sum(math.prod(leaf.shape) for leaf in tree.leaves(self.params) if hasattr(leaf, "shape"))
        parts = [f"{self.network!r}, {count:,} parameters", f"to_action={self.to_action!r}"]
        parts += [f"{name}={getattr(self, name).tolist()}" for name in ("low", "high") if self.low is not None]
        if self.normalization is not None:
            parts.append(f"normalized by {self.normalization.count:g} observations")
        return f"Policy({', '.join(parts)})"

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes without cached properties, which are computed again where they are needed."""
        return uncached(self)

    def act(self, obs: Any) -> Array:
        """Return the action for an observation, or actions for a batch.

        Parameters
        ----------
        obs : array of one observation's shape, or (n, ...) array
            One observation or a batch, as the environment gives them.

        Returns
        -------
        array of one action's shape, or (n, ...) array
            In the environment's own units, within the bounds, in the dtype of the parameters; with
            `to_action="greedy"` indices in int64. They lie on the device of the parameters.

        Raises
        ------
        TypeError
            If the policy has a memory, which only `step` keeps, or needs more than an observation, or if observations
            are no numbers.
        ValueError
            If observations have another shape.
        """
        action, state = self.step(obs)
        if self._has_memory(state):
            raise TypeError(
                "act would forget what the policy remembers; use action, state = policy.step(obs, state), with "
                "state=None at the beginning of an episode"
            )
        return action

    def step(self, obs: Any, state: Tree = None) -> tuple[Array, Tree]:
        """Return the action for an observation and the new state of a policy with a memory.

        Parameters
        ----------
        obs : array of one observation's shape, or (n, ...) array
            One observation or a batch, as the environment gives them.
        state : any, optional
            As the call for the observation before returned it; without it, that of the beginning of an episode.

        Returns
        -------
        action : array of one action's shape, or (n, ...) array
            As `act` returns it.
        state
            The network's new state, with an axis of one for a single observation: `hidden` and `cell` of recurrent
            networks `(n, layers, hidden)`. `None` for a network without one.
        """
        self._check_one_input()
        x, is_single = as_batch(obs, self._shape)
        with computing_where(self.params):
            if self.normalization is not None:
                x = self._normalized(self.normalization, x)
            output, state = networks.run(self, x, state)
            action = self._action(output)
        return (action[0] if is_single else action), state

    def save(self, path: str | os.PathLike[str], metadata: dict[str, Any] | None = None) -> None:
        """Save the policy to a checkpoint, from which `load` makes it again.

        Parameters
        ----------
        path : str or path
            Ends in `.npz` or `.safetensors`; the latter needs `pip install 'npnets[safetensors]'`.
        metadata : dict, optional
            What else belongs to it, as in `npnets.checkpoint.save`; the keys `network` and `policy` are taken.

        Raises
        ------
        ValueError, TypeError, ImportError, OSError
            As `npnets.checkpoint.save`.
        """
        saved.save(path, self, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, classes: Iterable[type] = ()) -> "Policy":
        """Load a policy from a checkpoint: one that `save` wrote, or any other that holds a network and its parameters.

        Parameters
        ----------
        path : str or path
            A file of `Policy.save`, or of `npnets.checkpoint.save(path, params, {"network": network})`.
        classes : sequence of classes, optional
            Those of your own that the file names, as in `npnets.checkpoint.load`.

        Returns
        -------
        Policy

        Raises
        ------
        CheckpointError
            A `ValueError`: as `npnets.checkpoint.load`, or if the file holds no policy.
        ValueError, TypeError, ImportError, OSError
            As `npnets.checkpoint.load`.
        """
        return saved.load(path, cls, classes)

    # -- parts of a step ----------------------------------------------------------------------------------------------

    @cached_property
    def _like(self) -> Array:
        """A parameter, whose dtype and device are those of the actions; for a network without any, one of float32."""
        return bare(first_leaf([self.params])) if tree.leaves(self.params) else np.empty(0, np.float32)

    @cached_property
    def _takes_state(self) -> bool:
        """Whether the network's `forward` takes a state; to find out takes longer than the step of a small network."""
        return networks.takes_state(self.network)

    @cached_property
    def _mapping(self) -> Mapping:
        bounds = None if self.low is None else (self.low, self.high)
        to_action: Any = self.to_action
        return mapping(to_action, bounds, self._like.dtype).on(device_of(self._like))

    @cached_property
    def _axes(self) -> tuple[int, ...] | None:
        """The shape of one action, `None` if it is not known."""
        return networks.action_shape(self.network) if self.low is None else self.low.shape

    @cached_property
    def _network_shape(self) -> tuple[int, ...] | None:
        """The shape of one observation as the network takes it, `None` if it is not known."""
        return networks.observation_shape(self.network)

    @cached_property
    def _shape(self) -> tuple[int, ...] | None:
        """The shape of one observation as it comes, `None` if it is not known."""
        own = self._network_shape
        if self.normalization is None:
            return own
        found = self.normalization.mean.shape
        if own is not None and math.prod(found) != math.prod(own):
            raise ValueError(
                f"normalization is of observations of shape {found}, but the network takes those of shape {own}"
            )
        return found

    def _check_one_input(self) -> None:
        for kind, method in networks.MORE_INPUTS.items():
            if isinstance(unwrapped(self.network), kind):
                raise TypeError(f"a {kind.__name__} cannot act for an observation alone; use its {method}")

    def _normalized(self, normalization: Normalization, x: Any) -> Array:
        wide = as_array(x)
        found = normalize(normalization, wide if wide.dtype in COMPUTED else wide.astype(np.float64))
        own = self._network_shape
        return found if own is None or found.shape[1:] == own else found.reshape((len(found), *own))

    def _action(self, output: Array) -> Array:
        if self.to_action == "greedy":
            return self._mapping.apply(output)
        rows, *came = output.shape
        axes = tuple(came) if self._axes is None else self._axes
        if math.prod(came) != math.prod(axes):
            raise ValueError(f"the network must return actions of shape {axes}, but returned {tuple(came)}")
        flat = output if len(came) == 1 else nnp.reshape(output, (rows, math.prod(came)))
        action = self._mapping.apply(flat)
        return action if action.shape[1:] == axes else nnp.reshape(action, (rows, *axes))

    def _has_memory(self, state: Tree) -> bool:
        return state is not None and any(hasattr(leaf, "shape") for leaf in tree.leaves(state))
