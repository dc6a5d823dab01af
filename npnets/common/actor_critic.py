"""An actor and a critic in one description, with one tree of parameters, whose trunk they may share."""

from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from npnets import tree
from npnets.autodiff import bare
from npnets.common.network import Network
from npnets.common.protocols import check_is_network
from npnets.common.spec import Spec, own_spec
from npnets.description import cached_property, check_flags, set_plain
from npnets.tree import Params, Tree

TRUNK = "preprocess"

_NO_FORWARD = (
    "ActorCritic has no forward: parts = actor_critic.split(params), and then "
    "actor_critic.actor.forward(parts['actor'], obs), actor_critic.critic.forward(parts['critic'], obs)"
)


@dataclass(frozen=True, repr=False)
class ActorCritic(Network):
    """An actor and a critic with one tree of parameters, for an optimizer that trains both.

    Parameters
    ----------
    actor, critic : network
        Any networks; to share a trunk, networks of npnets with the same `preprocess_net`.
    share_preprocess : bool
        Whether both have one trunk, which then stands once in the parameters.

    Notes
    -----
    Tianshou's ``ActorCritic``, in which actor and critic share a trunk if they were made with the same module. It has
    no `forward`: `split` returns the parameters that `actor.forward` and `critic.forward` take. Parameters: `actor` and
    `critic`; with `share_preprocess` also `preprocess`, which the other two then lack.
    """

    actor: Any
    critic: Any
    share_preprocess: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        set_plain(self)
        check_flags(self, "share_preprocess")
        for name, net in (("actor", self.actor), ("critic", self.critic)):
            check_is_network(name, net)
            if self.share_preprocess and TRUNK not in (own_spec(net) or ()):
                raise TypeError(
                    f"share_preprocess needs networks of npnets with a preprocess_net, but {name} is {net!r:.80}; for "
                    "networks of your own leave share_preprocess out, and pass one trunk's parameters to both"
                )
        if self.share_preprocess and self.actor.preprocess_net != self.critic.preprocess_net:
            raise ValueError(
                "share_preprocess needs the same preprocess_net in both, but that of the actor is "
                f"{self.actor.preprocess_net!r:.120}, and that of the critic {self.critic.preprocess_net!r:.120}"
            )

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise an error that says how its networks are called."""
        raise TypeError(_NO_FORWARD)

    @property
    def forward(self) -> NoReturn:
        """Not available: `split` returns parameters for the forward of each network. It raises `AttributeError`."""
        raise AttributeError(_NO_FORWARD)

    @cached_property
    def spec(self) -> Spec:
        """`actor` and `critic`, after `preprocess` if they share it."""
        apart = self._apart
        if not self.share_preprocess:
            return apart
        return Spec({TRUNK: apart["actor"][TRUNK], **{name: part.without(TRUNK) for name, part in apart.items()}})

    @cached_property
    def _apart(self) -> Spec:
        """`actor` and `critic`, each with a trunk of its own, as `split` returns them."""
        return Spec({name: own_spec(net) or net for name, net in (("actor", self.actor), ("critic", self.critic))})

    def split(self, params: Params) -> Params:
        """Return the parameters of the actor and of the critic.

        Parameters
        ----------
        params : dict
            As `init` made them. While they are differentiated, the gradients of both networks reach the one trunk.

        Returns
        -------
        dict
            `actor` and `critic`, for `actor.forward` and `critic.forward`; a shared trunk stands in both, without a
            copy.
        """
        self.spec.read(params, self)
        if not self.share_preprocess:
            return {"actor": params["actor"], "critic": params["critic"]}
        trunk: Tree = {TRUNK: params[TRUNK]}
        return {name: {**trunk, **params[name]} for name in ("actor", "critic")}

    def join(self, parts: Params) -> Params:
        """Return the parameters of both networks from those of each: the inverse of `split`.

        Parameters
        ----------
        parts : dict
            `actor` and `critic`, such as two that were read from state dicts.

        Returns
        -------
        dict
            As `init` makes them.

        Raises
        ------
        ValueError
            If the networks share a trunk, and that of the critic has other numbers than that of the actor.
        """
        self._apart.read(parts, self)
        if not self.share_preprocess:
            return {"actor": parts["actor"], "critic": parts["critic"]}
        differing = _first_difference(*(parts[name][TRUNK] for name in ("actor", "critic")))
        if differing is not None:
            raise ValueError(
                f"the actor and the critic share a trunk, but that of the critic has other numbers than that of the "
                f"actor, first in {differing!r}; to keep both make ActorCritic with share_preprocess=False"
            )
        heads = {name: {key: leaf for key, leaf in parts[name].items() if key != TRUNK} for name in ("actor", "critic")}
        return {TRUNK: parts["actor"][TRUNK], **heads}


def _first_difference(one: Tree, other: Tree) -> str | None:
    """Return the path of the first array in which two trees of the same structure differ, or `None`."""
    numbers = (tree.leaves(tree.to_numpy(tree.map(bare, part))) for part in (one, other))
    pairs = zip(tree.paths(one), *numbers, strict=True)
    return next((path for path, left, right in pairs if not np.array_equal(left, right, equal_nan=True)), None)
