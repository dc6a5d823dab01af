"""Check the code that users write with mypy and pyright, as their own checkers would; `tox run -e types` runs this.

Three kinds of code are checked against the package as it is installed:

- the blocks of the README and of the documentation's pages, each with the blocks that it says it continues;
- the programs in `examples/`;
- `signatures.py` and `mistakes.py` in `tests/types`: the types of public signatures, and mistakes that are reported.

Errors name a block by its page and by the line on which it begins, as in `index_61.py`, and count lines as the page
does. Functions without annotations are checked too, although strict mypy would report the missing annotations.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import typed_blocks

ROOT = Path(__file__).resolve().parents[2]
# Packages that pages and examples import and that have no types of their own.
UNTYPED = ("cma", "cupy", "h5py", "minari", "mujoco", "safetensors", "scipy", "threadpoolctl", "tqdm")
# Dependencies of examples, which are not installed here.
NOT_INSTALLED = ("onnxruntime", "stable_baselines3", "tianshou", "torch")

# Whether arithmetic of arrays gives an array or Any depends on the release of NumPy, and so would warn_return_any.
MYPY = """\
[mypy]
strict = True
warn_return_any = False
allow_redefinition = True
"""
UNANNOTATED = "[mypy-{}]\nallow_untyped_defs = True\nallow_incomplete_defs = True\nallow_untyped_calls = True\n"
MISSING = "[mypy-{0},{0}.*]\nignore_missing_imports = True\n"

# `strict` is set by a comment in modules whose functions are all annotated: it wants to know the type of every name.
PYRIGHT = {
    "typeCheckingMode": "standard",
    "useLibraryCodeForTypes": False,  # types inferred from SciPy's source are often wrong
    "reportPossiblyUnboundVariable": "warning",  # as in pyright itself: a loop over a range does run
    # They import packages that are not installed, which can be allowed only for whole files.
    "exclude": [
        "examples/data/train_stable_baselines3_policy.py",
        "examples/data/train_tianshou_policy.py",
        "examples/deploy/deployed_onnx.py",
        "examples/deploy/deployed_stable_baselines3.py",
        "examples/deploy/deployed_tianshou.py",
    ],
}


def main() -> int:
    """Check all of it; return one if a checker reports an error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blocks = typed_blocks.modules_of(ROOT)
        for module, source in blocks.items():
            (folder / f"{module}.py").write_text(source, encoding="utf-8")
        for path in (ROOT / "tests" / "types").glob("*.py"):
            shutil.copy(path, folder)
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("*.npz", "*.pth"))
        print(
            f"checking {len(blocks)} blocks of the documentation, the examples, and the public signatures", flush=True
        )
        results = [_run_mypy(folder, blocks), _run_pyright(folder)]
    return int(any(results))


def _run_mypy(folder: Path, blocks: dict[str, str]) -> int:
    sections = [MYPY]
    sections += [
        UNANNOTATED.format(module) for module, source in blocks.items() if not typed_blocks.is_annotated(source)
    ]
    sections += [MISSING.format(module) for module in (*UNTYPED, *NOT_INSTALLED)]
    (folder / "mypy.ini").write_text("".join(sections), encoding="utf-8")
    return subprocess.run([sys.executable, "-m", "mypy", "."], cwd=folder).returncode


def _run_pyright(folder: Path) -> int:
    (folder / "pyrightconfig.json").write_text(json.dumps(PYRIGHT), encoding="utf-8")
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "--level", "error"]
    return subprocess.run(command, cwd=folder).returncode


if __name__ == "__main__":
    raise SystemExit(main())
