"""Faults of the readers of d3rlpy's and CleanRL's policies, each of which a test catches."""

from __future__ import annotations

from fault import Fault

_OF_D3RLPY, _OF_CLEANRL = "tests/interop/test_load_policy_d3rlpy.py", "tests/interop/test_load_policy_cleanrl.py"
_REFUSED = "tests/interop/test_load_policy_d3rlpy_refused.py"
_FOREIGN = "tests/interop/test_load_policy_foreign.py"
_D3RLPY, _CLEANRL = "interop/policies/d3rlpy", "interop/policies/cleanrl.py"

D3RLPY_CLEANRL = [
    Fault(
        "the last batch norm of d3rlpy 2.0 is applied once",
        f"{_D3RLPY}/encoder.py",
        "layers[-1] = last._replace(batch_norm=last.batch_norm.then(last.batch_norm))",
        "pass",
        _OF_D3RLPY,
    ),
    Fault(
        "dropout takes no place in a sequence of layers",
        f"{_D3RLPY}/encoder.py",
        "flags.layer_norm + flags.dropout",
        "flags.layer_norm",
        _OF_D3RLPY,
    ),
    Fault(
        "a last activation is applied where it is excluded",
        f"{_D3RLPY}/encoder.py",
        "activations[-1] = None if excludes else",
        "activations[-1] = activations[-1] if excludes else",
        _OF_D3RLPY,
    ),
    Fault(
        "what a scaler adds to the deviation is forgotten",
        f"{_D3RLPY}/configuration.py",
        'std = std + np.float32(scaler.get("eps", 1e-3))',
        "pass",
        _OF_D3RLPY,
    ),
    Fault(
        "the quantiles of one action are mixed with those of others",
        f"{_D3RLPY}/__init__.py",
        "weight.reshape(-1, *shape).mean(-1)",
        "weight.reshape(-1, *shape[::-1]).mean(1)",
        _OF_D3RLPY,
    ),
    Fault(
        "a million layers in a configuration are named before they are compared with the weights",
        f"{_D3RLPY}/encoder.py",
        "if flags.layers > len(state):",
        "if False:",
        _REFUSED,
    ),
    Fault(
        "an activation of the caller's is ignored",
        _CLEANRL,
        'options.activation or "tanh"',
        '"tanh"',
        _OF_CLEANRL,
    ),
    Fault(
        "actions of several axes are laid out in one",
        _CLEANRL,
        "flatten_action=len(shape) == 1",
        "flatten_action=True",
        _OF_CLEANRL,
    ),
    Fault(
        "a file that was cut off is taken for one of JAX",
        _CLEANRL,
        "return file.is_of_torch or _is_of_flax(file)",
        "return True",
        _OF_CLEANRL,
    ),
    Fault(
        "a small pickle takes the memory of the largest",
        "interop/pickle_file.py",
        "min(length, unpickling.MOST_BYTES) + 1",
        "unpickling.MOST_BYTES + 1",
        _FOREIGN,
    ),
]
