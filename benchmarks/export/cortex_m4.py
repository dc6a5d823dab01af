"""The instructions of an action of a header on a Cortex-M4, counted in QEMU.

With `-icount shift=0` an instruction of QEMU takes a nanosecond of its virtual time, and the processor's own timer
counts 25 a microsecond. The cycles of a real processor are more: loads and branches take two or three.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks import ROOT
from benchmarks.export.compilers import Compiler, compiled

BOARD = ROOT / "tests" / "export" / "microcontroller"
QEMU = ("qemu-system-arm", "-M", "mps2-an386", "-nographic", "-semihosting-config", "enable=on,target=native")
CALLS = 40
PER_TICK = 40
"""Instructions of a tick."""

PROGRAM = """
#include <stdint.h>

#define TIMER ((volatile uint32_t *)0xE000E010)

void say(const char *text);

static void say_number(uint32_t number)
{
    char text[12], *at = text + 11;
    for (*at = 0; number || at == text + 11; number /= 10)
        *--at = (char)('0' + number % 10);
    say(at);
}

int main(void)
{
    float obs[32] = {0.1f, 0.2f, -0.3f};
    KIND action[32];
    TIMER[1] = 0xFFFFFF;
    TIMER[2] = 0;
    TIMER[0] = 5; /* counts down from the largest number of 24 bits */
    void (*volatile call)(const float *, KIND *) = act;
    const uint32_t began = TIMER[2];
    for (int i = 0; i < CALLS; i++) {
        call(obs, action);
        obs[0] = 0.1f * (float)action[0];
    }
    say_number((began - TIMER[2]) & 0xFFFFFF);
    return 0;
}
"""


def instructions(compiler: Compiler, folder: Path) -> int:
    """Return the instructions of an action of the policy in `act.c`."""
    source = f"#define CALLS {CALLS}\n" + (folder / "act.c").read_text(encoding="utf-8") + PROGRAM
    (folder / "count.c").write_text(source, encoding="utf-8")
    board = ("-nostartfiles", "-T", str(BOARD / "board.ld"), str(BOARD / "start.c"))
    compiled(compiler, folder, *board, "count.c", "-o", "count.elf", "-lm")
    command = [*QEMU, "-icount", "shift=0", "-kernel", str(folder / "count.elf")]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return round(int(run.stdout + run.stderr) * PER_TICK / CALLS)
