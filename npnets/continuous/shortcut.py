"""The shortcuts through networks: a trunk and its head, or an MLP and what squashes its answer, as one operation."""

from typing import Any

from npnets.common import MLP, Net
from npnets.common.chain import Chain
from npnets.kernels.linear import ActivationCall


def trunk_and_head(
    trunk: Any,
    head: tuple[str, MLP] | None,
    then: ActivationCall = None,
    others: tuple[str, ...] = (),
    takes_ensembles: bool = False,
) -> Chain:
    """Return the chain of a trunk's layers and a head's; it is empty for a trunk of the user's own.

    Parameters
    ----------
    trunk : PreprocessNet
        Its parameters lie under `"preprocess"`.
    head : (key, MLP), optional
    then : tuple, optional
        The activation behind the last layer.
    others : tuple of str
        Further keys of the network's parameters.
    takes_ensembles : bool
        Whether the trunk may be an ensemble; otherwise the chain of one is empty too.
    """
    is_taken = isinstance(trunk, Net) and (takes_ensembles or not trunk.model.is_ensemble)
    trunk_links = trunk.links if is_taken else None
    parts = [("preprocess", trunk_links)] + ([(head[0], head[1].links)] if head is not None else [])
    return Chain(parts, then, others)


def one_part(key: str, part: Any, then: ActivationCall = None, others: tuple[str, ...] = ()) -> Chain:
    """Return the chain of the layers of an MLP that is one part of a network; it is empty for any other part.

    Parameters
    ----------
    key : str
        Where its parameters lie.
    part : MLP or any layer
    then, others
        As in `trunk_and_head`.
    """
    return Chain([(key, part.links if isinstance(part, MLP) else None)], then, others)
