"""The package may be imported again, and stands on releases of autograd whose tracer has the parts that it needs."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

from npnets.autodiff import internals

pytestmark = pytest.mark.numpy_alone("about importing, whatever the arrays")

NESTED = """
import importlib, sys
import autograd, numpy
import npnets

def again():
    own = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "npnets"}
    import npnets
    assert npnets is not own["npnets"]
    return npnets

def check(*packages):  # d/dx (x * d/dy (x * x * y)) = d/dx x ** 3 = 3 x ** 2
    for outer in (*packages, autograd):
        for inner in (*packages, autograd):
            found = outer.grad(lambda x: x * inner.grad(lambda y: x * x * y)(5.0))(3.0)
            assert found == 27.0, (outer, inner, found)
            three = [p.grad for p in (outer, inner, outer)]
            assert three[0](three[1](three[2](lambda x: x ** 4)))(2.0) == 48.0, (outer, inner)

def check_networks(*packages):
    x = numpy.ones((2, 3))
    for outer in packages:
        for inner in packages:
            net = inner.Net(3, 1, (4,), activation="tanh")
            params = net.init(numpy.random.default_rng(0), numpy.float64)
            of_input = lambda p: inner.grad(lambda a: inner.numpy.sum(net.forward(p, a)[0]))(x)
            penalty = lambda p: outer.numpy.sum(of_input(p) ** 2)
            found = outer.tree.ravel(outer.grad(penalty)(params))[0]
            vector, unravel = inner.tree.ravel(params)
            step = 1e-6 * numpy.eye(len(vector))
            expected = [(penalty(unravel(vector + s)) - penalty(unravel(vector - s))) / 2e-6 for s in step]
            numpy.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)

"""


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", NESTED + code], capture_output=True, text=True, timeout=120)


def _succeeds(code: str) -> None:
    ended = _run(code)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_gradients_of_two_copies_of_the_package_nest_in_each_other_and_in_those_of_autograd() -> None:
    _succeeds("copies = npnets, again(), again()\ncheck(*copies)\ncheck_networks(*copies[:2])")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
def test_any_single_module_of_the_package_can_be_loaded_anew() -> None:
    code = """
import os
for name in [name for name in sys.modules if name.split(".")[0] == "npnets"]:
    if os.fork():
        assert os.wait()[1] == 0, name
        continue
    importlib.reload(sys.modules[name])
    if name == "npnets.autodiff.tracing":  # it makes a new class of traced arrays, without operators
        importlib.reload(npnets.autodiff)
        importlib.reload(npnets.numpy.operators)
    check(npnets)
    os._exit(0)
"""
    _succeeds(code)


def test_all_modules_of_the_package_can_be_loaded_anew_in_the_order_of_their_imports() -> None:
    code = """
for name in [name for name in sys.modules if name.split(".")[0] == "npnets"][1:]:
    importlib.reload(sys.modules[name])
check(importlib.reload(npnets))
"""
    _succeeds(code)


@pytest.mark.slow
@pytest.mark.parametrize(
    "missing", ["tracer.box_types", "core.sparse_object_types", "extend.VJPNode", "tracer.Box._trace", "core.JVPNode.g"]
)
def test_an_import_says_which_part_of_autograd_is_missing_and_which_releases_have_it(missing: str) -> None:
    holder, _, name = missing.rpartition(".")
    code = f"again\nimport autograd.core, autograd.extend\ndelattr(autograd.{holder}, {name!r})\nagain()"
    last = _run(code).stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: npnets expects autograd>=1.9,<1.10, whose tracer it builds on, but version ")
    assert name in last and f"pip install '{internals.SUPPORTED}'" in last


def test_the_releases_of_autograd_that_an_import_expects_are_those_that_an_installation_asks_for() -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    assert internals.SUPPORTED in setup["options"]["install_requires"].split()
