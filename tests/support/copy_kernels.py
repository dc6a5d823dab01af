"""Copy the extension module of the installed package into the checkout, whose own program then runs on it.

    python -I tests/support/copy_kernels.py

Isolated, so that the installed package is imported, and not the checkout. `tox run -e counts` calls this.
"""

import shutil
from pathlib import Path

from npnets.kernels import compiled

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    for module in Path(compiled.__file__).parent.glob("_native*"):
        shutil.copy(module, ROOT / "npnets" / "kernels" / "compiled")
