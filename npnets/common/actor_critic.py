"""An actor and a critic in one description, with one tree of parameters, whose trunk they may share."""

from dataclasses import dataclass, field
from typing import Any, NoReturn

from npnets.common.network import Network
from npnets.common.protocols import check_is_network
from npnets.common.spec import Spec, own_spec
from npnets.description import cached_property, check_flags, set_plain
from npnets.tree import Params, Tree

TRUNK = "preprocess"


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
        raise TypeError(
            "ActorCritic has no forward: parts = actor_critic.split(params), and then "
            "actor_critic.actor.forward(parts['actor'], obs), actor_critic.critic.forward(parts['critic'], obs)"
        )

    @cached_property
    def spec(self) -> Spec:
        """`actor` and `critic`, after `preprocess` if they share it."""
        actor, critic = (own_spec(net) or net for net in (self.actor, self.critic))
        if not self.share_preprocess:
            return Spec({"actor": actor, "critic": critic})
        return Spec({TRUNK: actor[TRUNK], "actor": actor.without(TRUNK), "critic": critic.without(TRUNK)})

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
