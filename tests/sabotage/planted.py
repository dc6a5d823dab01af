"""Faults that were found once, planted again one at a time: a test must catch each of them.

    python tests/sabotage/planted.py [words of the faults to plant]

Each is an example of a kind: a derivative through integers, an output that a caller can change, a lock in a signal
handler. A fault has a piece of the present source, the text that plants the fault, and the tests that catch it, which
run on a copy of the package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fault import Fault
from planted_arrays import ARRAYS
from planted_d3rlpy_cleanrl import D3RLPY_CLEANRL
from planted_discrete import DISCRETE
from planted_distributions import DISTRIBUTIONS
from planted_exports import EXPORTS
from planted_networks import NETWORKS
from planted_policies import POLICIES
from planted_populations import POPULATIONS
from planted_python_files import PYTHON_FILES
from planted_quantiles import QUANTILES
from planted_readers import READERS
from planted_rules import RULES

ROOT = Path(__file__).parents[2]

FAULTS = [
    Fault(
        "a derivative goes on behind integers",
        "autodiff/tracing.py",
        'kind in (int, bool, str, type(None)) or (dtype is not None and dtype.kind in "biu")',
        "kind in (int, bool, str, type(None))",
        "tests/autodiff/test_ends_of_derivatives.py",
    ),
    Fault(
        "a whole exponent is a constant to mixed derivatives",
        "numpy/elementwise.py",
        "return where((np.abs(bare(x)) <= _largest_pole(x)) & (bare(y) == 0), 1, y - 1)",
        "return where(bare(y) == 0, 1, y - 1)",
        "tests/numpy/test_poles.py",
    ),
    Fault(
        "objects that are no trees pass unchecked",
        "autodiff/hidden.py",
        "if _holds(leaf, is_meant):",
        "if False:",
        "tests/autodiff/test_hidden_arrays.py",
    ),
    Fault(
        "distributions pass through stop_gradient as they are",
        "autodiff/hidden.py",
        'if into_objects and hasattr(leaf, "map_arrays"):',
        "if False:",
        "tests/autodiff/test_hidden_arrays.py",
    ),
    Fault(
        "the value of vjp is what its pullback reads",
        "autodiff/derivatives.py",
        "return own_value, pullback",
        "return value, pullback",
        "tests/autodiff/test_changes_in_place.py",
    ),
    Fault(
        "a stopped array can be changed",
        "autodiff/ownership.py",
        "view.flags.writeable = False",
        "pass",
        "tests/autodiff/test_changes_in_place.py",
    ),
    Fault(
        "constants are not copied",
        "autodiff/tracing.py",
        "values = [arg.copy() if may_change(arg) else arg for arg in args]",
        "values = list(args)",
        "tests/autodiff/test_changes_in_place.py",
    ),
    Fault(
        "observations are not copied",
        "inputs.py",
        "return value.copy() if is_traced(like) and may_change(value) else value",
        "return value",
        "tests/autodiff/test_changes_in_place.py",
    ),
    Fault(
        "a deep copy loses its derivative",
        "numpy/operators.py",
        '"__deepcopy__": lambda self, memo: self',
        '"__deepcopy__": lambda self, memo: bare(self).copy()',
        "tests/autodiff/test_ends_of_derivatives.py",
    ),
    Fault(
        "a norm overflows",
        "optim/clipping.py",
        "return (math.sqrt(square), 1.0) if _is_safe(square, leaves) else _careful_norm(grads)",
        "return math.sqrt(square), 1.0",
        "tests/numpy/test_rounding.py",
    ),
    Fault(
        "a gradient that is not finite is spread",
        "optim/clipping.py",
        "        _refuse(grads)\n",
        "        pass\n",
        "tests/optim/test_optimizer_extremes.py",
    ),
    Fault(
        "float16 is computed with",
        "dtypes.py",
        "COMPUTED = frozenset({np.dtype(np.float32), np.dtype(np.float64)})",
        "COMPUTED = frozenset({np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)})",
        "tests/numpy/test_dtypes.py",
    ),
    Fault(
        "masked arrays and matrices are taken",
        "dtypes.py",
        "return dtype_fault(array.dtype) or class_fault(array)",
        "return dtype_fault(array.dtype)",
        "tests/numpy/test_dtypes.py tests/autodiff/test_ends_of_derivatives.py",
    ),
    Fault(
        "adamw adds its decay to the parameter",
        "optim/adam.py",
        "change = ops.axpy(-apart, p, change)",
        "p = ops.axpy(-apart, p, p)",
        "tests/numpy/test_rounding.py",
    ),
    Fault(
        "a soft update of an infinite target is nan",
        "optim/arithmetic.py",
        "return _composed(rule, numbers, rows, _NUMPY._replace(lerp=_lerp_anywhere))",
        "return compute(_NUMPY)",
        "tests/numpy/test_rounding.py",
    ),
    Fault(
        "the slope of expm1 cancels",
        "numpy/elementwise.py",
        "@elementwise(lambda output, x: exp(x))\ndef expm1",
        "@elementwise(lambda output, x: output + 1)\ndef expm1",
        "tests/numpy/test_poles.py",
    ),
    Fault(
        "a bound is rounded beyond itself",
        "functional.py",
        "return rounded_down(exact, np.dtype(dtype)).tolist()",
        "return exact.astype(dtype).tolist()",
        "tests/numpy/test_rounding.py",
    ),
    Fault(
        "an interval overflows",
        "distributions/squashed.py",
        "        if edges.scale != 1:\n",
        "        if False:\n",
        "tests/numpy/test_rounding.py",
    ),
    Fault(
        "scalars of NumPy promote",
        "description.py",
        "return value.item() if is_scalar else value",
        "return value",
        "tests/numpy/test_rounding.py",
    ),
    Fault(
        "scalars of NumPy promote in functions",
        "numpy/operands.py",
        'return x.item() if isinstance(x, np.generic) and x.dtype.kind in "iuf" else x',
        "return x",
        "tests/numpy/test_dtypes.py",
    ),
    Fault(
        "an array of no dimension is an empty loop",
        "numpy/operators.py",
        "    if not self.ndim:",
        "    if False:",
        "tests/numpy/test_poles.py",
    ),
    Fault(
        "axes are counted modulo",
        "numpy/shaping.py",
        "dropped = ones if axis is None else normalize_axis_tuple(axis, len(shape))",
        "dropped = ones if axis is None else [one % len(shape) for one in axis]",
        "tests/numpy/test_poles.py",
    ),
    Fault(
        "swapped arguments return the generator",
        "initializers.py",
        "    check_generator(rng, order)\n    _check_gain(gain, order)\n    if not isinstance(params",
        "    if not isinstance(params",
        "tests/networks/test_swapped_arguments.py",
    ),
    Fault(
        "logsumexp of minus infinity has a gradient of nan",
        "numpy/reductions.py",
        "nothing = bare(total) == 0",
        "nothing = bare(total) < 0",
        "tests/numpy/test_poles.py",
    ),
    Fault(
        "a mask behind the arithmetic is taken",
        "numpy/masking.py",
        "if is_traced(x) and not is_root(x):",
        "if False:",
        "tests/numpy/test_poles.py",
    ),
    Fault(
        "underflow is an error",
        "underflow.py",
        'with np.errstate(under="ignore"):',
        "with np.errstate():",
        "tests/numpy/test_underflow.py",
    ),
    Fault(
        "an interrupted save leaves its folder open",
        "files/atomic_write.py",
        "opened.extend(map(os.open, [folder], [os.O_RDONLY]))",
        "fd = os.open(folder, os.O_RDONLY); opened.append(fd)",
        "tests/checkpoint/test_interrupted_saves.py",
    ),
    Fault(
        "what a killed save left stays",
        "files/atomic_write.py",
        "    _remove_abandoned(start)\n",
        "",
        "tests/checkpoint/test_interrupted_saves.py",
    ),
    Fault(
        "a file that is being written is taken for abandoned",
        "files/atomic_write.py",
        "            if lock(file.fileno(), waits=False):",
        "            if True:",
        "tests/checkpoint/test_interrupted_saves.py",
    ),
    Fault(
        "a manifest may have any number of values",
        "checkpoint/manifest.py",
        "    _check_few_values(found)\n",
        "",
        "tests/checkpoint/test_checkpoint_costs.py",
    ),
    Fault(
        "records of an archive may overlap",
        "files/zip_guards.py",
        "if entry.header_offset < end:",
        "if False:",
        "tests/checkpoint/test_checkpoint_sizes.py",
    ),
    Fault(
        "files with the former names of fields do not load",
        "checkpoint/registry.py",
        '"RMSpropState": {"square": "nu"}',
        "",
        "tests/checkpoint/test_files_written_before.py",
    ),
    Fault(
        "parameters in float64 are not those of their network",
        "checkpoint/template.py",
        "shapes_of(expected, _dtype_of(found))",
        "shapes_of(expected)",
        "tests/checkpoint/test_checkpoint_arguments.py",
    ),
    Fault(
        "a network is tried at every place of a state dict",
        "interop/tianshou/prefixes.py",
        "tried = itertools.islice((place for place in places if place), _MOST_PLACES)",
        "tried = (place for place in places if place)",
        "tests/interop/test_interop_costs.py",
    ),
    Fault(
        "zero rows of several axes cannot be flattened",
        "inputs.py",
        "x.reshape((x.shape[0], math.prod(x.shape[1:])))",
        "x.reshape((x.shape[0], -1))",
        "tests/networks/test_first_mistakes.py",
    ),
    Fault(
        "a buffer is in the pool while it is looked for",
        "kernels/buffers.py",
        'pool: _Pool | None = slot.pop("pool", None)',
        'pool: _Pool | None = slot.get("pool")',
        "tests/kernels/test_interrupted_memory.py",
    ),
    Fault(
        "a second copy of the package draws numbers of its own",
        "autodiff/trace_numbers.py",
        'if not hasattr(tracer.trace_stack, "number"):',
        "if True:",
        "tests/autodiff/test_copies_of_the_package.py",
    ),
    Fault(
        "a handler waits for the lock that it interrupted",
        "autodiff/trace_numbers.py",
        "threading.RLock()",
        "threading.Lock()",
        "tests/threads/test_forks_and_handlers.py",
    ),
    Fault(
        "a child forked meanwhile waits for a lock",
        "description.py",
        "instance.__dict__.setdefault(self.attrname, self.func(instance))",
        "super().__get__(instance, owner)",
        "tests/threads/test_forks_and_handlers.py",
    ),
    *EXPORTS,
    *POLICIES,
    *RULES,
    *DISTRIBUTIONS,
    *ARRAYS,
    *NETWORKS,
    *DISCRETE,
    *POPULATIONS,
    *PYTHON_FILES,
    *QUANTILES,
    *READERS,
    *D3RLPY_CLEANRL,
]


def main() -> int:
    """Plant each fault whose name contains the given words, and return how many no test caught."""
    words = " ".join(sys.argv[1:])
    missed = [fault.name for fault in FAULTS if words in fault.name and not _is_caught(fault)]
    for name in missed:
        print(f"not caught: {name}")
    return len(missed)


def _is_caught(fault: Fault) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        for part in ("npnets", "tests", "docs", "examples", "benchmarks", "pyproject.toml", "setup.cfg", "tox.ini"):
            _copy(ROOT / part, Path(folder) / part)
        path = Path(folder) / "npnets" / fault.file
        path.write_text(path.read_text().replace(fault.old, fault.new, 1))
        options = ["-q", "-x", "-p", "no:cacheprovider", "--backend", "all"]
        command = [sys.executable, "-m", "pytest", *options, *fault.tests.split()]
        environment = {**os.environ, "PYTHONPATH": folder, "NPNETS_COMPILED": "off"}  # the faults are in Python
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True)
    caught = done.returncode == 1
    print(f"{'caught' if caught else 'NOT CAUGHT'}: {fault.name}", flush=True)
    return caught


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "_build", "*.png"))
    else:
        shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main())
