"""The NumPy/CuPy switch: its functions, its errors, also without CuPy, and that it copies only where needed."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from backends import assert_array_equal, bits, device, on_backend

import npnets
from npnets import backend

about_names = pytest.mark.numpy_alone("about devices' names, and no arrays")
about_numpy = pytest.mark.numpy_alone("about what works without CuPy")


@pytest.fixture
def without_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a machine without CuPy."""
    monkeypatch.setitem(sys.modules, "cupy", None)


@pytest.mark.parametrize("name", ["cpu", None])
def test_to_device_of_the_cpu_returns_a_numpy_array_and_the_same_object_if_it_is_one(name: Any) -> None:
    array = np.arange(3, dtype=np.float32)
    assert backend.parse_device(name) is None
    assert backend.to_device(array, name) is array
    brought = backend.to_device(on_backend(array), name)
    assert type(brought) is np.ndarray and brought.dtype == np.float32
    np.testing.assert_array_equal(brought, array)


def test_to_device_returns_the_same_array_if_it_is_on_the_device() -> None:
    array = on_backend(np.ones(3, np.float32))
    for name in ["cpu", None] if device() == "cpu" else ["cuda", "cuda:0", 0, np.int64(0)]:
        assert backend.to_device(array, name) is array
        assert npnets.tree.to_device({"a": [array]}, name)["a"][0] is array


@about_names
@pytest.mark.parametrize(("device", "number"), [("cuda", 0), ("cuda:1", 1), (2, 2), (np.int64(3), 3)])
def test_a_gpu_is_named_cuda_or_cuda_with_a_number_or_by_a_number(device: Any, number: int) -> None:
    assert backend.parse_device(device) == number


@about_names
@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:-1", -1, True, 1.0, "CPU"])
def test_any_other_device_is_an_error_that_lists_the_valid_ones(device: Any) -> None:
    with pytest.raises(ValueError, match=r"must be 'cpu', None, 'cuda', 'cuda:<number>' or a GPU's number"):
        backend.parse_device(device)


@about_numpy
def test_a_gpu_without_cupy_is_an_error_that_says_what_to_install(without_cupy: None) -> None:
    with pytest.raises(ImportError, match=r"CuPy is not installed: pip install 'cupy-cuda13x\[ctk\]'"):
        backend.to_device(np.ones(3), "cuda")


@about_numpy
def test_a_network_for_a_gpu_needs_cupy_only_at_init(without_cupy: None) -> None:
    net = npnets.Net(3, 2, device="cuda:1")
    assert net.model.device == "cuda:1"
    with pytest.raises(ImportError, match="a GPU was requested"):
        net.init(np.random.default_rng(0))


@about_names
@pytest.mark.parametrize(
    "make",
    [
        lambda device: npnets.MLP(3, 2, device=device),
        lambda device: npnets.Net(3, 2, device=device),
        lambda device: npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2, device=device),
        lambda device: npnets.ActorProb(npnets.Net(3, hidden_sizes=(4,)), 2, device=device),
        lambda device: npnets.Critic(npnets.Net(3, hidden_sizes=(4,)), device=device),
        lambda device: npnets.Perturbation(npnets.Net(5, 2), 1.0, device=device),
        lambda device: npnets.VAE(npnets.MLP(5, 4), npnets.MLP(5, 2), 4, 2, 1.0, device=device),
    ],
)
def test_an_invalid_device_is_an_error_in_every_network(make: Any) -> None:
    with pytest.raises(ValueError, match="device must be 'cpu'"):
        make("tpu")


@about_numpy
def test_without_cupy_only_the_cpu_is_available(without_cupy: None) -> None:
    assert backend.available() == ["cpu"]


def test_asarray_like_does_not_copy_an_array_of_the_dtype() -> None:
    like, array = on_backend((np.zeros(1, np.float32), np.ones((2, 3), np.float32)))
    assert backend.asarray_like(array, like) is array
    for other in (array.astype(np.float64), np.ones((2, 3)), np.ones((2, 3), np.float32)):
        converted = backend.asarray_like(other, like)
        assert converted.dtype == np.float32
        assert bits(converted) == bits(array)
    assert_array_equal(backend.asarray_like([[1, 2]], like), [[1, 2]])


@about_numpy
def test_erf_loads_scipy_only_when_it_is_used() -> None:
    code = (
        "import sys, numpy, npnets; assert 'scipy' not in sys.modules; f = npnets.numpy.erf;"
        "y = f(numpy.float32([0.5])); assert 'scipy' in sys.modules; print(y.dtype, round(float(y[0]), 4))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.split() == ["float32", "0.5205"]
