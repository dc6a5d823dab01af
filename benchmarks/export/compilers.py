"""Compilers, and the sizes of what they make of a header."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")


class Compiler(NamedTuple):
    """A command with its options, and the program that measures its object files."""

    command: tuple[str, ...]
    size: str = "size"


HERE = {
    "gcc -O2": Compiler(("gcc", "-O2")),
    "clang -O2": Compiler(("clang", "-O2")),
    "gcc -O3 -march=native": Compiler(("gcc", "-O3", "-march=native")),
}
"""The compilers for this processor."""

THERE = {level: Compiler(("arm-none-eabi-gcc", level, *CORTEX_M4), "arm-none-eabi-size") for level in ("-O2", "-Os")}
"""The compilers for a Cortex-M4, by their level."""


def check_installed(*programs: str) -> None:
    """Exit with a one-line error if a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        sys.exit(
            f"error: this measurement needs {', '.join(missing)}; on Debian: apt-get install gcc clang "
            "gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm"
        )


def compiled(compiler: Compiler, folder: Path, *arguments: str) -> None:
    """Compile in a folder."""
    subprocess.run([*compiler.command, *arguments], cwd=folder, check=True)


def flash(compiler: Compiler, folder: Path) -> int:
    """Return the bytes of the code and constants of `act.c`."""
    compiled(compiler, folder, "-c", "act.c", "-o", "act.o")
    run = subprocess.run([compiler.size, "act.o"], cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    text, data, *_ = run.stdout.splitlines()[1].split()
    return int(text) + int(data)


def stack(compiler: Compiler, folder: Path) -> int:
    """Return the bytes of the largest stack frame of `act.c`, whose functions the compiler joins to one."""
    compiled(compiler, folder, "-fstack-usage", "-c", "act.c", "-o", "act.o")
    lines = (folder / "act.su").read_text(encoding="utf-8").splitlines()
    return max(int(line.split("\t")[1]) for line in lines)
