"""Faults of the readers of other libraries' policies, each of which a test catches."""

from __future__ import annotations

from fault import Fault

_ACTIONS = "tests/interop/test_load_policy_stable_baselines3.py"
_DAMAGED, _PARTS = "tests/interop/test_load_policy_damaged.py", "tests/interop/test_load_policy_parts.py"
_OWN, _BOMBS = "tests/interop/test_load_policy.py", "tests/interop/test_load_policy_bombs.py"
_LIBRARY = "interop/policies/stable_baselines3"

READERS = [
    Fault(
        "layers that policy and value share are forgotten",
        f"{_LIBRARY}/policies.py",
        'names = ("shared_net", "policy_net")',
        'names = ("policy_net",)',
        _ACTIONS,
    ),
    Fault(
        "state-dependent noise is squashed without being asked to",
        f"{_LIBRARY}/policies.py",
        'noisy = _squashed if settings.flag("squash_output") else _clipped_mean',
        "noisy = _squashed",
        _ACTIONS,
    ),
    Fault(
        "the mean of SAC with state-dependent noise is not limited",
        f"{_LIBRARY}/policies.py",
        "[*[activation] * len(hidden), limits]",
        "[*[activation] * len(hidden), Named(None)]",
        _ACTIONS,
    ),
    Fault(
        "the arguments of an activation are forgotten",
        f"{_LIBRARY}/settings.py",
        "return inner.name, args, kwargs if isinstance(kwargs, dict) else {}",
        "return inner.name, (), {}",
        _ACTIONS,
    ),
    Fault(
        "features of a class of the user's own are taken for observations",
        f"{_LIBRARY}/settings.py",
        "if extractor is not None and _name(extractor) != _EXTRACTOR:",
        "if False:",
        _ACTIONS,
    ),
    Fault(
        "images are taken as they are",
        f"{_LIBRARY}/settings.py",
        "if _are_images(low, high) and",
        "if False and",
        _PARTS,
    ),
    Fault(
        "settings are parsed however long they are",
        "interop/policies/json_text.py",
        "if len(text) > LONGEST:",
        "if False:",
        _DAMAGED,
    ),
    Fault(
        "layers that change nothing may be of any width",
        "interop/policies/networks.py",
        "if count > MOST_ADDED:",
        "if False:",
        _BOMBS,
    ),
    Fault(
        "an argument for which a file has no use is ignored",
        "interop/policies/loading.py",
        "options.check_used(policy)",
        "pass",
        _OWN,
    ),
    Fault(
        "layers are sorted by their numbers as text",
        "interop/policies/sequential.py",
        "sorted(numbers, key=int)",
        "sorted(numbers)",
        _PARTS,
    ),
    Fault(
        "layers are read in PyTorch's layout",
        "interop/policies/sequential.py",
        "np.ascontiguousarray(weight.T)",
        "np.ascontiguousarray(weight)",
        _ACTIONS,
    ),
    Fault(
        "bounds of the caller's are not held against those of the file",
        "interop/policies/options.py",
        "given.shape not in ((), found.shape) or not np.allclose(given, found, rtol=1e-6, atol=0)",
        "False",
        f"{_ACTIONS} {_OWN}",
    ),
    Fault(
        "a number too large for its use ends in an error of Python's",
        "interop/policies/activations.py",
        "except (OverflowError, TypeError, ValueError) as error:",
        "except (TypeError, ValueError) as error:",
        _PARTS,
    ),
]
