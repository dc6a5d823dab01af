"""Build the C with warnings as errors, then with sanitizers, and run tests on that module.

    python tests/support/sanitize.py FOLDER [options of pytest]

FOLDER takes copies of the package and its tests. AddressSanitizer finds reads and writes past an array,
UndefinedBehaviorSanitizer overflow of integers, misaligned pointers and the like: both end the process. It needs Linux
and GCC. `tox run -e sanitize` calls this.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("npnets", "tests", "README.md", "pyproject.toml", "setup.cfg", "setup.py")
WARNINGS = "-Wall -Wextra -Werror"
SANITIZERS = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
TESTS = ("-q", "-n", "auto", "-m", "not slow", "tests/kernels", "tests/optim", "--ignore-glob=*/test_launches.py")
"""The tests that run compiled kernels, many of them under each instruction set; launches are a GPU's."""


def build(folder: Path, options: str, **environment: str) -> None:
    """Copy the package and its tests into a folder, and compile the extension module there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    environment = {**os.environ, "NPNETS_REQUIRE_COMPILED": "1", "NPNETS_COMPILER_OPTIONS": options, **environment}
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    subprocess.run(command, check=True, cwd=folder, env=environment)


def run_tests(folder: Path, options: tuple[str, ...], **environment: str) -> int:
    """Run pytest in a folder, whose package comes before an installed one, and return its exit status."""
    environment = {**os.environ, "NPNETS_COMPILED": "", **environment, "PYTHONPATH": str(folder)}
    return subprocess.run(["pytest", *(options or TESTS)], cwd=folder, env=environment).returncode


def settings(reports: Path) -> dict[str, str]:
    """Return the environment of a sanitized process; its reports are files, since pytest captures output."""
    # The sanitizer has to be loaded before Python, and so has the library of C++, whose exceptions it observes.
    libraries = f"{file_of('libasan.so')} {file_of('libstdc++.so')}"
    return {
        "LD_PRELOAD": libraries,
        "ASAN_OPTIONS": f"detect_leaks=0:log_path={reports}",  # Python itself frees little at its end
        "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={reports}",
        "PYTHONMALLOC": "malloc",  # each of Python's objects then has guards of its own
    }


def file_of(library: str) -> str:
    """Return the path of one of the compiler's own libraries."""
    command = ["gcc", f"-print-file-name={library}"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main(folder: Path, *options: str) -> int:
    """Return the exit status: zero if nothing was found, or if there is no compiler and none is required."""
    if shutil.which("gcc") is None and not os.environ.get("NPNETS_REQUIRE_COMPILED"):
        print("there is no gcc: nothing is checked")
        return 0
    build(folder / "warnings", WARNINGS)
    build(folder / "sanitized", SANITIZERS)
    status = run_tests(folder / "sanitized", options, **settings(folder / "sanitized" / "report"))
    for report in (folder / "sanitized").glob("report.*"):
        print(report.read_text(encoding="utf-8"))
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), *sys.argv[2:]))
