"""What is exported: a network, or a policy around it, with parameters that a file can hold."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal

import numpy as np

from npnets import normalization as normalizing
from npnets import tree
from npnets.autodiff import bare
from npnets.description import cached_property
from npnets.discrete import FractionProposalNetwork, FullQuantileFunction
from npnets.export.interface import Arrays, Interface, Reference, Shapes, innermost, interface_of, state_shape
from npnets.export.lowering.bounds import bounds_of, middle_and_half
from npnets.normalization import Normalization, Normalized
from npnets.normalization.network import check_normalized_once
from npnets.normalization.statistics import checked
from npnets.policy import Policy
from npnets.tree import Params, Tree

Output = Literal["action", "network"]
Ranges = dict[str, tuple[Any, Any]]
"""By the name of an input: its middle and its deviation, numbers or arrays of its shape."""


@dataclass(frozen=True)
class Subject:
    """A network as it is exported; with a `policy` the output is its action, else what `forward` returns."""

    network: Any
    params: Params
    normalization: Normalization | None
    fraction_proposal: Any
    policy: Policy | None
    interface: Interface

    def call(self, inputs: Arrays, state: Tree) -> Reference:
        """Return what npnets computes for a batch."""
        if self.policy is not None:
            action, new_state = self.policy.step(inputs["obs"], state)
            return Reference((action,), new_state)
        if self.normalization is not None:
            obs = normalizing.normalize(self.normalization, inputs["obs"])
            inputs = {**inputs, "obs": obs.reshape((len(obs), *self._own_shapes["obs"]))}
        with np.errstate(over="ignore", invalid="ignore"):
            return self.interface.call(self, inputs, state)

    def nudged(self, rng: np.random.Generator, size: float) -> "Subject":
        """Return the same with every parameter changed by about a part of itself, such as `1e-5`."""

        def nudge(leaf: Any) -> Any:
            return leaf * (1 + size * rng.standard_normal(leaf.shape)).astype(leaf.dtype)

        params, proposal = tree.map(nudge, self.params), self.fraction_proposal
        proposal = proposal and (proposal[0], tree.map(nudge, proposal[1]))
        policy = self.policy and replace(self.policy, params=params, fraction_proposal=proposal)
        return replace(self, params=params, fraction_proposal=proposal, policy=policy)

    @cached_property
    def shapes(self) -> Shapes:
        """Shapes of the inputs by name."""
        own = self._own_shapes
        if self.normalization is None:
            return own
        seen = self.normalization.mean.shape
        if prod(seen) != prod(own["obs"]):
            raise ValueError(
                f"normalization is of observations of shape {seen}, but the network takes those of shape {own['obs']}"
            )
        return {**own, "obs": seen}

    @cached_property
    def _own_shapes(self) -> Shapes:
        return self.interface.shapes(self.network)

    @property
    def state_shape(self) -> tuple[int, int] | None:
        """Shape of `hidden` and of `cell`, `None` for a network without states."""
        return state_shape(self.network) if self.interface.keeps_state else None

    @property
    def description(self) -> str:
        """The network as the call that made it; of a policy that does more than the network, its own description."""
        acts_as_is = self.policy is None or (self.policy.to_action == "as_is" and self.normalization is None)
        return repr(self.network if acts_as_is else self.policy)

    @property
    def dtype(self) -> Any:
        """The dtype of the parameters."""
        leaves = tree.leaves(self.params)
        return leaves[0].dtype if leaves else np.dtype(np.float32)

    @property
    def ranges(self) -> Ranges:
        """Ordinary sizes of inputs."""
        ranges: Ranges = {}
        state = self.normalization or _statistics(self.network, self.params)
        if state is not None and state.mean.shape == self.shapes["obs"]:
            ranges["obs"] = (state.mean, np.sqrt(state.var + state.epsilon))
        if "act" in self.shapes and hasattr(self.network, "low"):
            axes = self.shapes["act"]
            middle, half = middle_and_half(bounds_of(self.network), int(np.prod(axes)), self.dtype)
            ranges["act"] = (middle.reshape(axes), half.reshape(axes))
        return ranges


def subject_of(
    network: Any, params: Any, normalization: Normalization | None, output: Output | None, fraction_proposal: Any
) -> Subject:
    """Return what is exported, from what the user passes.

    Raises
    ------
    TypeError, ValueError
        If it cannot be exported, with the reason.
    """
    policy = _given_policy(network, params, normalization, fraction_proposal)
    if policy is not None:
        network, params, normalization = policy.network, policy.params, policy.normalization
        fraction_proposal = policy.fraction_proposal
    if output not in (None, "action", "network"):
        raise ValueError(f"output must be 'action', 'network' or None, but is {output!r:.80}")
    check_normalized_once(network, normalization)
    interface = interface_of(network, output)
    _check_proposal(network, fraction_proposal)
    params = _for_a_file(network, params)
    if output is None:
        output = "action" if policy is not None or interface.is_policy else "network"
    acts = None
    if output == "action" and interface.acts_alone:
        given = {"normalization": normalization, "fraction_proposal": fraction_proposal}
        acts = Policy(network, params, **given) if policy is None else replace(policy, params=params)
    if normalization is not None:
        normalization = checked(normalization)
    return Subject(network, params, normalization, fraction_proposal, acts, interface)


def _given_policy(network: Any, params: Any, normalization: object, fraction_proposal: object) -> Policy | None:
    if isinstance(network, Policy):
        if any(given is not None for given in (params, normalization, fraction_proposal)):
            raise TypeError(
                "expected a Policy alone, or a network with its params, but got a Policy and params, normalization or "
                "fraction_proposal beside it, which it has itself; leave them out, or pass policy.network"
            )
        return network
    if isinstance(network, type) or not hasattr(network, "init"):
        raise TypeError(
            f"expected a network of npnets or a Policy, but got {network!r:.80}; the order is (path, network, params)"
        )
    if params is None:
        raise TypeError(f"expected the parameters of {network!r:.80} too: pass (path, network, params)")
    return None


def _check_proposal(network: Any, fraction_proposal: Any) -> None:
    takes_one = isinstance(innermost(network), FullQuantileFunction)
    if takes_one != (fraction_proposal is not None):
        raise TypeError(
            "fraction_proposal=(FractionProposalNetwork, its parameters) belongs to a FullQuantileFunction, which "
            f"needs it, but the network is {network!r:.80} and fraction_proposal {fraction_proposal!r:.40}"
        )
    if not takes_one:
        return
    if not isinstance(fraction_proposal, tuple) or len(fraction_proposal) != 2:
        raise TypeError(
            "fraction_proposal must be a pair (FractionProposalNetwork, its parameters), but is "
            f"{fraction_proposal!r:.80}"
        )
    proposes, its_params = fraction_proposal
    if type(proposes) is not FractionProposalNetwork:
        raise TypeError(
            f"fraction_proposal must begin with a FractionProposalNetwork, but begins with {proposes!r:.80}"
        )
    _for_a_file(proposes, its_params)


def _for_a_file(network: Any, params: Any) -> Params:
    """Return parameters as finite NumPy arrays, once they are checked to be the network's."""
    plain: Params = tree.to_numpy(tree.map(bare, params))
    network.spec.read(plain, network)
    leaves = zip(tree.paths(plain), tree.leaves(plain), strict=True)
    bad = [path for path, leaf in leaves if hasattr(leaf, "dtype") and not np.isfinite(leaf).all()]
    if bad:
        raise ValueError(
            f"cannot export parameters that are NaN or infinite, as in {', '.join(bad[:3])}; has training diverged?"
        )
    return plain


def _statistics(network: Any, params: Any) -> Normalization | None:
    """Return the statistics of a `Normalized` network or trunk."""
    while not isinstance(network, Normalized):
        if not hasattr(network, "preprocess_net"):
            return None
        network, params = network.preprocess_net, params["preprocess"]
    mean, var = (np.asarray(params["normalization"][name], np.float64) for name in ("mean", "var"))
    return Normalization(mean, var, 0.0, network.clip, network.epsilon)
