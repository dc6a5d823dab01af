"""A policy in a checkpoint.

A file of a policy is one of `npnets.checkpoint` whose `params` are `{"network": ...}`, with `normalization` (`mean`,
`var`, `count`, `clip`, `epsilon`) and `fraction_proposal` if it has them. Its `metadata` are `network`, `policy`
(`to_action`, `low`, `high`, `fraction_proposal`), and what the user added. A file without `policy` in its metadata
holds a network's parameters alone, which act by the network's own choice.
"""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from npnets import checkpoint
from npnets.checkpoint import CheckpointError
from npnets.files.quoting import plain, printable
from npnets.normalization import Normalization

_TAKEN = ("network", "policy")


def save(path: str | os.PathLike[str], policy: Any, metadata: dict[str, Any] | None) -> None:
    """Save a policy with some metadata."""
    taken = [name for name in _TAKEN if name in (metadata or {})]
    if taken:
        raise ValueError(f"metadata must not have the keys {_TAKEN}, which the policy itself uses, but has {taken}")
    params = {"network": policy.params}
    notes = {"to_action": policy.to_action, "low": _listed(policy.low), "high": _listed(policy.high)}
    if policy.normalization is not None:
        params["normalization"] = policy.normalization._asdict()
    if policy.fraction_proposal is not None:
        notes["fraction_proposal"], params["fraction_proposal"] = policy.fraction_proposal
    checkpoint.save(path, params, {"network": policy.network, "policy": notes, **(metadata or {})})


def load(path: str | os.PathLike[str], kind: Any, classes: Iterable[type]) -> Any:
    """Load a policy, made by `kind`, the class of policies."""
    params, metadata = checkpoint.load(path, classes=classes)
    try:
        return _policy(kind, params, metadata)
    except MemoryError:
        raise
    except Exception as error:  # whatever a file of another form than save writes raises
        raise CheckpointError(
            f"{printable(os.fsdecode(path))}: expected a file of Policy.save, or of checkpoint.save(path, params, "
            f"{{'network': network}}), but {plain(error)}"
        ) from error


def _policy(kind: Any, params: Any, metadata: dict[str, Any]) -> Any:
    if "network" not in metadata:
        raise ValueError(f"its metadata has no 'network', but {sorted(metadata)}")
    if "policy" not in metadata:
        return kind(metadata["network"], params)
    notes = metadata["policy"]
    given = {name: notes[name] for name in ("to_action", "low", "high")}
    if "normalization" in params:
        given["normalization"] = _normalization(params["normalization"])
    if "fraction_proposal" in params:
        given["fraction_proposal"] = (notes["fraction_proposal"], params["fraction_proposal"])
    return kind(metadata["network"], params["network"], **given)


def _normalization(content: Any) -> Normalization:
    return Normalization(**content)


def _listed(bound: Any) -> Any:
    return None if bound is None else np.asarray(bound).tolist()
