#!/bin/sh
# Create the checkout's virtual environment, .venv, and install into it.
#   sh scripts/environment.sh NAME REQUIREMENT...
# NAME is the purpose of the requirements, which are pip's arguments, relative to the root of the checkout. A second call
# with the same NAME installs nothing, unless setup.cfg, setup.py, pyproject.toml, the C sources, the requirements or the
# checkout's path changed.
# $PYTHON is the interpreter; by default, an existing .venv is reused, and a new one is made with python3.
# Needs Python 3.10 or newer. Installs Debian's python3-venv if the interpreter needs it to make an environment.
set -eu

say() { printf 'npnets: %s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

[ "$#" -ge 2 ] || fail "usage: sh scripts/environment.sh NAME REQUIREMENT..."
name=$1
shift

# Runs before the change of folder, so that $PYTHON may be a relative path. Inside an environment, this finds its base
# interpreter, because .venv itself may be active and about to be rebuilt.
find_python() {
    wanted=${PYTHON:-python3}
    command -v "$wanted" >/dev/null 2>&1 ||
        fail "$wanted not found; install Python 3.10 or newer, or name one, as in PYTHON=python3.12 sh scripts/..."
    version=$("$wanted" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || fail "$wanted does not run"
    "$wanted" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "$wanted is Python $version, npnets needs 3.10 or newer; name one, as in PYTHON=python3.12 sh scripts/..."
    python=$("$wanted" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)')
}

identity() { "$1" -c 'import sys; print(sys.base_prefix, sys.version)'; }

# Whether .venv is complete, new enough, and made with the requested interpreter.
is_usable() {
    [ ! -e "$unfinished" ] &&
        "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1 &&
        { [ -z "$python" ] || [ "$(identity "$python")" = "$(identity "$venv/bin/python")" ]; }
}

can_make_environments() { "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# Debian and Ubuntu have a part of Python's venv in a separate package.
install_venv() {
    package=python$version-venv
    [ "$(identity "$python")" != "$(identity /usr/bin/python3 2>/dev/null)" ] || package=python3-venv
    remedy="$python cannot make virtual environments (no ensurepip); as root: apt-get install $package"
    command -v apt-get >/dev/null 2>&1 || fail "$remedy"
    if [ "$(id -u)" -eq 0 ]; then
        set -- env
    elif ! command -v sudo >/dev/null 2>&1; then
        fail "$remedy (this user is not root, and there is no sudo)"
    elif [ -t 0 ]; then
        set -- sudo env
    else
        set -- sudo -n env
    fi
    say "$python cannot make virtual environments (no ensurepip): installing $package with apt-get"
    # An update may fail for an unrelated package source; only the result of the installation counts.
    "$@" DEBIAN_FRONTEND=noninteractive sh -c "apt-get -qq update; apt-get -qq install -y $package" >&2 ||
        fail "$remedy"
    can_make_environments || fail "$remedy (it is installed, but this is not enough)"
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=$root/.venv
unfinished=$root/.venv-unfinished
stamp=$venv/npnets-$name
python=
[ -z "${PYTHON:-}" ] || find_python
cd "$root"

if ! is_usable; then
    [ -n "$python" ] || find_python
    can_make_environments || install_venv
    say "making .venv with $python (Python $version)"
    : >"$unfinished"
    rm -rf "$venv"
    "$python" -m venv "$venv" || fail "$python could not make $venv"
    rm "$unfinished"
fi

state=$(printf '%s\n' "$root" "$@" && cat setup.cfg setup.py pyproject.toml && cksum npnets/kernels/compiled/source/*)
if [ "$(cat "$stamp" 2>/dev/null)" != "$state" ]; then
    say "installing into .venv: $*"
    # Until the end, .venv may be incomplete: an interrupted run leaves this mark, and the next run starts over.
    : >"$unfinished"
    # The user's settings may contain --user, which does not work in an environment. pip 21.3 is the first version that
    # can install a checkout in place without a setup.py.
    PIP_USER=0 "$venv/bin/python" -m pip install --quiet --disable-pip-version-check 'pip>=21.3' ||
        fail "could not update pip in .venv"
    PIP_USER=0 "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ||
        fail "could not install into .venv: $*"
    printf '%s\n' "$state" >"$stamp"
    rm "$unfinished"
fi
