"""Build the C with warnings as errors, then with sanitizers, and run tests on that module under each instruction set.

    python tests/support/sanitize.py FOLDER [options of pytest]

FOLDER takes copies of the package and what the compiler writes. AddressSanitizer finds reads and writes past an array,
UndefinedBehaviorSanitizer overflow of integers, misaligned pointers and the like: both end the process. It needs Linux
and GCC. `tox run -e sanitize` calls this.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from run_instruction_sets import TESTS, available, run_on_each

ROOT = Path(__file__).resolve().parents[2]
WARNINGS = "-Wall -Wextra -Werror"
SANITIZERS = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
SHORT = ("-n", "auto", "-m", "not slow", *TESTS)
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0",  # Python itself frees little at its end
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "PYTHONMALLOC": "malloc",  # each of Python's objects then has guards of its own
}


def build(folder: Path, options: str) -> None:
    """Compile the extension module into a folder that has a copy of the package."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "npnets", folder / "npnets", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    command = [sys.executable, "setup.py", "--quiet", "build_ext"]
    outputs = ["--build-lib", str(folder), "--build-temp", str(folder / "objects")]
    environment = {**os.environ, "NPNETS_COMPILER_OPTIONS": options, "NPNETS_REQUIRE_COMPILED": "1"}
    subprocess.run([*command, *outputs], check=True, cwd=ROOT, env=environment)


def file_of(library: str) -> str:
    """Return the path of one of the compiler's own libraries."""
    command = ["gcc", f"-print-file-name={library}"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main(folder: Path, *options: str) -> int:
    """Return the exit status: zero if nothing was found."""
    build(folder / "warnings", WARNINGS)
    build(folder / "sanitized", SANITIZERS)
    # The sanitizer has to be loaded before Python, and so has the library of C++, whose exceptions it observes.
    libraries = f"{file_of('libasan.so')} {file_of('libstdc++.so')}"
    environment = {**OPTIONS, "LD_PRELOAD": libraries, "PYTHONPATH": str(folder / "sanitized")}
    return run_on_each(available(**environment), *(options or SHORT), **environment)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), *sys.argv[2:]))
