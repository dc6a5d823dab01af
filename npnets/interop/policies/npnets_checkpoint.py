"""Checkpoints of npnets: those of `Policy.save`, and any other that holds a network with its parameters."""

from dataclasses import replace

from npnets.checkpoint.npz import MANIFEST
from npnets.checkpoint.safetensors_file import MANIFEST as ENTRY
from npnets.files.fault import Fault
from npnets.interop.library_file import LibraryFile
from npnets.interop.policies.options import Options
from npnets.policy import Policy

LIBRARY = "checkpoints of npnets"

_LENGTH = 8  # bytes of the number that a .safetensors file begins with; JSON follows it


def recognizes(file: LibraryFile) -> bool:
    """Return whether a file is a checkpoint of npnets."""
    header = file.beginning[_LENGTH:]
    return MANIFEST in file.members or (header.startswith(b"{") and ENTRY.encode() in header)


def read(file: LibraryFile, options: Options) -> Policy:
    """Return the policy in it."""
    suffix = ".npz" if file.members else ".safetensors"
    if not file.path.endswith(suffix):
        raise Fault(f"it is a checkpoint of npnets, whose name must end in {suffix}; rename it")
    if options.activation is not None:
        raise Fault("it is a checkpoint of npnets, which holds the activations of its network; leave activation out")
    policy = Policy.load(file.path)
    if policy.low is not None:
        options.check_bounds(policy.low, policy.high)
    return policy if options.normalization is None else replace(policy, normalization=options.normalization)
