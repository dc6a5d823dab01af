"""Files of `model.policy.save(path)`: a policy alone, as `torch.save` writes it.

Such a file holds the state dict and the arguments of the policy's constructor, but not its class, which the names in
the state dict tell.
"""

from typing import Any

from npnets.files.fault import Fault
from npnets.files.quoting import listed
from npnets.interop.library_file import LibraryFile
from npnets.interop.policies.stable_baselines3.settings import Settings

_ARGUMENTS, _STATE = "data", "state_dict"

_CLASSES = {
    "actor.log_std": "stable_baselines3.sac.policies.SACPolicy",
    "actor.mu.": "stable_baselines3.td3.policies.TD3Policy",
    "action_net.": "stable_baselines3.common.policies.ActorCriticPolicy",
    "q_net.q_net.": "stable_baselines3.dqn.policies.DQNPolicy",
}
"""The class of a policy by the beginning of a name in its state dict; the first that is there decides."""


def recognizes(file: LibraryFile) -> bool:
    """Return whether a file is such a file."""
    contents = file.contents if file.is_of_torch else None
    if not isinstance(contents, dict) or contents.keys() != {_ARGUMENTS, _STATE}:
        return False
    arguments = contents[_ARGUMENTS]
    return isinstance(arguments, dict) and {"observation_space", "action_space"} <= arguments.keys()


def read(file: LibraryFile) -> tuple[Settings, dict[str, Any]]:
    """Return the settings and the state dict in it."""
    contents: Any = file.contents
    arguments, state = contents[_ARGUMENTS], contents[_STATE]
    if not isinstance(state, dict):
        raise Fault(f"its state_dict is a {type(state).__name__}, where a dict of arrays must be")
    names = [name for name in state if isinstance(name, str)]
    if any("features_extractor." in name for name in names):
        raise Fault("its features are computed by layers of their own; only policies of arrays of numbers are read")
    path = next((_CLASSES[start] for start in _CLASSES if any(name.startswith(start) for name in names)), None)
    if path is None:
        raise Fault(f"its state_dict is that of no policy that is read: it holds {listed(names)}")
    return Settings({**arguments, "policy_kwargs": arguments}, path), state
