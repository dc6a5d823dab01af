"""Install the source distribution where the C compiler fails or is missing: the NumPy kernels run.

    python tests/package/without_compiler.py FOLDER

FOLDER contains the source distribution. `tox run -e package` builds it and calls this. With NPNETS_REQUIRE_COMPILED=1
such an installation fails.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

SMOKE = Path(__file__).resolve().parent / "smoke.py"
NEEDED = ("setuptools", "numpy", "scipy", "autograd")
"""To build and to run it; installed once, and not into an environment for each of the builds."""

EXPECTED = "this installation has none: install a C compiler"


def pip(environment: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Install into an environment; compiling all modules would take most of the time."""
    command = [sys.executable, "-m", "pip", "--python", environment, "install", "--quiet", "--no-compile", *arguments]
    variables = {**os.environ, "NPNETS_COMPILED": "", "NPNETS_REQUIRE_COMPILED": "", **variables}
    return subprocess.run(command, env=variables, capture_output=True, text=True)


def install(environment: str, archive: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Install the archive into an environment, with a cache that no other installation uses."""
    return pip(environment, "--no-cache-dir", "--no-build-isolation", str(archive), **variables)


def main(folder: str) -> int:
    """Return the smoke test's exit status."""
    (archive,) = Path(folder).glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as empty:
        venv.create(empty)
        assert pip(empty, *NEEDED).returncode == 0
        required = install(empty, archive, CC="false", NPNETS_REQUIRE_COMPILED="1")
        assert required.returncode != 0 and "error: Command '['false'" in required.stderr, required
        for compiler in ("false", "no-such-compiler"):
            installed = install(empty, archive, CC=compiler)
            assert installed.returncode == 0, installed
        python = Path(empty, "bin", "python")
        code = "import npnets; print(npnets.about()['compiled_because'])"
        reason = subprocess.run([python, "-I", "-c", code], cwd=empty, check=True, stdout=subprocess.PIPE, text=True)
        assert EXPECTED in reason.stdout, reason
        return subprocess.run([python, "-I", SMOKE], cwd=empty).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if os.name == "posix" else 0)  # Windows has no compiled kernels
