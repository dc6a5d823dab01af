"""The process of `deploy_policy.py` that runs the policy in onnxruntime."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.deploy.deployed_run import Loaded, run


def load(path: str) -> Loaded:
    """Load an ONNX file."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return Loaded(lambda observation: session.run(None, {"obs": np.asarray([observation], np.float32)})[0][0])


if __name__ == "__main__":
    run("ONNX", ["onnxruntime"], load)
