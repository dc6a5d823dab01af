#!/bin/sh
# Runs every check of continuous integration in a fresh clone, from style and types to the examples.
#   sh scripts/test.sh [options of tox run, such as: -e py -- -k lstm]
# PYTHON=python3.12 chooses the interpreter. Everything is installed into .venv and .tox in the checkout.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
sh "$root/scripts/environment.sh" test 'tox>=4.40' 'tox-uv>=1.29'
cd "$root"
exec .venv/bin/python -m tox run "$@"
