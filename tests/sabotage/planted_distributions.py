"""Faults in distributions: minus infinity in a product, draws scored as actions, masks that only discourage."""

from __future__ import annotations

from fault import Fault

CATEGORICAL = "tests/distributions/test_categorical.py"
DRAWS = "tests/distributions/test_draws_before_squashing.py"

DISTRIBUTIONS = [
    Fault(
        "zero times minus infinity reaches an entropy",
        "distributions/categorical.py",
        "return nnp.where(bare(logits) == -np.inf, 0, logits)",
        "return logits",
        CATEGORICAL,
    ),
    Fault(
        "a mask only discourages",
        "distributions/choices.py",
        "logits = nnp.where(allowed, logits, -np.inf)",
        "logits = nnp.where(allowed, logits, -1e9)",
        CATEGORICAL,
    ),
    Fault(
        "the gradient of a probability of zero is NaN",
        "distributions/choices.py",
        "nnp.log(nnp.where(normal, probs, 1))",
        "nnp.log(probs)",
        f"{CATEGORICAL} tests/distributions/test_categorical_refusals.py",
    ),
    Fault(
        "an infinite divergence has a finite value",
        "distributions/categorical.py",
        "return nnp.where(beyond.any(-1), np.inf, divergence)",
        "return divergence",
        CATEGORICAL,
    ),
    Fault(
        "a forbidden action has a gradient",
        "kernels/chosen_log_prob.py",
        "chosen = _one_hot(logits, x) & possible[..., None]",
        "chosen = _one_hot(logits, x)",
        CATEGORICAL,
    ),
    Fault(
        "large logits lose their differences",
        "kernels/log_softmax.py",
        "    y -= xp.log(total)\n    return y, p",
        "    return x - (xp.log(total) + x.max(-1, keepdims=True)), p",
        CATEGORICAL,
    ),
    Fault(
        "actions that a loss refills change its gradient",
        "distributions/choices.py",
        "if is_traced(logits) and may_change(found):",
        "if False:",
        "tests/autodiff/test_changes_in_place.py",
    ),
    Fault(
        "a draw is scored as if it were not squashed",
        "distributions/squashed.py",
        "(nnp.sum(neg_log_det_tanh(u), -1) - log_norm)",
        "-log_norm",
        DRAWS,
    ),
    Fault(
        "a draw is scored by the action that it rounds to",
        "distributions/squashed.py",
        'u = points_like(draw, self.mu, "draw")',
        'u = points_like(nnp.clip(draw, -8.66, 8.66), self.mu, "draw")',
        DRAWS,
    ),
    Fault(
        "extra axes of actions are counted from the wrong end",
        "distributions/arguments.py",
        "if found.shape[max(found.ndim - mu.ndim, 0) :] != mu.shape:",
        "if found.shape[: mu.ndim] != mu.shape:",
        f"{DRAWS} tests/distributions/test_distributions_refusals.py",
    ),
]
