"""Run tests once under each instruction set that the compiled kernels have for this processor.

    python tests/support/run_instruction_sets.py [options of pytest]

Without options of pytest, the tests about kernels run. `--others` before them leaves out the best instruction set,
which every other run of the suite uses. `tox run -e instructions` calls this.
"""

import os
import subprocess
import sys

TESTS = ("tests/kernels", "tests/optim")
"""The tests that compare compiled kernels with their compositions."""


def available(**environment: str) -> list[str]:
    """Return the names of the instruction sets, the best first."""
    code = "from npnets.kernels.compiled.native import native; print(*native.available())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    return done.stdout.split()


def run_on_each(names: list[str], *options: str, **environment: str) -> int:
    """Run pytest under each instruction set, and return the largest exit status; that of a signal is its number."""
    found = 0
    for name in names:
        print(f"-- {name} --", flush=True)
        command = [sys.executable, "-m", "pytest", *options]
        chosen = {**os.environ, **environment, "NPNETS_COMPILED": name}
        found = max(found, abs(subprocess.run(command, env=chosen).returncode))
    return found


if __name__ == "__main__":
    arguments = sys.argv[1:]
    others = arguments[:1] == ["--others"]
    sys.exit(run_on_each(available()[others:], *(arguments[others:] or TESTS)))
