"""Each module imports only from modules below it; frameworks stay outside; every public name is documented.

`FLOORS` is the design's table: a module may import from lower floors, from the named modules of its own floor, and from
itself. A module that is not in the table fails the test, so that a new one gets its line here.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from public_names import MODULES

import npnets

pytestmark = pytest.mark.numpy_alone("reads the source")

PACKAGE = Path(npnets.__file__).parent
FLOORS: dict[str, tuple[int, set[str]]] = {
    "public": (-1, set()),
    "caches": (-1, set()),
    "log": (-1, {"caches"}),
    "cupy_loading": (-1, {"log"}),
    "backend": (0, set()),
    "dtypes": (0, set()),
    "underflow": (0, set()),
    "tree": (0, {"backend", "dtypes"}),
    "files": (0, set()),
    "spaces": (0, set()),
    "description": (0, {"files", "spaces"}),
    "bounds": (0, {"backend", "description", "spaces"}),
    "autodiff": (1, set()),
    "numpy": (2, set()),
    "kernels": (2, {"numpy"}),
    "memory": (3, set()),
    "thread_count": (3, set()),
    "initializers": (3, set()),
    "functional": (3, set()),
    "inputs": (3, set()),
    "random_numbers": (3, {"initializers", "inputs"}),
    "common": (4, set()),
    "continuous": (5, set()),
    "discrete": (5, set()),
    "optim": (6, set()),
    "distributions": (6, set()),
    "checkpoint": (6, {"normalization"}),  # whose classes a file may name
    "losses": (6, set()),
    "data": (6, set()),
    "normalization": (6, set()),
    "policy": (6, {"checkpoint", "normalization"}),  # it is saved, and applies a normalization to observations
    "export": (6, {"normalization", "policy"}),  # a policy as it acts
    "interop": (6, {"checkpoint", "normalization", "policy"}),  # `load_policy` reads files of every kind
    "testing": (6, {"normalization"}),  # networks that it wraps have their own laws
    "summary": (6, set()),
    "typing": (6, set()),
    "installation": (6, set()),
    "parallel": (6, {"installation"}),  # workers report what the bits of their results depend on
    "training": (7, set()),
    "__main__": (7, set()),
}
ONLY_IN = {"cupy": "cupy_loading.py", "cupyx": "backend.py", "autograd": "autodiff/internals.py"}
FRAMEWORKS = (
    *("cupy", "cupyx", "scipy", "torch", "jax", "tensorflow", "tianshou", "safetensors", "threadpoolctl"),
    *("ray", "optuna", "gymnasium", "mujoco", "onnx", "onnxruntime", "h5py", "minari", "tqdm", "tensorboardX", "PIL"),
)


def imports_of(source: str, package: str) -> Iterator[str]:
    """Yield every module that a file imports, also inside functions, relative ones resolved from `package`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def module_of(path: str) -> str:
    """Return the module of a file, by its path from the package: `common` for `common/mlp.py`."""
    return path.removesuffix(".py").split("/")[0]


def faults_of(path: str, source: str) -> list[str]:
    """Return the forbidden imports of one file, by its path from the package."""
    own = module_of(path)
    if own not in FLOORS:
        return [f"{path} is not in the table"]
    floor, neighbours = FLOORS[own]
    package = ".".join(["npnets", *path.split("/")[:-1]])
    faults = []
    for module in imports_of(source, package):
        top, _, rest = module.partition(".")
        if top in ONLY_IN and not path.startswith(ONLY_IN[top]):
            faults.append(f"{path} imports {module}, which only {ONLY_IN[top]} may")
        target = rest.split(".")[0]
        if top != "npnets" or not target or target in {own, *neighbours}:
            continue
        if target not in FLOORS or FLOORS[target][0] >= floor:
            faults.append(f"{path} (floor {floor}) imports {module}, which is not below it")
    return faults


def _files() -> dict[str, str]:
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]
    return {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in paths}


# -- imports ----------------------------------------------------------------------------------------------------------


def test_a_module_imports_only_from_lower_floors() -> None:
    files = _files()
    assert {"backend.py", "autodiff/tracing.py", "numpy/elementwise.py", "continuous/actor.py"} <= files.keys()
    assert [fault for path, source in files.items() for fault in faults_of(path, source)] == []


def test_an_import_from_a_higher_floor_is_found() -> None:
    planted = {
        ("tree.py", "def f():\n    from npnets.common import MLP"): "npnets.common",
        ("tree.py", "import npnets.autodiff.derivatives"): "npnets.autodiff.derivatives",
        ("backend.py", "from npnets import tree"): "npnets.tree",
        ("numpy/shaping.py", "from npnets.kernels.linear import linear"): "npnets.kernels.linear",
        ("kernels/linear.py", "if True:\n    from ..common import mlp"): "npnets.common",
        ("functional.py", "import npnets.inputs as inputs"): "npnets.inputs",
        ("optim.py", "from npnets.distributions import Gaussian"): "npnets.distributions",
        ("common/mlp.py", "from ..continuous.actor import Actor"): "npnets.continuous.actor",
        ("common/mlp.py", "from npnets.autodiff import grad\nimport autograd"): "autograd",
        ("numpy/indexing.py", "def f():\n    import cupyx.scipy.special"): "cupyx.scipy.special",
        ("utils.py", "x = 1"): "not in the table",
    }
    for (path, source), words in planted.items():
        assert any(words in fault for fault in faults_of(path, source)), (path, source)


def test_an_import_from_a_lower_floor_is_allowed() -> None:
    allowed = ("import numpy", "from npnets import tree", "from npnets.common.linear import Linear")
    assert faults_of("common/mlp.py", "\n".join(allowed)) == []
    assert faults_of("kernels/linear.py", "import npnets.numpy as np\nfrom .activations import relu") == []
    assert faults_of("tree.py", "from npnets.backend import namespace") == []
    assert faults_of("autodiff/internals.py", "from autograd.extend import Box") == []


def test_importing_the_package_loads_no_other_framework() -> None:
    code = f"import sys, npnets; print([name for name in {FRAMEWORKS} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")


def test_a_network_runs_and_is_differentiated_without_another_framework() -> None:
    code = (
        "import sys, numpy, npnets; net = npnets.Net(3, 2, (4,));"
        "params = net.init(numpy.random.default_rng(0));"
        "npnets.grad(lambda p: npnets.numpy.sum(net.forward(p, numpy.ones((2, 3)))[0]))(params);"
        f"print([name for name in {FRAMEWORKS} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "[]"


PROCESSOR_CHECK = re.compile(r"(namespace\(.*\)|\bxp) is (not )?np\b|type\(\w+\) is (not )?np\.ndarray")
WITH_PROCESSOR_CHECKS = {
    "kernels/buffers.py",  # a pool for NumPy's arrays alone: CuPy has its own
    "kernels/products.py",  # which uses that pool
    "kernels/gelu.py",  # a primitive has one function for both, and recomputes few entries on NumPy, all on a GPU
    "optim/arithmetic.py",  # updates are not differentiated: their arithmetic is chosen once for a tree
}


COMPILED_MODULE = re.compile(r"kernels\.compiled\.native\b|kernels\.compiled import .*\bnative\b")
WITH_COMPILED_MODULE = {
    "optim/arithmetic.py",  # updates are no operations of `fused`: it is where they choose
    "installation.py",  # which reports the choice
    "memory.py",  # which limits and frees its buffers
    "thread_count.py",  # which sets its threads
}
"""Files outside `kernels/compiled` that know the extension module. All others give `fused` a pair."""


def faults_of_processors(path: str, source: str) -> list[str]:
    """Code that chooses a processor or compiled kernels, or holds CUDA C++, in the wrong place."""
    faults = []
    if COMPILED_MODULE.search(source) and not path.startswith("kernels/compiled/") | (path in WITH_COMPILED_MODULE):
        faults.append(f"{path} knows the extension module; give fused a pair of kernels/compiled")
    if not path.startswith(("kernels/", "optim/")):
        return faults
    if PROCESSOR_CHECK.search(source) and path not in WITH_PROCESSOR_CHECKS:
        faults.append(f"{path} chooses a processor; give fused a pair for each kind")
    if "ElementwiseKernel(" in source and not path.startswith("kernels/cuda/"):
        faults.append(f"{path} holds CUDA C++, whose place is kernels/cuda")
    return faults


def test_kernels_and_optimizers_choose_a_processor_in_one_place_and_leave_cuda_sources_to_their_folder() -> None:
    files = _files()
    assert len([path for path in files if path.startswith(("kernels/", "optim/"))]) > 30
    assert [fault for path, source in files.items() for fault in faults_of_processors(path, source)] == []


@pytest.mark.parametrize(
    "source",
    [
        "if namespace(x) is np:",
        "if xp is not np:",
        "if type(a) is np.ndarray:",
        'K = ElementwiseKernel("T x", ...)',
        "from npnets.kernels.compiled.native import native",
        "from npnets.kernels.compiled import native",
    ],
)
def test_a_kernel_that_chooses_a_processor_is_found(source: str) -> None:
    assert faults_of_processors("kernels/latent.py", source)


@pytest.mark.parametrize("path", ["common/sequential.py", "autodiff/operations.py", "backend.py"])
def test_a_network_or_derivative_that_asks_for_compiled_kernels_is_found(path: str) -> None:
    assert faults_of_processors(path, "import npnets.kernels.compiled.native as compiled\nif compiled.native: ...")
    assert faults_of_processors("installation.py", "from npnets.kernels.compiled.native import choice") == []


# -- names and documentation ------------------------------------------------------------------------------------------


def test_no_file_has_a_vague_name() -> None:
    vague = {"utils", "util", "helpers", "helper", "misc", "common_utils", "tools"}
    assert not vague & {Path(part).stem for path in _files() for part in path.split("/")}


def test_every_file_opens_with_its_contract() -> None:
    assert [path for path, source in _files().items() if not ast.get_docstring(ast.parse(source))] == []


def faults_of_c(source: str) -> list[str]:
    """Return where a file in C is too long or too wide."""
    lines = source.splitlines()
    wide = [f"line {number} has {len(line)} columns" for number, line in enumerate(lines, 1) if len(line) > 120]
    return wide + ["more than 300 lines"] * (len(lines) > 300)


def test_files_in_c_are_short_and_narrow_and_open_with_their_contract_or_have_it_in_their_header() -> None:
    folder = PACKAGE / "kernels" / "compiled" / "source"
    if not folder.exists():
        pytest.skip("an installed wheel has no sources")
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert len(files) > 50
    assert [(name, fault) for name, source in files.items() for fault in faults_of_c(source)] == []
    without = {name for name, source in files.items() if not source.startswith("/* ")}
    assert without <= {name.removesuffix(".h") + ".c" for name in files if name.endswith(".h")}


def _undocumented(module: object, names: list[str]) -> list[str]:
    found = []
    for name in names:
        value = getattr(module, name)
        if callable(value) and not inspect.getdoc(value):
            found.append(name)
        if inspect.isclass(value) and value.__module__.startswith("npnets"):
            members = [m for m in vars(value) if not m.startswith("_") and callable(getattr(value, m))]
            found += [f"{name}.{m}" for m in members if not inspect.getdoc(getattr(value, m))]
            found += [f"{name} has Python's own docstring"] * str(value.__doc__).startswith(f"{name}(")
    return found


def test_every_public_name_has_a_docstring() -> None:
    assert [fault for module in MODULES.values() for fault in _undocumented(module, module.__all__)] == []


def test_public_names_are_listed_in_order() -> None:
    assert sorted(npnets.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) == npnets.__all__
