"""Exported headers of C on a Cortex-M4: cross-compiled, and run in QEMU."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from c_files import WARNINGS, Texts, compiler

FILES = Path(__file__).resolve().parents[1] / "export" / "microcontroller"
PROCESSOR = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
GCC = "arm-none-eabi-gcc"
QEMU = ("qemu-system-arm", "-M", "mps2-an386", "-nographic", "-semihosting-config", "enable=on,target=native")


def build(texts: Texts, folder: Path, options: Sequence[str] = ("-std=c99", "-O2")) -> Path:
    """Return a program that runs the self-tests of headers, and whose exit status is the number that failed."""
    for name, text in texts.items():
        (folder / f"{name}.h").write_text(text, encoding="utf-8")
    includes = "".join(f'#define {name.upper()}_SELF_TEST\n#include "{name}.h"\n' for name in texts)
    runs = "".join(f'    if ({name}_self_test()) {{ failed++; say("{name}\\n"); }}\n' for name in texts)
    head, body = "void say(const char *text);\nint main(void)\n{\n    int failed = 0;\n", "    return failed;\n}\n"
    (folder / "main.c").write_text(includes + head + runs + body, encoding="utf-8")
    linked = ["-nostartfiles", "-T", str(FILES / "board.ld"), str(FILES / "start.c"), "main.c", "-lm", "-o", "all.elf"]
    command = [compiler(GCC), *options, *PROCESSOR, *WARNINGS, *linked]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:5000]
    return folder / "all.elf"


def run(program: Path) -> tuple[int, str]:
    """Return the exit status of a program in QEMU, and what it wrote."""
    command = [compiler(QEMU[0]), *QEMU[1:], "-kernel", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr
