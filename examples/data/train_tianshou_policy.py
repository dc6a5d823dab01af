"""Writes `tianshou_td3_pendulum.pth`, a policy for Pendulum-v1 trained with TD3 in Tianshou 1.0.0 on PyTorch.

Also writes `tianshou_td3_actions.npz`, the policy's actions for some observations.

    pip install -e '.[benchmarks]' && pip install --no-deps tianshou==1.0.0
    python examples/data/train_tianshou_policy.py

The file is the state dict of the whole policy, as Tianshou users save it: actor, two critics and their targets. This
program does not need npnets, and `examples/deploy/deploy_policy.py`, which runs the policy, does not need PyTorch.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import torch
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.exploration import GaussianNoise
from tianshou.policy import TD3Policy
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import Actor, Critic

FOLDER = Path(__file__).resolve().parent
FILE, ACTIONS = FOLDER / "tianshou_td3_pendulum.pth", FOLDER / "tianshou_td3_actions.npz"
HIDDEN, BOUND, SEED = (64, 64), 2.0, 0
FIRST_STEPS, STEPS, BATCH, RECORDED = 1_000, 15_000, 128, 64


def make_policy() -> TD3Policy:
    """Construct the policy as Tianshou users do; actions are torques in N m, within `BOUND`."""
    env = gymnasium.make("Pendulum-v1")
    shape, actions = env.observation_space.shape, env.action_space.shape
    actor = Actor(Net(shape, hidden_sizes=HIDDEN), actions, max_action=BOUND)
    critics = [Critic(Net(shape, actions, hidden_sizes=HIDDEN, concat=True)) for _ in range(2)]
    return TD3Policy(
        actor=actor,
        actor_optim=torch.optim.Adam(actor.parameters(), lr=1e-3),
        critic=critics[0],
        critic_optim=torch.optim.Adam(critics[0].parameters(), lr=1e-3),
        critic2=critics[1],
        critic2_optim=torch.optim.Adam(critics[1].parameters(), lr=1e-3),
        action_space=env.action_space,
        tau=0.005,
        gamma=0.98,
        exploration_noise=GaussianNoise(sigma=0.2),
        policy_noise=0.4,
        noise_clip=1.0,
        action_scaling=False,
        action_bound_method=None,
    )


def main() -> None:
    """Collect and learn in turn, with one gradient step for each step of the environment."""
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    policy = make_policy()
    buffer = VectorReplayBuffer(STEPS, 1)
    envs = DummyVectorEnv([lambda: gymnasium.make("Pendulum-v1")])
    envs.seed(SEED)
    collector = Collector(policy, envs, buffer, exploration_noise=True)
    collector.reset()
    collector.collect(n_step=FIRST_STEPS, random=True)
    for step in range(FIRST_STEPS, STEPS):
        collector.collect(n_step=1)
        policy.update(BATCH, buffer)
        if (step + 1) % 2_000 == 0:
            print(f"step {step + 1}: mean reward of the last 1000 {np.mean(buffer.rew[step - 999 : step + 1]):.2f}")
    torch.save(policy.state_dict(), FILE)
    record_actions(policy, buffer.obs[-RECORDED:])
    print(f"wrote {FILE} and {ACTIONS}")


def record_actions(policy: TD3Policy, observations: np.ndarray) -> None:
    """Write the actor's actions for observations `(n, 3)`."""
    observations = observations.astype(np.float32)
    with torch.no_grad():
        actions, _ = policy.actor(observations)
    np.savez(ACTIONS, observations=observations, actions=actions.numpy())


if __name__ == "__main__":
    main()
