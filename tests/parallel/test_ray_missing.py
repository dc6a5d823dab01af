"""Without Ray, with an old one, or without a cluster, the error says at once what to do."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from npnets import parallel

pytestmark = pytest.mark.numpy_alone("about an installation, and no arrays")


@pytest.mark.slow
@pytest.mark.needs_package("ray")
def test_an_address_without_a_cluster_is_refused_at_once() -> None:
    code = "from npnets import parallel; parallel.RayExecutor('127.0.0.1:1')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "ConnectionError: there is no Ray cluster at 127.0.0.1:1 (" in ran.stderr
    assert "start one with `ray start --head --port=1` on that machine" in ran.stderr


def test_without_ray_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        ImportError, match=r"not installed: pip install 'npnets\[ray\]'; ProcessExecutor uses this mach"
    ):
        parallel.RayExecutor()


@pytest.mark.parametrize("version", ["1.13.0", "2.9.3"])
def test_a_stand_in_for_an_old_ray_is_refused_with_the_version_that_is_needed(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ModuleType("ray")
    old.__version__ = version  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray", old)
    with pytest.raises(ImportError, match=rf"needs Ray 2\.\d+ or newer, but {version} is installed: pip install -U"):
        parallel.RayExecutor()
