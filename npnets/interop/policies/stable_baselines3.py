"""Archives that `model.save(path)` of Stable-Baselines3 writes."""

from typing import TYPE_CHECKING

from npnets.files.fault import Fault
from npnets.interop.policies.options import Options
from npnets.interop.policies.policy_file import PolicyFile

if TYPE_CHECKING:
    from npnets.policy import Policy

LIBRARY = "archives of Stable-Baselines3's model.save(path)"


def recognizes(file: PolicyFile) -> bool:
    """Return whether a file is such an archive."""
    return "policy.pth" in file.members


def read(file: PolicyFile, options: Options) -> "Policy":
    """Return the policy in it."""
    raise Fault("its policy is not read yet")
