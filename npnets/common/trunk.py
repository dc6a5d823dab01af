"""A trunk, which turns observations into features, with the head behind it: the body of actors and critics.

A `Net` runs together with the head, as one sequence. A trunk of the user's own, and any other network in its place,
runs by its own `forward`, and its features are validated before the head.
"""

from collections.abc import Iterable
from typing import TypeGuard

from npnets.backend import Array
from npnets.common.net import Net
from npnets.common.protocols import PreprocessNet, check_features, run_preprocess
from npnets.common.sequential import Leaves, Operation, Sequential
from npnets.common.spec import Spec
from npnets.inputs import as_input, features_for, first_leaf, flattened, flattened_features
from npnets.kernels.activations import Activation
from npnets.tree import Tree


class NetBody(Sequential):
    """The layers of a `Net` and a head."""

    def observe(self, leaves: Leaves, obs: object, state: Tree = None) -> tuple[Array, Tree]:
        """Return the head's output for observations as they came in, and the state unchanged."""
        return self.run(leaves, flattened(as_input(obs, first_leaf(leaves)), "obs")), state


class OwnBody:
    """A trunk that runs by its own `forward`, and a head.

    `features` is the number that the head takes, flattened to one axis; `None` for features of any shape. `remedy` ends
    the error for a trunk that is an ensemble, whose features cannot be flattened.
    """

    def __init__(self, trunk: PreprocessNet, head: Sequential, features: int | None, remedy: str) -> None:
        self._trunk, self._head, self._features, self._remedy = trunk, head, features, remedy

    def observe(self, leaves: Leaves, obs: object, *state: Tree) -> tuple[Array, Tree]:
        """Return the head's output and the trunk's new state."""
        features, new_state = run_preprocess(self._trunk, leaves[0], obs, *state)
        if len(leaves) > 1:
            features = features_for(leaves[1:], leaves[0], features)
        check_features(self._trunk, features)
        if self._features is not None:
            features = flattened_features(features, obs, self._features, self._remedy)
        return self._head.run(leaves, features), new_state

    def run(self, leaves: Leaves, x: Tree) -> Array:
        """Return the head's output for a validated array, or for an observation of another kind as it came in."""
        return self.observe(leaves, x)[0]


def is_net(trunk: PreprocessNet, takes_ensembles: bool) -> TypeGuard[Net]:
    """Return whether a trunk is a `Net` that runs together with its head, because its features need no flattening."""
    if type(trunk) is not Net or trunk.num_atoms > 1 or trunk.spec.has_own_parts:
        return False
    return takes_ensembles or not trunk.model.is_ensemble


def entry_of_trunk(trunk: PreprocessNet, takes_ensembles: bool = False) -> PreprocessNet | Spec:
    """Return what a spec holds for a trunk."""
    return trunk.spec if is_net(trunk, takes_ensembles) else trunk


def body(
    trunk: PreprocessNet,
    head: Iterable[Operation] = (),
    then: Activation | None = None,
    features: int | None = None,
    remedy: str = "an actor needs the features of a single network",
    takes_ensembles: bool = False,
) -> NetBody | OwnBody:
    """Return a trunk, a head and an activation; the leaves of trunk and head come first in the network's tree."""
    if is_net(trunk, takes_ensembles):
        return NetBody([*trunk._sequence, *head], then)
    return OwnBody(trunk, Sequential(head, then, start=1), features, remedy)
