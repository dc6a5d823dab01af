"""The stand-in's names and parameters are those of the real CuPy, and npnets uses only names of the stand-in.

CuPy must have every name of the stand-in, with parameters of the same position, kind and default. The real package is
read in a separate process, which needs no GPU. If it is not installed, these tests are skipped, unless
`NPNETS_REQUIRE_CUPY` is set. The last tests need no CuPy: they read npnets' source.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_cupy import result_of
from standin_cupy import devices, modules, real_package, signatures
from standin_cupy.modules import cupy, special
from standin_cupy.real_package import Described, described

pytestmark = pytest.mark.numpy_alone(reason="reads signatures and source")

PACKAGE = Path(__file__).parents[2] / "npnets"
ROOTS = {"cupy": cupy, "cupyx": modules.cupyx, "xp": cupy, "runtime": modules.runtime, "namespace()": cupy}
ROOTS["special()"] = special
_ATTRIBUTES_OF_EVERY_OBJECT = {*dir(object), "__slots__", "__module__", "__weakref__", "__dict__", "__annotations__"}


def names_of(module: Any) -> list[str]:
    return [name for name in vars(module) if not name.startswith("_")]


def members_of(kind: type) -> list[str]:
    """Return the public names of a class that `object` does not have."""
    names = set(dir(kind)) - _ATTRIBUTES_OF_EVERY_OBJECT
    return sorted(name for name in names if name.startswith("__") or not name.startswith("_"))


def paths() -> list[str]:
    """Return every public name of the stand-in below `cupy`, with the members of its classes."""
    found = [*names_of(cupy), *(f"cuda.{name}" for name in names_of(cupy.cuda))]
    found += [f"cuda.runtime.{name}" for name in names_of(cupy.cuda.runtime)]
    for path, kind in {
        "ndarray": cupy.ndarray,
        "cuda.Device": cupy.cuda.Device,
        "cuda.Stream": cupy.cuda.Stream,
    }.items():
        found += [f"{path}.{name}" for name in members_of(kind)]
    return [*found, "add.at"]


# -- the real package -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the description of every name by a process that imports the real CuPy."""
    asked = {
        "cupy": [*paths(), "frobnicate"],
        "special": names_of(special),
        "errors": list(devices.ERRORS),
        "kernel": dict.fromkeys(signatures.KERNEL_OPTIONS, "") | {"options": ()},
    }
    script = tmp_path_factory.mktemp("beside_nothing_to_import") / "real_package.py"
    script.write_text(Path(real_package.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    return result_of(script, asked)  # type: ignore[no-any-return]


def misfits(ours: Described, theirs: Described | None) -> list[str]:
    """Return the differences of the stand-in's parameters from CuPy's."""
    if theirs is None:
        return ["its parameters cannot be found out"]
    named = {name: (kind, default) for name, kind, default in theirs}
    found = []
    for place, (name, kind, default) in enumerate(ours):
        if name not in named:
            found.append(f"it has no parameter {name}")
            continue
        its_kind, its_default = named[name]
        by_place = place < len(theirs) and theirs[place][0] == name and its_kind == kind
        by_keyword = kind == "KEYWORD_ONLY" and its_kind in ("KEYWORD_ONLY", "POSITIONAL_OR_KEYWORD")
        if not by_place and not by_keyword:
            found.append(f"its parameter {name} stands elsewhere or is {its_kind}")
        if its_default != default:
            found.append(f"its parameter {name} has the default {its_default}")
    missing = {name for name, kind, default in theirs if default is None and not kind.startswith("VAR")}
    return found + [f"it needs {name}" for name in sorted(missing - {name for name, _, _ in ours})]


def faults(path: str, value: Any, its: dict[str, Any]) -> list[str]:
    """Return the differences of one name of the stand-in from CuPy's."""
    if not its["exists"]:
        return [f"{path}: CuPy has no such name"]
    if getattr(value, "nin", None) != its["inputs"]:
        return [f"{path}: it takes {its['inputs']} arrays"]
    has_signature = isinstance(getattr(value, "__signature__", None), inspect.Signature)
    if not has_signature and not inspect.isfunction(value) and not inspect.ismethod(value):
        return []
    special_name = path.split(".")[-1].startswith("__")
    return (
        []
        if special_name
        else [f"{path}: {w}" for w in misfits(described(inspect.signature(value)), its["parameters"])]
    )


def value_at(path: str) -> Any:
    value = cupy
    for part in path.split("."):
        value = getattr(value, part, None)
    return value


def test_cupy_has_every_name_of_the_stand_in_with_the_same_arguments(real: dict[str, Any]) -> None:
    assert len(paths()) > 200
    assert [fault for path in paths() for fault in faults(path, value_at(path), real["cupy"][path])] == []


def test_cupys_special_functions_are_elementwise_functions_like_the_others(real: dict[str, Any]) -> None:
    tanh = real["cupy"]["tanh"]
    assert tanh["type"] == "ufunc" and set(real["special"]) == set(signatures.SPECIAL)
    for name, its in real["special"].items():  # their docstrings do not tell their parameters, but all share one call
        assert its["type"] == "ufunc"
        assert faults(name, vars(special)[name], its | {"parameters": tanh["parameters"]}) == []


def test_the_stand_in_has_the_signatures_of_the_table() -> None:
    tables = {**signatures.FUNCTIONS, **{name: signatures.ufunc_signature(n) for name, n in signatures.UFUNCS.items()}}
    for name, parameters in tables.items():
        assert inspect.signature(getattr(cupy, name)) == signatures.signature(parameters), name
    for name, parameters in signatures.METHODS.items():
        found = described(inspect.signature(getattr(cupy.ndarray, name)))
        assert found == described(signatures.signature(parameters)), name
    listed = {*tables, *signatures.CONSTANTS, "ndarray", "ufunc", "ElementwiseKernel", "cuda"}
    assert set(names_of(cupy)) == listed and set(names_of(special)) == set(signatures.SPECIAL)


def test_no_function_is_one_that_cupy_reexports_from_numpy(real: dict[str, Any]) -> None:
    assert [name for name in signatures.FUNCTIONS if real["cupy"][name]["of_numpy"]] == []


def test_constants_and_errors_of_cuda_equal_those_of_cupy(real: dict[str, Any]) -> None:
    plain = [name for name, value in signatures.CONSTANTS.items() if value is None or isinstance(value, float)]
    assert {name: real["cupy"][name]["value"] for name in plain} == {n: repr(signatures.CONSTANTS[n]) for n in plain}
    assert real["error_is_a_runtime_error"]
    assert real["errors"] == {str(status): [text, status] for status, text in devices.ERRORS.items()}


def test_cupys_elementwise_kernel_is_made_with_the_same_keywords(real: dict[str, Any]) -> None:
    its = real["cupy"]["ElementwiseKernel"]
    assert misfits(described(inspect.signature(cupy.ElementwiseKernel)), its["parameters"]) == []
    assert [option for option in signatures.KERNEL_OPTIONS if f"{option} (" not in its["doc"]] == []
    assert real["kernel"] == [2, 1, "one"]


def test_a_name_that_cupy_lacks_and_one_that_takes_other_arguments_are_reported(real: dict[str, Any]) -> None:
    assert faults("frobnicate", cupy.sum, real["cupy"]["frobnicate"]) == ["frobnicate: CuPy has no such name"]
    assert "it has no parameter tup" in faults("sum", cupy.concatenate, real["cupy"]["sum"])[0].split(": ")[1]
    assert faults("tanh", cupy.add, real["cupy"]["tanh"]) == ["tanh: it takes 1 arrays"]
    assert faults("ndarray.max", cupy.ndarray.argsort, real["cupy"]["ndarray.max"]) != []


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        ("(a, axis=None, out=None, *, where=None)", "no parameter where"),
        ("(a, out=None, axis=None)", "stands elsewhere"),
        ("(a, axis=0, out=None)", "default None"),
        ("(a, axis, out=None)", "default None"),
        ("(axis=None)", "stands elsewhere"),
        ("(*, axis=None)", "it needs a"),
        ("(a, axis=None, out=None, keepdims=False)", "keepdims stands elsewhere or is KEYWORD_ONLY"),
    ],
)
def test_each_kind_of_argument_that_cupy_does_not_accept_is_reported(ours: str, words: str) -> None:
    theirs = described(signatures.signature("(a, axis=None, out=None, *, keepdims=False)"))
    assert any(words in misfit for misfit in misfits(described(signatures.signature(ours)), theirs))
    assert misfits(described(signatures.signature("(a, axis=None, *, out=None, keepdims=False)")), theirs) == []


# -- the names that npnets uses ---------------------------------------------------------------------------------------


def uses(source: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each chain of attributes that starts at one of `ROOTS`: `("xp", ["add", "at"])` for `xp.add.at`."""
    for node in ast.walk(ast.parse(source)):
        chain: list[str] = []
        while isinstance(node, ast.Attribute):
            chain, node = [node.attr, *chain], node.value
        call = "()" if isinstance(node, ast.Call) else ""
        root = node.func if isinstance(node, ast.Call) else node
        if chain and isinstance(root, ast.Name) and f"{root.id}{call}" in ROOTS:
            yield f"{root.id}{call}", chain


def unknown_uses(source: str) -> list[str]:
    """Return the chains of a source that do not exist in the stand-in."""
    found = []
    for root, chain in uses(source):
        value: Any = ROOTS[root]
        for name in chain:
            value = getattr(value, name, None)
            if value is None and name != "newaxis":
                found.append(".".join([root, *chain]))
                break
    return found


def test_npnets_uses_no_name_of_cupy_that_the_stand_in_lacks() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    used = {".".join([root, *chain]) for source in sources.values() for root, chain in uses(source)}
    assert {"cupy.cuda.Device", "xp.add.at", "namespace().broadcast_to"} <= used
    assert {path.name: unknown for path, source in sources.items() if (unknown := unknown_uses(source))} == {}


@pytest.mark.parametrize(
    ("source", "unknown"),
    [
        ("y = xp.frobnicate(x)", ["xp.frobnicate"]),
        ("def f(x):\n    return namespace(x).nonsense(x).sum()", ["namespace().nonsense"]),
        ("import cupy\ncupy.cuda.runtime.cudaErrorNoDevice", ["cupy.cuda.runtime.cudaErrorNoDevice"]),
        ("special(x).gammaln(x)", ["special().gammaln"]),
        ("cupyx.scipy.linalg.expm(x)", ["cupyx.scipy.linalg.expm", "cupyx.scipy.linalg"]),
        ("xp.add.at(x, 0, xp.zeros(3)); namespace(x).sum(x); np.frobnicate(x)", []),
    ],
)
def test_a_planted_use_is_reported(source: str, unknown: list[str]) -> None:
    assert unknown_uses(source) == unknown
