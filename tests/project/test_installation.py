"""The facts about an installation: they are those of this machine, and can be written as JSON."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import standin_cupy
import threadpoolctl
from platforms import needs_known_blas

import npnets
from npnets import installation

pytestmark = pytest.mark.numpy_alone("is about no arrays")


def test_about_contains_the_running_versions() -> None:
    facts = npnets.about()
    assert (facts["python"], facts["numpy"]) == (platform.python_version(), numpy.__version__)
    assert facts["npnets"] == npnets.__version__
    assert {name: facts[name] for name in ("autograd", "scipy")} == {
        name: importlib.metadata.version(name) for name in ("autograd", "scipy")
    }


def test_about_survives_json() -> None:
    facts = npnets.about()
    assert json.loads(json.dumps(facts)) == facts


@needs_known_blas
def test_about_contains_the_current_number_of_blas_threads() -> None:
    for number in (1, 2):
        with threadpoolctl.threadpool_limits(number):
            assert npnets.about()["blas_threads"] == number


def test_about_names_numpys_blas_where_threadpoolctl_knows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "find", lambda: threadpoolctl.ThreadpoolController().select(user_api="none"))
    facts = npnets.about()
    name = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    assert (facts["blas"], facts["blas_threads"]) == (name, None)


def test_about_names_the_processor_as_the_system_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("vendor_id\t: Me\nmodel name\t: Abacus 9: fast\nmodel name\t: Abacus 10\n", encoding="utf-8")
    monkeypatch.setattr(installation, "_CPU_FACTS", told)
    assert npnets.about()["processor"] == "Abacus 9: fast"
    monkeypatch.setattr(installation, "_CPU_FACTS", tmp_path / "nothing")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert npnets.about()["processor"] == platform.machine()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a system that binds processes to cores")
def test_about_counts_the_cores_that_this_process_may_use() -> None:
    code = "import os, npnets; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(npnets.about()['cores'])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "1\n"


def test_about_lists_the_devices_and_the_names_of_the_gpus() -> None:
    with standin_cupy.installed(devices=2) as cupy:
        facts = npnets.about()
    assert facts["devices"] == ["cpu", "cuda:0", "cuda:1"]
    assert facts["gpus"] == ["stand-in 0", "stand-in 1"]
    assert facts["cupy"] == cupy.__version__


def test_about_contains_why_no_gpu_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with standin_cupy.installed(devices=0) as cupy:
        facts = npnets.about()
        assert (facts["cupy"], facts["devices"], facts["gpus"]) == (cupy.__version__, ["cpu"], [])
    for name in [name for name in sys.modules if name.split(".")[0] == "cupy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(installation, "_CUPY_PACKAGES", ("no-such-package",))
    monkeypatch.setattr(installation, "available", lambda: ["cpu"])
    assert npnets.about()["cupy"] is None
