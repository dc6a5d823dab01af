"""Archives that `model.save(path)` of Stable-Baselines3 writes, of releases from 1.0 on.

`archive` takes the zip file apart, `settings` reads the JSON in it, and `policies` makes a network of the state dict.
"""

from npnets.interop.policies.options import Options
from npnets.interop.policies.policy_file import PolicyFile
from npnets.interop.policies.stable_baselines3 import archive
from npnets.interop.policies.stable_baselines3.policies import policy_of
from npnets.policy import Policy

LIBRARY = "archives of Stable-Baselines3's model.save(path)"


def recognizes(file: PolicyFile) -> bool:
    """Return whether a file is such an archive."""
    return archive.POLICY in file.members or archive.RELEASE in file.members


def read(file: PolicyFile, options: Options) -> Policy:
    """Return the policy in it."""
    return policy_of(archive.read(file), options)
