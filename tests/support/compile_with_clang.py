"""Compile the C with Clang, warnings as errors, for x86-64 and ARM; run the tests about kernels on the module for here.

    python tests/support/compile_with_clang.py FOLDER [options of pytest]

FOLDER takes a copy of the package and what the compiler writes. Clang is that of the package `ziglang`, which has
what it needs for both kinds of processor. It needs Linux. `tox run -e clang` calls this.
"""

import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy
from sanitize import ROOT, WARNINGS, build, run_tests

PROCESSORS = ("x86_64", "aarch64")


def clang(processor: str) -> list[str]:
    """Return the command of Clang for a processor: without it, Zig takes all instructions of the present one."""
    return [sys.executable, "-m", "ziglang", "cc", "-target", f"{processor}-linux-gnu"]


def compile_for(processor: str, folder: Path) -> None:
    """Compile every file for a processor, with the options and headers of the present Python."""
    folder.mkdir(parents=True, exist_ok=True)
    headers = [f"-I{numpy.get_include()}", f"-I{sysconfig.get_paths()['include']}"]
    options = ["-std=gnu11", "-O3", "-DPy_LIMITED_API=0x030A0000", "-fPIC", *WARNINGS.split(), *headers]
    for source in sorted((ROOT / "npnets/kernels/compiled/source").glob("*.c")):
        command = [*clang(processor), *options, "-c", str(source), "-o", str(folder / f"{source.stem}.o")]
        subprocess.run(command, check=True)


def main(folder: Path, *options: str) -> int:
    """Return the exit status: zero if nothing was found."""
    here = platform.machine()
    for processor in PROCESSORS:
        if processor != here:
            compile_for(processor, folder / processor)
    # Linked by GCC, since Zig's library finds no instruction set of a processor.
    build(folder / here, WARNINGS, CC=" ".join(clang(here)), LDSHARED="gcc -shared -pthread")
    return run_tests(folder / here, options)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), *sys.argv[2:]))
