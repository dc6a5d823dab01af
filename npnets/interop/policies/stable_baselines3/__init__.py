"""Files of Stable-Baselines3, of releases from 1.0 on: of `model.save(path)` and of `model.policy.save(path)`.

`archive` takes the zip file of a model apart, `saved_policy` a policy alone; `settings` interprets what they say about
the policy, and `policies` makes a network of the state dict.
"""

from npnets.interop.library_file import LibraryFile
from npnets.interop.policies.options import Options
from npnets.interop.policies.stable_baselines3 import archive, saved_policy
from npnets.interop.policies.stable_baselines3.policies import policy_of
from npnets.policy import Policy

LIBRARY = "archives of Stable-Baselines3's model.save(path) and files of its policy.save(path)"


def recognizes(file: LibraryFile) -> bool:
    """Return whether a file is an archive of a model or holds a policy."""
    return _is_archive(file) or saved_policy.recognizes(file)


def read(file: LibraryFile, options: Options) -> Policy:
    """Return the policy in it."""
    settings, state = archive.read(file) if _is_archive(file) else saved_policy.read(file)
    return policy_of(settings, state, options)


def _is_archive(file: LibraryFile) -> bool:
    return archive.POLICY in file.members or archive.RELEASE in file.members
