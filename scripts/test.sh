#!/bin/sh
# Runs every check of continuous integration in a fresh clone, from style and types to the examples.
#   sh scripts/test.sh [options of tox run, such as: -e py -- -k lstm]
# Without options two environments run at a time, because most of them keep one core busy; each shows its output at its
# end.
# PYTHON=python3.12 chooses the interpreter. Everything is installed into .venv and .tox in the checkout.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
sh "$root/scripts/environment.sh" test 'tox>=4.40' 'tox-uv>=1.29'
cd "$root"
if [ $# -eq 0 ]; then
    exec .venv/bin/python -m tox run-parallel --parallel 2 --parallel-no-spinner
fi
exec .venv/bin/python -m tox run "$@"
