"""Write `stable_baselines3/<release>/`: archives of `model.save`, and the actions that `model.predict` returns.

    python tests/support/golden/make_stable_baselines3.py

Needs Stable-Baselines3, of any release from 1.0 on: run it once with each whose archives are to be read, the newest
with sb3-contrib. Nothing is
trained but one policy, `trained`: the parameters are random numbers, large enough to reach the bounds of the actions.
`actions.npz` holds observations and actions of each archive, by its name.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import stable_baselines3 as library
import torch
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from torch import nn

MODERN, NEWEST = not library.__version__.startswith("1."), library.__version__.startswith("2.9")
if MODERN:
    import gymnasium as gym
else:
    import gym
if NEWEST:
    import sb3_contrib
if TYPE_CHECKING:
    from typing import TypeAlias

    Case: TypeAlias = tuple[Any, Any, Any, dict[str, Any]]

FOLDER = Path(__file__).with_name("stable_baselines3") / library.__version__
ROWS = 16
BOX = gym.spaces.Box(np.array([-1.0, -2.0, 0.5], np.float32), np.array([1.0, 3.0, 4.0], np.float32))
FEW = [8, 6]
OFF_POLICY = {"buffer_size": 10}


class Anything(gym.Env):  # type: ignore[misc]
    """An environment of any spaces, with random observations; its reward is larger for smaller actions."""

    def __init__(self, observations: Any, actions: Any) -> None:
        self.observation_space, self.action_space = observations, actions

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        """Return an observation, and with Gymnasium an empty dict."""
        observation = self.observation_space.sample()
        return (observation, {}) if MODERN else observation

    def step(self, action: Any) -> Any:
        """Return an observation and what goes with it."""
        reward = -float(np.sum(np.square(action)))
        ends = (False, False, {}) if MODERN else (False, {})
        return (self.observation_space.sample(), reward, *ends)


class Widths(BaseFeaturesExtractor):
    """A features extractor of a user's own."""

    def __init__(self, observation_space: Any) -> None:
        super().__init__(observation_space, 2)

    def forward(self, observations: Any) -> Any:
        """Return two of the features."""
        return observations[:, :2]


class Square(nn.Module):
    """An activation of a user's own."""

    def forward(self, x: Any) -> Any:
        """Return the squares."""
        return x * x


def observations(*shape: int) -> Any:
    """Return a space of observations, of a standard deviation of 3 when they are drawn."""
    return gym.spaces.Box(-np.inf, np.inf, shape, np.float32)


def cases() -> dict[str, Case]:
    """Return algorithm, observations, actions and settings of the policy for each archive."""
    of_all = {
        "sac": (library.SAC, observations(5), BOX, {"net_arch": FEW}),
        "td3": (library.TD3, observations(5), BOX, {"net_arch": {"pi": FEW, "qf": [4]}, "activation_fn": nn.ELU}),
        "ppo": (library.PPO, observations(5), BOX, {"net_arch": FEW}),
        "a2c_discrete": (library.A2C, observations(5), gym.spaces.Discrete(4), {"net_arch": FEW}),
        "sac_sde": (library.SAC, observations(5), BOX, {"net_arch": FEW, "use_sde": True}),
    }
    if library.__version__.startswith("1.0"):
        arch = [8, {"pi": [6], "vf": [4, 4]}]
        free = gym.spaces.Box(np.array([-np.inf, -1.0], np.float32), np.array([np.inf, 1.0], np.float32))
        of_all["ppo_unbounded"] = (library.PPO, observations(5), free, {"net_arch": arch})
        of_all["ppo_shared_layers"] = (library.PPO, observations(5), BOX, {"net_arch": arch})
        of_all["td3"] = (library.TD3, observations(5), BOX, {"net_arch": FEW, "activation_fn": nn.ELU})
        of_all["ppo"] = (library.PPO, observations(5), BOX, {"net_arch": [{"pi": FEW, "vf": FEW}]})
    return {**of_all, **(_more_cases() if NEWEST else {})}


def _more_cases() -> dict[str, Case]:
    grid = gym.spaces.Box(-2.0, 2.0, (2, 2), np.float32)
    squashed = {"net_arch": FEW, "use_sde": True, "squash_output": True}
    slope = partial(nn.LeakyReLU, 0.2)
    return {
        "ddpg": (library.DDPG, observations(5), BOX, {"net_arch": FEW, "activation_fn": nn.SiLU}),
        "dqn": (library.DQN, observations(5), gym.spaces.Discrete(4), {"net_arch": FEW}),
        "sac_sde_far": (library.SAC, observations(5), BOX, {"net_arch": FEW, "use_sde": True, "clip_mean": 0.0}),
        "sac_empty": (library.SAC, observations(5), BOX, {"net_arch": []}),
        "td3_empty": (library.TD3, observations(5), BOX, {"net_arch": []}),
        "ppo_empty": (library.PPO, observations(5), BOX, {"net_arch": []}),
        "ppo_only_values": (library.PPO, observations(5), BOX, {"net_arch": {"vf": [4]}}),
        "ppo_axes": (library.PPO, observations(2, 3), grid, {"net_arch": FEW, "share_features_extractor": False}),
        "td3_axes": (library.TD3, observations(2, 3), grid, {"net_arch": FEW}),
        "ppo_gelu": (library.PPO, observations(5), BOX, {"net_arch": FEW, "activation_fn": nn.GELU}),
        "ppo_slope": (library.PPO, observations(5), BOX, {"net_arch": FEW, "activation_fn": slope}),
        "a2c_sde": (library.A2C, observations(5), BOX, {"net_arch": FEW, "use_sde": True}),
        "a2c_squashed": (library.A2C, observations(5), BOX, squashed),
        "tqc": (sb3_contrib.TQC, observations(5), BOX, {"net_arch": FEW}),
        "trpo": (sb3_contrib.TRPO, observations(5), BOX, {"net_arch": FEW}),
    }


def refused_cases() -> dict[str, Case]:
    """Return the same for archives that are not read, of the newest release."""
    both = gym.spaces.Dict({"one": observations(3), "two": observations(2)})
    return {
        "own_extractor": (library.PPO, observations(5), BOX, {"net_arch": FEW, "features_extractor_class": Widths}),
        "own_activation": (library.PPO, observations(5), BOX, {"net_arch": FEW, "activation_fn": Square}),
        "places": (library.PPO, gym.spaces.Discrete(4), BOX, {"net_arch": FEW}),
        "switches": (library.PPO, observations(5), gym.spaces.MultiBinary(3), {"net_arch": FEW}),
        "dict": (library.PPO, both, BOX, {"net_arch": FEW}),
        "images": (library.PPO, gym.spaces.Box(0, 255, (8, 8, 3), np.uint8), BOX, {"net_arch": [2]}),
        "memory": (sb3_contrib.RecurrentPPO, observations(5), BOX, {"net_arch": [2], "lstm_hidden_size": 2}),
    }


def make(algorithm: Any, space: Any, actions: Any, policy_kwargs: dict[str, Any]) -> Any:
    """Return a model with large random parameters."""
    policy = "MultiInputPolicy" if isinstance(space, gym.spaces.Dict) else "MlpPolicy"
    policy = "MlpLstmPolicy" if "lstm_hidden_size" in policy_kwargs else policy
    sde = {name: value for name, value in policy_kwargs.items() if name == "use_sde"}
    rest = {name: value for name, value in policy_kwargs.items() if name != "use_sde"}
    more = OFF_POLICY if issubclass(algorithm, OffPolicyAlgorithm) else {}
    model = algorithm(policy, Anything(space, actions), policy_kwargs=rest, device="cpu", seed=0, **sde, **more)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape))
    return model


def record_all() -> dict[str, Any]:
    """Save every model, and return observations and actions."""
    found: dict[str, Any] = {}
    rng = np.random.default_rng(0)
    for name, (algorithm, space, actions, policy_kwargs) in cases().items():
        model = make(algorithm, space, actions, policy_kwargs)
        model.save(FOLDER / name)
        if name in ("sac", "td3", "ppo", "dqn"):
            model.policy.save(FOLDER / f"{name}_policy.pth")
        rows = (3 * rng.standard_normal((ROWS, *space.shape))).astype(np.float32)
        found[f"{name}.observations"] = rows
        found[f"{name}.actions"] = model.predict(rows, deterministic=True)[0]
    return found


def record_trained() -> dict[str, Any]:
    """Train for some steps on normalized observations; return raw observations, and the actions for normalized ones."""
    env = VecNormalize(DummyVecEnv([lambda: Anything(observations(5), BOX)]), clip_obs=1.5, epsilon=1e-6)
    env.seed(0)
    env.observation_space.seed(0)
    model = library.PPO("MlpPolicy", env, n_steps=64, policy_kwargs={"net_arch": FEW}, device="cpu", seed=0)
    model.learn(256)
    model.save(FOLDER / "trained")
    env.save(FOLDER / "trained_normalization.pkl")
    rows = (3 * np.random.default_rng(1).standard_normal((ROWS, 5))).astype(np.float32)
    actions, _ = model.predict(env.normalize_obs(rows), deterministic=True)
    return {"trained.observations": rows, "trained.actions": actions}


def main() -> None:
    """Write all files of this release."""
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = record_all()
    if NEWEST:
        found.update(record_trained())
        for name, case in refused_cases().items():
            make(*case).save(FOLDER / f"refused_{name}")
    np.savez(FOLDER / "actions.npz", **found)
    print(f"wrote {len(list(FOLDER.iterdir()))} files to {FOLDER}")


if __name__ == "__main__":
    main()
