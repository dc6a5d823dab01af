"""The time of an action of a header on this processor."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.export.compilers import Compiler, compiled

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Prints the least time of an action over some blocks of actions, in microseconds. */
int main(int count, char **arguments)
{
    const int blocks = count > 1 ? atoi(arguments[1]) : 1, calls = 200;
    float obs[32] = {0.1f, 0.2f, -0.3f};
    KIND action[32];
    void (*volatile call)(const float *, KIND *) = act; /* so that no call is left out */
    double least = 1e9;
    for (int i = 0; i < blocks; i++) {
        const double began = seconds();
        for (int j = 0; j < calls; j++) {
            call(obs, action);
            obs[0] = 0.1f * (float)action[0]; /* so that an action waits for the one before */
        }
        const double taken = (seconds() - began) / calls;
        least = taken < least ? taken : least;
    }
    printf("%.9f\\n", 1e6 * least);
    return 0;
}
"""


def microseconds(compiler: Compiler, folder: Path, blocks: int) -> float:
    """Return the least mean time of an action over blocks of 200, of the policy in `act.c`."""
    source = "#define _POSIX_C_SOURCE 199309L\n" + (folder / "act.c").read_text(encoding="utf-8") + PROGRAM
    (folder / "time.c").write_text(source, encoding="utf-8")
    compiled(compiler, folder, "time.c", "-o", "time", "-lm")
    run = subprocess.run([folder / "time", str(blocks)], check=True, stdout=subprocess.PIPE, text=True)
    return float(run.stdout)
