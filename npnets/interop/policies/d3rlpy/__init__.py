"""Files that `algo.save(path)` of d3rlpy 2 writes: a pickle of a dict with torch's bytes, a configuration, a version.

The policy is what `algo.predict` computes, of probabilistic policies the mode. `configuration` reads the JSON,
`encoder` the hidden layers.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from npnets.backend import Array
from npnets.common.network import Network
from npnets.continuous import Actor, ActorProb
from npnets.discrete import Actor as DiscreteActor
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import listed, quoted
from npnets.interop import torch_file
from npnets.interop.library_file import LibraryFile
from npnets.interop.policies.activations import Named
from npnets.interop.policies.d3rlpy import configuration
from npnets.interop.policies.d3rlpy.encoder import Encoder, activation_of, encoder
from npnets.interop.policies.options import Options
from npnets.interop.policies.sequential import Dense, linear
from npnets.policy import Policy
from npnets.tree import Params

LIBRARY = "files of d3rlpy's algo.save(path)"


class _Source(NamedTuple):
    """Where an algorithm has its policy: the module, the beginning of names in it, and its encoder's configuration."""

    module: str
    encoder: str
    at: str = ""
    is_discrete: bool = False


_CONTINUOUS = ("awac", "cal_ql", "cql", "ddpg", "iql", "prdc", "rebrac", "sac", "td3", "td3_plus_bc")
_SOURCES = {
    **dict.fromkeys(_CONTINUOUS, _Source("policy", "actor_encoder_factory")),
    "bc": _Source("imitator", "encoder_factory"),
    "discrete_bc": _Source("imitator", "encoder_factory", is_discrete=True),
    "discrete_sac": _Source("policy", "actor_encoder_factory", is_discrete=True),
    **dict.fromkeys(
        ("discrete_cql", "double_dqn", "dqn", "nfq"), _Source("q_funcs", "encoder_factory", "0.", is_discrete=True)
    ),
}
_SQUASHED = ("cal_ql", "cql", "sac")
"""Algorithms whose policy draws from a normal distribution that is squashed by tanh."""

_SAMPLES = "draws actions at random and takes the best of them, also in predict"
_REFUSED = {
    **dict.fromkeys(("bcq", "bear", "crr"), _SAMPLES),
    **dict.fromkeys(("plas", "plas_with_perturbation"), "decodes actions by a second network"),
    **dict.fromkeys(("decision_transformer", "discrete_decision_transformer", "tacr"), "has a transformer"),
}
"""Why an algorithm has no policy that npnets can express."""


def recognizes(file: LibraryFile) -> bool:
    """Return whether a file is of d3rlpy, with or without a configuration."""
    contents = file.contents
    if not isinstance(contents, dict):
        return False
    return {"torch", "config", "version"} <= contents.keys() or _is_model_alone(contents)


def _is_model_alone(contents: Mapping[Any, Any]) -> bool:
    """Return whether contents are those that `algo.save_model(path)` writes."""
    modules = [contents.get(name) for name in ("policy", "imitator", "q_funcs", "_policy", "_imitator", "_q_func")]
    return any(isinstance(module, dict) and any("_encoder." in str(name) for name in module) for module in modules)


def read(file: LibraryFile, options: Options) -> Policy:
    """Return the policy in a file.

    Raises
    ------
    Fault
        If the file is damaged, or its policy has no counterpart in npnets.
    """
    contents: Any = file.contents
    if "config" not in contents:
        raise Fault(
            "it has the weights of a d3rlpy algorithm without its configuration, as algo.save_model(path) writes; "
            "save with algo.save('policy.d3') of d3rlpy 2, which keeps both"
        )
    config = configuration.configuration(contents["config"], contents["version"])
    algorithm, given = configuration.part(config, "config")
    source = _source(algorithm)
    inputs, actions = (configuration.size(config, name) for name in ("observation_shape", "action_size"))
    factory = configuration.part(given, source.encoder)
    options.activation_beside(Named(activation_of(factory)))
    state = _state(contents["torch"], source)
    layers = _Layers(encoder(state, "_encoder.", factory, inputs), state, actions)
    network, params = _network(layers, algorithm, given, options)
    return Policy(network, params, normalization=options.normalization or configuration.normalization(given, inputs))


def _network(layers: "_Layers", algorithm: str, given: Mapping[str, Any], options: Options) -> tuple[Network, Params]:
    """Return the network that an algorithm makes of its policy's layers, and its parameters."""
    source = _SOURCES[algorithm]
    if source.is_discrete:
        return layers.discrete(configuration.quantiles(given) if source.at else 1)
    bounds = configuration.bounds(given, layers.actions)
    options.check_bounds(*bounds)
    return (layers.gaussian if algorithm in _SQUASHED else layers.deterministic)(*bounds)


def _source(algorithm: str) -> _Source:
    if algorithm in _REFUSED:
        raise Fault(f"its algorithm, {algorithm}, {_REFUSED[algorithm]}, and is not read")
    if algorithm not in _SOURCES:
        raise Fault(f"its algorithm is {quoted(algorithm)}; those that are read are {', '.join(sorted(_SOURCES))}")
    return _SOURCES[algorithm]


def _state(saved: object, source: _Source) -> dict[str, Any]:
    """Return the state dict of the policy, out of those of all modules."""
    if not isinstance(saved, bytes):
        raise Fault(f"its weights are no bytes, but {quoted(saved)}; {DAMAGED}")
    try:
        states: Any = torch_file.load(saved, foreign="keep")
    except ValueError as error:
        raise Fault(f"in its weights, {error}") from error
    names = list(states) if isinstance(states, dict) else []
    state = next((states[name] for name in (source.module, f"_{source.module}") if name in names), None)
    if not isinstance(state, dict):
        raise Fault(f"it lacks the module {source.module!r}; it has {listed(names)}")
    if source.at and len(critics := {str(name).partition(".")[0] for name in state}) > 1:
        raise Fault(f"it has {len(critics)} critics, of which d3rlpy takes the mean; those with n_critics=1 are read")
    return {str(name).removeprefix(source.at): value for name, value in state.items()}


class _Layers(NamedTuple):
    """The layers of a policy: those of its encoder, and in its state dict those behind it."""

    encoder: Encoder
    state: Mapping[str, Any]
    actions: int

    def discrete(self, quantiles: int) -> tuple[Network, Params]:
        """Return a network with a number for each action, the mean of its quantiles."""
        network = DiscreteActor(self.encoder.net, self.actions, softmax_output=False)
        return network, self._with_last("_fc", quantiles)

    def deterministic(self, low: Array, high: Array) -> tuple[Network, Params]:
        """Return an actor; a probabilistic policy has a layer for the mean."""
        network = Actor(self.encoder.net, self.actions, low=low, high=high)
        return network, self._with_last("_fc" if "_fc.weight" in self.state else "_mu")

    def gaussian(self, low: Array, high: Array) -> tuple[Network, Params]:
        """Return an actor with a standard deviation, whose logarithm d3rlpy limits as npnets does."""
        given: dict[str, Any] = {"unbounded": True, "conditioned_sigma": True, "low": low, "high": high}
        heads = {"mu": self._head("_mu"), "sigma": self._head("_logstd")}
        params = {name: {"linear_0": head.params} for name, head in heads.items()}
        return ActorProb(self.encoder.net, self.actions, **given), {"preprocess": self.encoder.params, **params}

    def _with_last(self, name: str, quantiles: int = 1) -> Params:
        return {"preprocess": self.encoder.params, "last": {"linear_0": self._head(name, quantiles).params}}

    def _head(self, name: str, quantiles: int = 1) -> Dense:
        weight, bias = self.encoder.head(linear(self.state, name))
        if bias.size != self.actions * quantiles:
            each = f" of {quantiles} quantiles" if quantiles > 1 else ""
            says = f"its configuration says {self.actions} actions{each}"
            raise Fault(f"its last layer has {bias.size} outputs, but {says}")
        shape = (self.actions, quantiles)
        return Dense(weight.reshape(-1, *shape).mean(-1), bias.reshape(shape).mean(-1))
