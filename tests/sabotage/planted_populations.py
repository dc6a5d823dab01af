"""Faults of populations on many processes, each of which a test catches."""

from __future__ import annotations

from fault import Fault

_RESULTS, _FAULTS = "tests/parallel/test_population.py", "tests/parallel/test_population_faults.py"
_DRIVERS, _EXECUTOR = "tests/parallel/test_population_drivers.py", "tests/parallel/test_process_executor.py"

POPULATIONS = [
    Fault(
        "all tasks of a population have one generator",
        "parallel/task.py",
        "generator(task.seed, task.number)",
        "generator(task.seed, 0)",
        _RESULTS,
    ),
    Fault(
        "tasks of one seed sequence have the generators of another",
        "parallel/seeds.py",
        '(*sequence.spawn_key, size("index", index, least=0))',
        "(int(index),)",
        _RESULTS,
    ),
    Fault(
        "a task changes what others read",
        "parallel/task.py",
        "view.flags.writeable = False",
        "view.flags.writeable = True",
        _RESULTS,
    ),
    Fault(
        "a process takes several threads",
        "parallel/process.py",
        "    threads(1)\n",
        "",
        _RESULTS,
    ),
    Fault(
        "a NaN counts as a result",
        "parallel/task.py",
        "if not allows_nan and is_nan(leaf):",
        "if False:",
        _FAULTS,
    ),
    Fault(
        "calls that wait are dropped with a stopped one",
        "parallel/process_executor.py",
        "deque(call for call in self._waiting if call.future not in futures)",
        "deque()",
        _EXECUTOR,
    ),
    Fault(
        "workers outlive a driver that is killed",
        "parallel/process.py",
        "threading.Thread(target=_end_with_parent, daemon=True).start()",
        "pass",
        _DRIVERS,
    ),
    Fault(
        "an idle process that died is not replaced",
        "parallel/process_executor.py",
        "self._replace(process, call, never_ran=True)\n        except RuntimeError",
        "raise\n        except RuntimeError",
        _EXECUTOR,
    ),
]
