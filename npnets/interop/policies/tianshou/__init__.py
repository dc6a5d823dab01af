"""Policies of Tianshou 1.x and algorithms of 2.x, from their state dicts.

`parts` finds the state dict in what a file holds, `layers` reads widths from names and shapes, `networks` makes the
policy.
"""

from dataclasses import replace
from typing import Any

from npnets.files.fault import Fault
from npnets.files.quoting import quoted
from npnets.interop.library_file import LibraryFile
from npnets.interop.normalization_file import statistics_in
from npnets.interop.policies.options import Options
from npnets.interop.policies.tianshou.networks import policy_of
from npnets.interop.policies.tianshou.parts import parts_in, whole_object_in
from npnets.policy import Policy

LIBRARY = "state dicts of Tianshou's policies, alone or as the entry 'model' of a dict"


def recognizes(file: LibraryFile) -> bool:
    """Return whether a file holds the state dict of a policy of Tianshou, or a whole policy, which is refused."""
    return parts_in(file.contents) is not None or whole_object_in(file.contents) is not None


def read(file: LibraryFile, options: Options) -> Policy:
    """Return the policy in it."""
    contents: Any = file.contents
    if (whole := whole_object_in(contents)) is not None:
        raise Fault(f"it holds an object of {quoted(whole.name)}, of which state dicts are read: save its state_dict()")
    parts = parts_in(contents)
    if parts is None:
        raise Fault("it holds no state dict of a policy of Tianshou")
    if options.normalization is None and contents.get("obs_rms") is not None:
        options = replace(options, normalization=statistics_in(contents))
    return policy_of(parts, options)
