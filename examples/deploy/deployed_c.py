"""The process of `deploy_policy.py` that runs the policy's header in C, compiled to a library."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.deploy.deployed_run import Loaded, run


def load(path: str) -> Loaded:
    """Load a library whose function `act` takes observations, an array for actions, and their number."""
    import numpy as np

    function = ctypes.CDLL(path).act

    def act_on_all(observations: Any) -> Any:
        given = np.ascontiguousarray(observations, np.float32)
        actions = np.empty((len(given), 1), np.float32)
        function(*(ctypes.c_void_p(array.ctypes.data) for array in (given, actions)), len(given))
        return actions

    return Loaded(lambda observation: act_on_all([observation])[0], act_on_all)


if __name__ == "__main__":
    run("C", [], load)
