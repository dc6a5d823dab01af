"""Install each wheel and its dependencies into an empty environment, and run the smoke test there.

    python tests/package/empty_environment.py FOLDER

FOLDER contains the wheels. `tox run -e package` builds them and calls this.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

SMOKE = Path(__file__).resolve().parent / "smoke.py"


def run_smoke_test(wheel: Path) -> int:
    """Return the smoke test's exit status."""
    with tempfile.TemporaryDirectory() as empty:
        venv.create(empty)
        # Compiling all modules would take most of an installation; Python compiles those that the test imports.
        pip = [sys.executable, "-m", "pip", "--python", empty, "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, str(wheel)], check=True)
        python = Path(empty, "Scripts/python.exe" if os.name == "nt" else "bin/python")
        # Isolated, and elsewhere: neither PYTHONPATH nor the checkout's own copy of the package may come first.
        return subprocess.run([python, "-I", SMOKE], cwd=empty).returncode


def main(folder: str) -> int:
    """Return the largest exit status."""
    return max(run_smoke_test(wheel) for wheel in Path(folder).glob("*.whl"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
