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
from npnets.files.fault import Fault
from npnets.files.quoting import listed, printable
from npnets.functional import resolve_activation
from npnets.interop.foreign import Foreign
from npnets.interop.library_file import LibraryFile, check_whole, described, described_value, opened
from npnets.interop.normalization_file import holds_statistics, load_normalization
from npnets.interop.policies.action_space import Bounds, bounds_of
from npnets.interop.policies.options import Options
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
        The activation of the hidden layers, for files that do not say it. Of Tianshou `"relu"` is assumed, while its
        examples for PPO and its relatives need `"tanh"`: a wrong one gives other actions without an error. CleanRL's
        scripts have their own, and in Stable-Baselines3 it stands for a class of the user's.
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


def _read(file: LibraryFile, options: Options) -> Policy:
    try:
        policy: Policy = _reader_of(file).read(file, options)
        options.check_used(policy)
        return policy
    except Fault as refusal:
        raise ValueError(f"{printable(file.path)} cannot be read: {refusal}") from refusal
    except (OverflowError, TypeError, ValueError) as error:  # of a network of which the file has impossible parts
        if str(error).startswith((f"{printable(file.path)}: ", f"{printable(file.path)} cannot be read: ")):
            raise
        raise ValueError(f"{printable(file.path)} cannot be read: {printable(str(error))}") from error


def _check_arguments(path: object, activation: object) -> None:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected a path of a file, as in load_policy('policy.zip'), but got a {type(path).__name__}")
    if activation is not None and not isinstance(activation, str):
        raise TypeError(f"activation must be a name such as 'relu', but is {activation!r:.80}")
    resolve_activation(activation)


def _statistics(given: str | os.PathLike[str] | Normalization | None) -> Normalization | None:
    if isinstance(given, (str, os.PathLike)):
        return load_normalization(given)
    return None if given is None else checked(given)


def _bounds(action_space: object) -> Bounds | None:
    return None if action_space is None else bounds_of(action_space)


def _reader_of(file: LibraryFile) -> Any:
    """Return the module that reads a file."""
    check_whole(file)
    readers = [_module(name) for name in READERS]
    found = next((reader for reader in readers if reader.recognizes(file)), None)
    if found is not None:
        return found
    if isinstance(file.contents, Foreign) and holds_statistics(file.contents):
        raise Fault(
            f"it holds statistics of observations, {described_value(file.contents)}, and no policy; pass it as "
            "normalization=, beside the file of its policy"
        )
    libraries = listed(readers, lambda reader: str(reader.LIBRARY), most=len(readers))
    raise Fault(f"{described(file)}, which is no policy of a known library; policies are read from {libraries}")


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"npnets.interop.policies.{name}")
