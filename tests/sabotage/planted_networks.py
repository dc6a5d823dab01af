"""Faults in how a network reads its parameters and runs its operations."""

from __future__ import annotations

from fault import Fault

NETWORKS = [
    Fault(
        "bounds: every Box is taken for a symmetric one",
        "bounds.py",
        "is_symmetric = bool(np.array_equal(low, -high))",
        "is_symmetric = True",
        "tests/networks/test_boxes_of_actions.py",
    ),
    Fault(
        "bounds: a max_action that is not the Box's is passed over",
        "bounds.py",
        "if not is_symmetric or not np.array_equal(",
        "if False and not np.array_equal(",
        "tests/networks/test_boxes_of_actions.py",
    ),
    Fault(
        "bounds: low is rounded outwards",
        "bounds.py",
        "-rounded_down(-lows, dtype)",
        "lows.astype(dtype)",
        "tests/networks/test_low_and_high.py",
    ),
    Fault(
        "networks: parameters of two dtypes are read",
        "common/spec.py",
        "(found is not dtype and dtype is not None and found != dtype)",
        "False",
        "tests/networks/test_bad_parameters.py",
    ),
    Fault(
        "networks: further keys of a part are passed over",
        "common/spec.py",
        "if len(part) != keys:",
        "if False:",
        "tests/networks/test_bad_parameters.py",
    ),
    Fault(
        "networks: shapes of parameters are not compared",
        "common/spec.py",
        "value.shape != shape or",
        "",
        "tests/networks/test_bad_parameters.py",
    ),
    Fault(
        "networks: a spec is inherited by a subclass that draws other parameters",
        "common/spec.py",
        'if "spec" in vars(type(network)) else None',
        'if hasattr(network, "spec") else None',
        "tests/networks/test_spec.py",
    ),
    Fault(
        "networks: a subclass of a layer runs as the layer itself",
        "common/sequential.py",
        'return "_operations" in vars(type(layer))',
        'return hasattr(layer, "_operations")',
        "tests/networks/test_sequential.py",
    ),
    Fault(
        "networks: a subclass of Net runs as a Net",
        "common/trunk.py",
        "type(trunk) is not Net",
        "not isinstance(trunk, Net)",
        "tests/networks/test_sequential.py",
    ),
    Fault(
        "networks: an observation of several parts is stacked into one array",
        "inputs.py",
        'isinstance(value, tuple) and any(getattr(part, "ndim", 0) for part in value)',
        "False",
        "tests/networks/test_observations_of_any_kind.py",
    ),
    Fault(
        "networks: a critic joins actions before the preprocess net whatever its flag",
        "continuous/critic.py",
        "if self.apply_preprocess_net_to_obs_only:\n            return",
        "if False:\n            return",
        "tests/networks/test_observations_of_any_kind.py",
    ),
    Fault(
        "networks: a critic takes any number of actions",
        "continuous/joined_actions.py",
        "expected is not None and actions.shape[1] != expected",
        "False",
        "tests/networks/test_actions_beside_features.py",
    ),
    Fault(
        "networks: an activation replaces the one before it",
        "common/sequential.py",
        "and self.activations[-1] is None:",
        "and True:",
        "tests/networks",
    ),
    Fault(
        "networks: layers of any widths run together",
        "common/sequential.py",
        "return after[:-2] == before[:-2] and after[-2] == before[-1]",
        "return True",
        "tests/networks",
    ),
    Fault(
        "networks: a layer takes an input of another dtype",
        "common/sequential.py",
        "if x.dtype != leaves[0].dtype:",
        "if False:",
        "tests/networks",
    ),
    Fault(
        "networks: operations without leaves shift those behind them",
        "common/sequential.py",
        "own = slice(start, start + leaves)",
        "own = slice(start, start + max(leaves, 1))",
        "tests/networks",
    ),
    Fault(
        "networks: a pickle holds what was computed from the fields",
        "description.py",
        "return {name: value for name, value in attributes.items() if not _is_cached(type(owner), name)}",
        "return attributes",
        "tests/networks/test_spec.py",
    ),
]
