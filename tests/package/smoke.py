"""The installed package works without anything that only a checkout has: forward, gradient, optimizer, checkpoint."""

import importlib.metadata
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

import npnets
import npnets.numpy as nnp


def check_files() -> None:
    """The package is that of the wheel, is marked as typed, and contains nothing else."""
    assert Path(npnets.__file__).resolve().is_relative_to(Path(sys.prefix).resolve()), npnets.__file__
    assert npnets.__version__ == importlib.metadata.version("npnets")
    files = [str(file.as_posix()) for file in importlib.metadata.files("npnets") or ()]
    assert "npnets/py.typed" in files
    information = f"npnets-{npnets.__version__}.dist-info/"
    assert [file for file in files if not file.startswith(("npnets/", information))] == []


def check_kernels() -> None:
    """Compiled kernels are in use where the wheel has them."""
    has_module = any(file.match("*/_native.*") for file in importlib.metadata.files("npnets") or ())
    assert (npnets.about()["compiled"] != "off") == has_module, npnets.about()


def check_network() -> None:
    """An actor's loss falls along its gradient, and its parameters come back from a file bit by bit."""
    actor = npnets.Actor(npnets.Net(state_shape=3, hidden_sizes=(16,)), action_shape=2, max_action=1.0)
    params = actor.init(np.random.default_rng(0))
    observations = np.random.default_rng(1).normal(size=(8, 3))

    def loss(params: dict) -> nnp.ndarray:
        action, _ = actor.forward(params, observations)
        return nnp.mean((action - 0.5) ** 2)

    optimizer = npnets.optim.adam(1e-2)
    state = optimizer.init(params)
    value, grads = npnets.value_and_grad(loss)(params)
    params, state = optimizer.update(params, grads, state)
    assert loss(params) < value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "actor.npz")
        npnets.checkpoint.save(path, params, {"actor": actor})
        loaded = npnets.checkpoint.load(path)
    assert loaded.metadata == {"actor": actor}
    assert npnets.tree.ravel(loaded.params)[0].tobytes() == npnets.tree.ravel(params)[0].tobytes()


def check_report() -> None:
    """`python -m npnets` prints the version that is installed, and nothing goes wrong on the way."""
    ran = subprocess.run([sys.executable, "-I", "-m", "npnets"], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "") and npnets.__version__ in ran.stdout, ran


if __name__ == "__main__":
    warnings.simplefilter("error")
    check_files()
    check_kernels()
    check_network()
    check_report()
    print(f"npnets {npnets.__version__} works in an empty environment on Python {sys.version.split()[0]}")
