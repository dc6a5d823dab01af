#!/bin/sh
# Trains a policy in a fresh clone, by offline reinforcement learning (BCQ).
#   sh scripts/demo.sh [options of examples/offline/offline_bcq.py]
# PYTHON=python3.12 chooses the interpreter. Everything is installed into .venv in the checkout.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
sh "$root/scripts/environment.sh" demo -e '.[examples]'
exec "$root/.venv/bin/python" "$root/examples/offline/offline_bcq.py" "$@"
