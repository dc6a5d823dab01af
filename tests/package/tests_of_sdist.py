"""Unpack the source distribution, install it into an empty environment, and run a fast part of its tests from there.

    python tests/package/tests_of_sdist.py FOLDER

FOLDER holds the source distribution. `tox run -e package` builds it and calls this. Packagers have no other files, so
that the tests must find in them everything that they read.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PART = ("tests/project", "tests/checkpoint", "tests/optim")
"""Tests that read the repository's own files, and two parts of the package."""


def main(folder: str) -> int:
    """Return the exit status of the tests."""
    (archive,) = Path(folder).glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as empty:
        environment = Path(empty, "environment")
        shutil.unpack_archive(archive, empty)
        root = Path(empty, archive.name.removesuffix(".tar.gz"))
        venv.create(environment)
        pip = [sys.executable, "-m", "pip", "--python", str(environment)]
        quick = {**os.environ, "NPNETS_COMPILED": "off"}  # build_all.py has compiled the C of this archive
        subprocess.run([*pip, "install", "--quiet", "--no-compile", f"{root}[test]"], check=True, env=quick)
        python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        return subprocess.run(
            [python, "-m", "pytest", "-q", "-n", "auto", "-m", "not slow", *PART], cwd=root
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
