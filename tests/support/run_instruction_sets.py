"""Run tests under each instruction set that the compiled kernels have for this processor, but the best.

    python tests/support/run_instruction_sets.py [options of pytest]

Every other run of the suite uses the best one. Without options these are the tests about kernels and optimizers, apart
from those that choose instruction sets themselves. `tox run -e instructions` calls this.
"""

import os
import subprocess
import sys

from npnets.kernels.compiled.native import native

TESTS = ("-n", "auto", "-m", "not slow", "tests/kernels", "tests/optim", "--ignore-glob=*/test_compiled_*")


def run_on(name: str, *options: str) -> int:
    """Run pytest under an instruction set, and return its exit status."""
    print(f"-- {name} --", flush=True)
    return subprocess.run(["pytest", *options], env={**os.environ, "NPNETS_COMPILED": name}).returncode


if __name__ == "__main__":
    names = [] if native is None else native.available()[1:]
    sys.exit(any([run_on(name, *(sys.argv[1:] or TESTS)) for name in names]))
