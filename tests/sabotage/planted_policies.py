"""Faults in how observations are normalized, and in how a network's output becomes an action."""

from __future__ import annotations

from fault import Fault

_STATISTICS = "tests/normalization/test_running_statistics.py"
_NORMALIZE = "tests/normalization/test_normalize.py"
_NORMALIZED = "tests/normalization/test_normalized_networks.py"
_ACTIONS = "tests/policy/test_policy_actions.py"
_OBSERVATIONS = "tests/policy/test_policy_observations.py"
_FILES = "tests/policy/test_policy_files.py"
_REFUSALS = "tests/policy/test_policy_refusals.py"
_KERNELS = "tests/kernels/test_kernels.py"

POLICIES = [
    Fault(
        "normalization: merged variances forget the distance of the means",
        "normalization/statistics.py",
        "+ of_a * of_b * distance**2",
        "",
        _STATISTICS,
    ),
    Fault(
        "normalization: a batch counts as one observation",
        "normalization/statistics.py",
        "count=float(len(rows))",
        "count=1.0",
        _STATISTICS,
    ),
    Fault(
        "normalization: a batch is summed in its own dtype",
        "normalization/statistics.py",
        'np.asarray(to_numpy(bare(as_array(batch, "batch"))), np.float64)',
        'np.asarray(to_numpy(bare(as_array(batch, "batch"))))',
        _STATISTICS,
    ),
    Fault(
        "normalization: observations that are NaN enter the mean",
        "normalization/statistics.py",
        "if not np.isfinite(rows).all():",
        "if False:",
        _STATISTICS,
    ),
    Fault(
        "normalization: observations are rounded to float32 before the mean is subtracted",
        "normalization/statistics.py",
        "_WIDE = np.dtype(np.float64)",
        "_WIDE = np.dtype(np.float32)",
        _NORMALIZE,
    ),
    Fault(
        "normalization: epsilon is added to the deviation",
        "normalization/statistics.py",
        "namespace(var).sqrt(var + state.epsilon)",
        "(namespace(var).sqrt(var) + state.epsilon)",
        _NORMALIZE,
    ),
    Fault(
        "normalization: observations of another shape broadcast",
        "normalization/statistics.py",
        "if x.shape[x.ndim - len(axes) :] != axes or x.ndim < len(axes):",
        "if False:",
        _NORMALIZE,
    ),
    Fault(
        "normalization: statistics of other limits are taken",
        "normalization/network.py",
        "if (state.mean.shape, state.clip, state.epsilon) != (mean.shape, self.clip, self.epsilon):",
        "if state.mean.shape != mean.shape:",
        _NORMALIZED,
    ),
    Fault(
        "normalization: a variance below zero gives NaN",
        "normalization/network.py",
        "namespace(bare(var)).maximum(bare(var), 0)",
        "bare(var)",
        _NORMALIZED,
    ),
    Fault(
        "policies: quantiles between unequal fractions count the same",
        "policy/network.py",
        "quantiles * nnp.expand_dims(taus[:, 1:] - taus[:, :-1], 1)",
        "quantiles",
        _ACTIONS,
    ),
    Fault(
        "policies: the bounds of a clip are rounded outwards",
        "policy/actions.py",
        "-rounded_down(-low, dtype), rounded_down(high, dtype)",
        "low.astype(dtype), high.astype(dtype)",
        _ACTIONS,
    ),
    Fault(
        "policies: outputs are scaled without a clip",
        "policy/actions.py",
        "nnp.clip(x, -1, 1)",
        "x",
        _ACTIONS,
    ),
    Fault(
        "policies: a mean that knows its bounds is not squashed",
        "policy/actions.py",
        'return "squash" if networks.is_unbounded(network) and networks.bounds(network) else "as_is"',
        'return "as_is"',
        _ACTIONS,
    ),
    Fault(
        "policies: act forgets a memory without a word",
        "policy/api.py",
        "if self._has_memory(state):",
        "if False:",
        _REFUSALS,
    ),
    Fault(
        "policies: a single observation is taken for a batch",
        "policy/observations.py",
        "return x.reshape((1, *shape)), True",
        "return x.reshape((1, *shape)), False",
        _OBSERVATIONS,
    ),
    Fault(
        "policies: observations are normalized twice",
        "policy/api.py",
        "check_normalized_once(network, normalization)",
        "pass",
        _REFUSALS,
    ),
    Fault(
        "policies: a file loses the bounds",
        "policy/saved.py",
        '"low": _listed(policy.low), "high": _listed(policy.high)',
        '"low": None, "high": None',
        _FILES,
    ),
    Fault(
        "policies: a file loses the normalization",
        "policy/saved.py",
        "if policy.normalization is not None:",
        "if False:",
        _FILES,
    ),
    Fault(
        "policies: parameters of another network are taken",
        "policy/network.py",
        "    if spec is not None:\n        spec.read(params, network)",
        "",
        _REFUSALS,
    ),
    Fault(
        "activations: the slope of mish forgets its sigmoid",
        "kernels/logistic.py",
        "return g * (n / d + z * rest)",
        "return g * (n / d + z * (1 - (n / d) ** 2))",
        _KERNELS,
    ),
    Fault(
        "activations: hardtanh has a slope at its bounds",
        "kernels/hard_activations.py",
        "np.where((z <= min_val) | (z >= max_val), g.dtype.type(0), g)",
        "np.where((z < min_val) | (z > max_val), g.dtype.type(0), g)",
        _KERNELS,
    ),
    Fault(
        "activations: the slope of celu forgets alpha",
        "kernels/activation_formulas.py",
        "g * np.exp(np.minimum(z, 0) / alpha)",
        "g * np.exp(np.minimum(z, 0))",
        _KERNELS,
    ),
]
