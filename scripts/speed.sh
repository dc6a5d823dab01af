#!/bin/sh
# Runs the speed benchmark in a fresh clone: npnets, Tianshou, bare PyTorch, JAX and plain autograd.
#   sh scripts/speed.sh [options of benchmarks.cpu.speed, such as: --quick, or --check]
# PYTHON=python3.12 chooses the interpreter. Everything, including PyTorch, is installed into .venv in the checkout.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
sh "$root/scripts/environment.sh" benchmarks -e '.[benchmarks]'
# Without its dependencies: it requires NumPy 1, and old releases of numba and gymnasium that it does not need.
sh "$root/scripts/environment.sh" tianshou --no-deps 'tianshou==1.0.0'
cd "$root"
exec .venv/bin/python -m benchmarks.cpu.speed "$@"
