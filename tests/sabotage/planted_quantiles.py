"""Faults in quantile networks and noisy layers."""

from __future__ import annotations

from fault import Fault

_IMPLICIT, _FULL = (
    f"tests/discrete/test_{name}.py" for name in ("implicit_quantile_network", "full_quantile_function")
)
_NOISY, _LAWS = "tests/discrete/test_noisy_linear.py", "tests/discrete/test_quantile_laws.py"

QUANTILES = [
    Fault(
        "quantiles: the first cosine is constant",
        "discrete/cosine_embedding_network.py",
        "np.arange(1, count + 1, dtype=dtype)",
        "np.arange(count, dtype=dtype)",
        _IMPLICIT,
    ),
    Fault(
        "quantiles: features and embedding are added",
        "discrete/quantile_body.py",
        "nnp.expand_dims(features, 1) * embedding",
        "nnp.expand_dims(features, 1) + embedding",
        _IMPLICIT,
    ),
    Fault(
        "quantiles: actions and samples are mixed",
        "discrete/quantile_body.py",
        "nnp.swapaxes(nnp.reshape(values, (rows, samples, self._actions)), 1, 2)",
        "nnp.reshape(values, (rows, self._actions, samples))",
        _IMPLICIT,
    ),
    Fault(
        "quantiles: a trunk's new state is lost",
        "discrete/quantile_body.py",
        "return features, new_state",
        "return features, state",
        _IMPLICIT,
    ),
    Fault(
        "quantiles: the features of a trunk are not flattened",
        "discrete/quantile_body.py",
        "features=net.last.input_dim, remedy=remedy",
        "remedy=remedy",
        _IMPLICIT,
    ),
    Fault(
        "quantiles: a generator beside given fractions is passed over",
        "random_numbers.py",
        "if (rng is None) == (given is None):",
        "if rng is None and given is None:",
        _IMPLICIT,
    ),
    Fault(
        "quantiles: given fractions may be of another number",
        "random_numbers.py",
        "if found.shape != shape:",
        "if found.ndim != len(shape):",
        _IMPLICIT,
    ),
    Fault(
        "quantiles: a gradient reaches the trunk by proposed fractions",
        "discrete/full_quantile_function.py",
        "_proposed(propose_model, propose_params, stop_gradient(features))",
        "_proposed(propose_model, propose_params, features)",
        _FULL,
    ),
    Fault(
        "quantiles: a gradient passes the quantiles between fractions",
        "discrete/full_quantile_function.py",
        "*tree.map(bare, (leaves, features, taus[:, 1:-1]))",
        "leaves, features, taus[:, 1:-1]",
        _FULL,
    ),
    Fault(
        "quantiles: fractions of another batch are used",
        "discrete/full_quantile_function.py",
        "tau_hats.ndim != 2 or len(tau_hats) != rows or taus.shape != (rows, tau_hats.shape[1] + 1)",
        "tau_hats.ndim != 2 or taus.shape != (len(taus), tau_hats.shape[1] + 1)",
        _FULL,
    ),
    Fault(
        "quantiles: a gradient passes the middles of fractions",
        "discrete/fraction_proposal_network.py",
        "fixed = stop_gradient(taus)",
        "fixed = taus",
        _FULL,
    ),
    Fault(
        "quantiles: proposed fractions begin far from even",
        "discrete/fraction_proposal_network.py",
        "limit = self.gain * math.sqrt",
        "limit = math.sqrt",
        _FULL,
    ),
    Fault(
        "noise: a gradient reaches it",
        "discrete/noisy_linear.py",
        "map(bare, leaves[4:])",
        "leaves[4:]",
        _NOISY,
    ),
    Fault(
        "noise: its numbers are all positive",
        "discrete/noisy_linear.py",
        "(np.sign(z) * np.sqrt(np.abs(z)))",
        "np.sqrt(np.abs(z))",
        _NOISY,
    ),
    Fault(
        "noise: that of a trunk's list is not drawn again",
        "discrete/noisy_linear.py",
        "if isinstance(params, (list, tuple)):",
        "if False:",
        _NOISY,
    ),
    Fault(
        "noise: the order of a dict decides what a seed draws",
        "discrete/noisy_linear.py",
        "for k in sorted(params)",
        "for k in params",
        _NOISY,
    ),
    Fault(
        "noise: the bias has none",
        "kernels/noisy_parameters.py",
        "return weight, mu_bias + sigma_bias * q",
        "return weight, mu_bias",
        _NOISY,
    ),
    Fault(
        "noise: its factor has the gradient of the mean",
        "kernels/noisy_parameters.py",
        "lambda: dweight * noise,",
        "lambda: dweight,",
        _NOISY,
    ),
    Fault(
        "noise: a law compares the gradients of constants",
        "testing/laws_of_gradients.py",
        "if path in constants:",
        "if False:",
        _LAWS,
    ),
    Fault(
        "noise: a law takes every parameter of a noisy layer for a constant",
        "discrete/noisy_linear.py",
        "strict=True) if leaf is noise}",
        "strict=True)}",
        _LAWS,
    ),
]
