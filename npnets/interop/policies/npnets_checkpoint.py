"""Checkpoints of npnets: those of `Policy.save`, and any other that holds a network with its parameters."""

from dataclasses import replace

from npnets.checkpoint.npz import MANIFEST
from npnets.checkpoint.safetensors_file import MANIFEST as ENTRY
from npnets.files.fault import Fault
from npnets.interop.policies.options import Options
from npnets.interop.policies.policy_file import PolicyFile
from npnets.policy import Policy

LIBRARY = "checkpoints of npnets"

_LENGTH = 8  # bytes of the number that a .safetensors file begins with; JSON follows it


def recognizes(file: PolicyFile) -> bool:
    """Return whether a file is a checkpoint of npnets."""
    header = file.beginning[_LENGTH:]
    return MANIFEST in file.members or (header.startswith(b"{") and ENTRY.encode() in header)


def read(file: PolicyFile, options: Options) -> Policy:
    """Return the policy in it."""
    suffix = ".npz" if file.members else ".safetensors"
    if not file.path.endswith(suffix):
        raise Fault(f"it is a checkpoint of npnets, whose name must end in {suffix}; rename it")
    policy = Policy.load(file.path)
    if policy.low is not None:
        options.check_bounds(policy.low, policy.high)
    return policy if options.normalization is None else replace(policy, normalization=options.normalization)
