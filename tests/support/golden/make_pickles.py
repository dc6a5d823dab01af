"""Write `pickles/`: pickles of NumPy's arrays, of PyTorch's tensors, and of Stable-Baselines3's `VecNormalize`.

    python tests/support/golden/make_pickles.py

Needs NumPy, of any release: run it once with NumPy 1 and once with NumPy 2, which name their modules differently. Where
PyTorch and Stable-Baselines3 are installed, it writes their files too. `contents` makes what the pickles of NumPy hold.
"""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).with_name("pickles")
CODES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
PROTOCOLS = range(6)


def contents() -> dict[str, Any]:
    """Return arrays and scalars of all dtypes and layouts that are read."""
    found: dict[str, Any] = {}
    for code in CODES:
        for order in "<>":
            array = np.array([0, 1, 100, 0.5, -3, np.inf, np.nan]) if code[0] in "fc" else np.arange(7)
            found[f"{order}{code}"] = array.astype(f"{order}{code}")
        found[f"scalar {code}"] = np.dtype(code).type(1)
    cube = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    return {
        **found,
        "no axes": np.array(1.5),
        "empty": np.empty((2, 0, 3), np.int16),
        "rows": cube,
        "columns": np.asfortranarray(cube),
        "transposed": cube.transpose(1, 0, 2),
        "reversed": cube[::-1, :, ::-2],
        "read-only": np.frombuffer(bytes(range(8)), np.uint8),
        "dtype": np.dtype("f4"),
        "twice": [cube, cube],
    }


def write_vec_normalize() -> None:
    """Write a file of `VecNormalize`, with what it makes of some observations."""
    import gymnasium as gym
    import stable_baselines3 as library
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    env = VecNormalize(DummyVecEnv([lambda: gym.make("Pendulum-v1")]), clip_obs=2.0, epsilon=1e-6)
    env.seed(0)
    env.action_space.seed(0)
    env.reset()
    for _ in range(100):
        env.step(np.array([env.action_space.sample()]))
    env.save(str(FOLDER / f"vec_normalize_{library.__version__}.pkl"))
    env.norm_obs = False
    env.save(str(FOLDER / "vec_normalize_of_rewards.pkl"))
    env.norm_obs = True
    obs = np.random.default_rng(0).normal(0, 4, (10, 3))
    np.savez(FOLDER / f"vec_normalize_{library.__version__}.npz", obs=obs, normalized=env.normalize_obs(obs))


def write_tensors() -> None:
    """Write plain pickles of tensors, and what is in them."""
    import torch

    tensors = {
        "weight": torch.arange(6.0).reshape(2, 3).t(),
        "half": torch.tensor([0.5, -3.0], dtype=torch.bfloat16),
        "unsigned": torch.tensor([1, 40000], dtype=torch.uint16),
        "flags": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(1, dtype=torch.float64)),
    }
    for protocol in PROTOCOLS:
        (FOLDER / f"tensors_{protocol}.pkl").write_bytes(pickle.dumps(tensors, protocol))
    arrays = {name: (t.float() if name == "half" else t).detach().numpy() for name, t in tensors.items()}
    np.savez(FOLDER / "tensors.npz", **arrays)


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for protocol in PROTOCOLS:
        name = f"numpy_{np.__version__.partition('.')[0]}_{protocol}.pkl"
        (FOLDER / name).write_bytes(pickle.dumps(contents(), protocol))
    if importlib.util.find_spec("torch"):
        write_tensors()
    if importlib.util.find_spec("gymnasium"):
        write_vec_normalize()


if __name__ == "__main__":
    main()
