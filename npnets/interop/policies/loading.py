"""The one entry point: a file of any known library in, a `Policy` out.

The module of a library is imported once its turn comes, and the first that recognizes the file reads it.
"""

import importlib
import os
from dataclasses import replace
from types import ModuleType
from typing import Any

from npnets import tree
from npnets.backend import Device, parse_device
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import listed, printable, quoted
from npnets.functional import resolve_activation
from npnets.interop.foreign import Foreign
from npnets.interop.policies.action_space import Bounds, bounds_of
from npnets.interop.policies.options import Options
from npnets.interop.policies.policy_file import PolicyFile, opened
from npnets.normalization import Normalization
from npnets.normalization.statistics import checked
from npnets.policy import Policy

READERS = ("npnets_checkpoint", "stable_baselines3", "tianshou", "d3rlpy", "cleanrl")
"""The modules of this package that read files, in the order in which they are asked."""


def load_policy(
    path: str | os.PathLike[str],
    normalization: str | os.PathLike[str] | Normalization | None = None,
    *,
    action_space: Any = None,
    activation: str | None = None,
    device: Device = None,
) -> Policy:
    """Read a policy from the file of another library, or of npnets, without that library.

    Nothing in a file is executed or imported.

    Parameters
    ----------
    path : str or path
        A file of Stable-Baselines3's `model.save(path)` or `model.policy.save(path)`, of d3rlpy's `algo.save(path)`, a
        `.cleanrl_model` of CleanRL's scripts for continuous actions, a state dict of Tianshou's policy or algorithm,
        alone or as the entry `"model"` beside `"obs_rms"`, or a checkpoint of npnets.
    normalization : str, path or Normalization, optional
        Statistics of the observations, for a policy that was trained on normalized ones: the file that `VecNormalize`
        of Stable-Baselines3 saved, or what `load_normalization` or `npnets.normalization` returned. The policy then
        takes observations as the environment gives them.
    action_space : Box or (low, high), optional
        Bounds of the actions, for files that do not hold them; an error if the file holds others.
    activation : str, optional
        The activation of the hidden layers, for files that do not name one of PyTorch's.
    device : str, int or None
        Where the parameters are placed: on the CPU by default.

    Returns
    -------
    Policy
        Its `act` returns the action of the library's own deterministic evaluation, clipping included, in the
        environment's units.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    ValueError
        If the file is of no known kind or damaged, or its policy cannot be expressed; the message says what was found
        and what can be read.
    TypeError
        If an argument is of another type than those above.
    """
    _check_arguments(path, activation)
    parse_device(device)
    file = opened(path)
    policy = _read(file, Options(_statistics(normalization), _bounds(action_space), activation))
    return policy if device is None else replace(policy, params=tree.to_device(policy.params, device))


def _read(file: PolicyFile, options: Options) -> Policy:
    try:
        policy: Policy = _reader_of(file).read(file, options)
    except Fault as refusal:
        raise ValueError(f"{printable(file.path)} cannot be read: {refusal}") from refusal
    except (
        OverflowError,
        TypeError,
        ValueError,
    ) as error:  # of a network or a policy of which the file has impossible parts
        if file.path in str(error):
            raise
        raise ValueError(f"{printable(file.path)} cannot be read: {printable(str(error))}") from error
    return policy


def _check_arguments(path: object, activation: object) -> None:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected a path of a file, as in load_policy('policy.zip'), but got a {type(path).__name__}")
    if activation is not None and not isinstance(activation, str):
        raise TypeError(f"activation must be a name such as 'relu', but is {activation!r:.80}")
    resolve_activation(activation)


def _statistics(given: str | os.PathLike[str] | Normalization | None) -> Normalization | None:
    if isinstance(given, (str, os.PathLike)):
        from npnets.interop import load_normalization

        return load_normalization(given)
    return None if given is None else checked(given)


def _bounds(action_space: object) -> Bounds | None:
    return None if action_space is None else bounds_of(action_space)


def _reader_of(file: PolicyFile) -> Any:
    """Return the module that reads a file."""
    readers = [_module(name) for name in READERS]
    found = next((reader for reader in readers if reader.recognizes(file)), None)
    if found is None and file.is_broken_archive:
        raise Fault(f"it begins as a zip archive, but does not end as one; {DAMAGED}")
    if found is None:
        libraries = listed(readers, lambda reader: str(reader.LIBRARY), most=len(readers))
        raise Fault(f"{_described(file)}, which is no policy of a known library; policies are read from {libraries}")
    return found


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"npnets.interop.policies.{name}")


def _described(file: PolicyFile) -> str:
    """Return what a file of no known library is, in a clause."""
    if file.is_of_torch:
        return f"it is a file of torch.save that holds {_inside(file.contents)}"
    if file.members:
        return f"it is a zip archive of {listed(file.members, most=5)}"
    if file.is_pickle:
        return f"it is a pickle that holds {_inside(file.contents)}"
    mistaken = next((kind for start, kind in _MISTAKEN.items() if file.beginning.startswith(start)), None)
    return mistaken or (f"it begins with {file.beginning[:12]!r}" if file.beginning else "it is empty")


_WEB_PAGE = "it is a web page, perhaps that of a login or of an error (was the link to the file itself?)"
_MISTAKEN = {
    b"version https://git-lfs": "it is a pointer of Git LFS to the file (git lfs pull fetches it)",
    **dict.fromkeys((b"<!DOCTYPE", b"<!doctype", b"<html"), _WEB_PAGE),
}
"""What downloads leave in the place of a file, by how it begins."""


def _inside(contents: object) -> str:
    if isinstance(contents, Foreign):
        return f"an object of {quoted(contents.name, 200)}"
    return f"a dict of {listed(contents, most=5)}" if isinstance(contents, dict) else f"a {type(contents).__name__}"
