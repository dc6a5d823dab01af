"""Faults in how networks and policies become programs, from which files are written."""

from __future__ import annotations

from fault import Fault

_LOWERING = "tests/export/test_lowering.py"
_API = "tests/export/test_export_api.py"
_ERRORS = "tests/export/test_export_errors.py"
_COMMAND = "tests/export/test_export_command.py"

EXPORTS = [
    Fault(
        "export: a dueling network adds the mean of its advantages",
        "export/lowering/feed_forward.py",
        '"subtract", advantages, mean',
        '"add", advantages, mean',
        _LOWERING,
    ),
    Fault(
        "export: the members of an ensemble change places",
        "export/lowering/feed_forward.py",
        'weights = iter(params["weight"])',
        'weights = iter(params["weight"][::-1])',
        _LOWERING,
    ),
    Fault(
        "export: a softmax runs over all atoms of all actions",
        "export/lowering/feed_forward.py",
        "groups = prod(x.shape[:-1])",
        "groups = 1",
        _LOWERING,
    ),
    Fault(
        "export: actions are not clipped to their bounds",
        "export/lowering/bounds.py",
        "    return limited(builder, y, bounds, name)",
        "    return y",
        _LOWERING,
    ),
    Fault(
        "export: a Perturbation moves actions as far as they can go",
        "export/lowering/continuous.py",
        "scale=net.phi * half",
        "scale=half",
        _LOWERING,
    ),
    Fault(
        "export: the mean of an unbounded actor is squashed",
        "export/lowering/continuous.py",
        "if not actor.unbounded:",
        "if True:",
        _LOWERING,
    ),
    Fault(
        "export: every layer of an LSTM reads the first one's state",
        "export/lowering/recurrent.py",
        "start=number * size",
        "start=0",
        _LOWERING,
    ),
    Fault(
        "export: an LSTM forgets one of its biases",
        "export/lowering/recurrent.py",
        'layer["bias_ih"] + layer["bias_hh"]',
        'layer["bias_ih"]',
        _LOWERING,
    ),
    Fault(
        "export: a critic's recurrent trunk keeps a state that forward never takes",
        "export/lowering/builder.py",
        "if self._keeps_state else self.constant",
        "if True else self.constant",
        _LOWERING,
    ),
    Fault(
        "export: normalized observations are not clipped",
        "export/lowering/normalized.py",
        '"limit": state.clip',
        '"limit": None',
        _LOWERING,
    ),
    Fault(
        "export: quantiles are averaged without their fractions",
        "export/lowering/acting.py",
        'if "taus" in outputs:',
        "if False:",
        _API,
    ),
    Fault(
        "export: the value of a dueling network is computed where it changes nothing about the choice",
        "export/lowering/acting.py",
        "isinstance(added, Repeat) and added.x.size == 1",
        "False",
        _API,
    ),
    Fault(
        "export: observations are normalized twice",
        "export/subject.py",
        "    check_normalized_once(network, normalization)",
        "    pass",
        _ERRORS,
    ),
    Fault(
        "export: the deviation is computed where the mean alone acts",
        "export/pruning.py",
        "if any(value.name in names for value in results(operation)):",
        "if True:",
        _API,
    ),
    Fault(
        "export: a self-test holds choices that rounding might change",
        "export/self_test.py",
        "worth[_doubtful(rng, subject, cases)]",
        "worth[_doubtful(rng, subject, cases) & False]",
        _API,
    ),
    Fault(
        "export: the cases of a self-test are those that were drawn first",
        "export/self_test.py",
        "worth = _visibility(rng, subject, cases)",
        "worth = 0 * _visibility(rng, subject, cases)",
        _API,
    ),
    Fault(
        "export: the cases of a choice lie anywhere",
        "export/self_test.py",
        "_HALVINGS = 7",
        "_HALVINGS = 0",
        _API,
    ),
    Fault(
        "export: the errors that a self-test allows are those of large actions",
        "export/tolerance.py",
        "return min(1.0, float(np.abs(scaled.scale).max()))",
        "return min(1.0, float(np.abs(scaled.scale).max()) * 1e9)",
        _API,
    ),
    Fault(
        "export: bounds between which no float32 lies are written",
        "export/single_precision.py",
        "np.flatnonzero(low > high)",
        "np.flatnonzero(low < low)",
        _ERRORS,
    ),
    Fault(
        "export: parameters that are not finite are written",
        "export/subject.py",
        "    if bad:",
        "    if False:",
        _ERRORS,
    ),
    Fault(
        "export: an activation of the user's own is written under an empty name",
        "export/lowering/builder.py",
        "if activation.function is not None:",
        "if False:",
        _ERRORS,
    ),
    Fault(
        "export: the command writes the action whatever output is asked for",
        "__main__.py",
        "output=options.output, name",
        "name",
        _COMMAND,
    ),
]
