"""Quantile networks under test: the fractions that they are given, and the outputs that laws compare.

Their fractions are given and neither drawn nor proposed, because no gradient reaches proposed ones. Outputs that are
constant to every derivative, but depend on parameters, are left out: finite differences would contradict them.
"""

from collections.abc import Sequence
from typing import Any

from npnets.backend import Array
from npnets.discrete import (
    CosineEmbeddingNetwork,
    FractionProposalNetwork,
    Fractions,
    FullQuantileFunction,
    ImplicitQuantileNetwork,
)
from npnets.testing.shapes import SAMPLES, Row

_PROPOSAL = {"propose_model": None, "propose_params": None, "training": False}


def supplied_to(net: object) -> set[str]:
    """Return the arguments of `forward` that only a quantile network gets."""
    if isinstance(net, FullQuantileFunction):
        return {"propose_model", "propose_params"}
    return {"sample_size"} if isinstance(net, ImplicitQuantileNetwork) else set()


def fraction_rows(net: object) -> dict[str, Row]:
    """Return the shapes of one row of the fractions that a network is given."""
    if isinstance(net, FullQuantileFunction):
        return {"taus": (SAMPLES + 1,), "tau_hats": (SAMPLES,)}
    return {"taus": (SAMPLES,)} if isinstance(net, ImplicitQuantileNetwork) else {}


def with_fractions(net: object, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `forward` with fractions in the form that a network takes."""
    if isinstance(net, ImplicitQuantileNetwork):
        return {**arguments, "sample_size": SAMPLES}
    if not isinstance(net, FullQuantileFunction):
        return arguments
    fractions = Fractions(arguments["taus"], arguments["tau_hats"], entropies=arguments["taus"])
    others = {name: value for name, value in arguments.items() if name not in fractions._fields}
    return {**others, **_PROPOSAL, "fractions": fractions}


def outputs_of(net: object, parts: Sequence[Any]) -> dict[str, Array] | None:
    """Return the outputs by name; `None` for a network of another kind."""
    if isinstance(net, FractionProposalNetwork):
        return {"taus": parts[0], "entropies": parts[2]}
    if isinstance(net, FullQuantileFunction):
        return {"quantiles": parts[0]}
    return {"quantiles": parts[0], "taus": parts[1]} if isinstance(net, ImplicitQuantileNetwork) else None


def output_rows(net: Any) -> dict[str, Row]:
    """Return the shapes of one row of the outputs; none for a network of another kind."""
    if isinstance(net, FractionProposalNetwork):
        return {"taus": (net.num_fractions + 1,), "entropies": ()}
    if isinstance(net, CosineEmbeddingNetwork):
        return {"output": (SAMPLES, net.embedding_dim)}
    if isinstance(net, (ImplicitQuantileNetwork, FullQuantileFunction)):
        return {"quantiles": (net.output_dim, SAMPLES), "taus": (SAMPLES,)}
    return {}
