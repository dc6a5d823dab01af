"""Training with Tianshou 1.0.0's own SAC and TD3 on PyTorch, for the comparison of learning curves.

Networks, policy, exploration, replay buffer and `policy.update` are Tianshou's. The training loop is that of the
examples for both libraries: Tianshou's `Collector` is made for many environments at once, and takes half as long again
with one. Initial parameters, the first episodes and their random actions are npnets', bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from tianshou.data import Batch, ReplayBuffer
from tianshou.exploration import GaussianNoise
from tianshou.policy import BasePolicy, SACPolicy, TD3Policy
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import Actor, ActorProb, Critic
from torch import nn

import npnets
from benchmarks.learning.problem import ACT, OBS, Watch, make_agent, make_env
from examples.shared.pendulum_evaluation import Policy
from npnets import training, tree
from npnets.interop.tianshou import to_state_dict


def learn(algorithm: str, settings: Any, watch: Watch) -> None:
    """Train with the settings and initial parameters of an example; hand the policy over after every step."""
    torch.manual_seed(settings.seed)
    np.random.seed(settings.seed)  # Tianshou draws batches and exploration from it
    env, agent, rng = make_env(), make_agent(algorithm, **asdict(settings)), np.random.default_rng(settings.seed)
    policy, buffer = make_policy(agent, agent.init(rng)), ReplayBuffer(settings.buffer_size)
    watch(0, acting(policy))
    observation = training.reset(env, rng)
    for step in range(1, settings.steps + 1):
        learning = step > settings.warmup
        action = explore(policy, observation) if learning else warm_up(env.action_space, rng)
        observation, ended = take_step(env, observation, action, buffer)
        for _ in range(settings.updates_per_step if learning else 0):
            policy.update(settings.batch_size, buffer)
        watch(step, acting(policy))
        if ended:
            observation = training.reset(env, rng)
    env.close()


def warm_up(space: Any, rng: np.random.Generator) -> np.ndarray:
    """Draw a random action, as the examples do."""
    return rng.uniform(space.low, space.high).astype(np.float32)


@torch.no_grad()
def explore(policy: BasePolicy, observation: np.ndarray) -> np.ndarray:
    """Return an exploratory action, as Tianshou's `Collector` does."""
    batch = Batch(obs=observation[None], info=Batch())
    action = policy.exploration_noise(policy(batch).act.numpy(), batch)
    return policy.map_action(action)[0].astype(np.float32)


def take_step(env: Any, observation: np.ndarray, action: np.ndarray, buffer: ReplayBuffer) -> tuple[np.ndarray, bool]:
    """Take an action and store the transition; return the next observation, and whether the episode has ended."""
    following, reward, terminated, truncated, _ = env.step(action)
    seen = {"obs": observation, "act": action, "rew": float(reward), "obs_next": following, "info": {}}
    buffer.add(Batch(**seen, terminated=terminated, truncated=truncated))
    return following, terminated or truncated


def acting(policy: BasePolicy) -> Policy:
    """Return the current deterministic policy as a function."""

    @torch.no_grad()
    def act(observations: np.ndarray) -> np.ndarray:
        policy.eval()
        actions = policy(Batch(obs=observations, info=Batch())).act.numpy()
        policy.train()
        return actions

    return act


def make_policy(agent: Any, state: Any) -> BasePolicy:
    """Return Tianshou's policy with the settings of an npnets agent and the parameters of its state."""
    policy = _POLICIES[type(agent).__name__](agent, state)
    policy.train()
    return policy


def _td3(agent: Any, state: Any) -> TD3Policy:
    settings = agent.settings
    actor = Actor(Net(OBS, hidden_sizes=settings.hidden_sizes), ACT)
    return TD3Policy(
        **_common(agent, state, actor),
        exploration_noise=GaussianNoise(sigma=settings.exploration_noise),
        policy_noise=settings.target_noise,
        noise_clip=settings.target_noise_limit,
        update_actor_freq=settings.policy_delay,
    )


def _sac(agent: Any, state: Any) -> SACPolicy:
    settings = agent.settings
    log_alpha = torch.full((1,), float(state.log_temperature), requires_grad=True)
    actor = ActorProb(Net(OBS, hidden_sizes=settings.hidden_sizes), ACT, unbounded=True, conditioned_sigma=True)
    temperature = (agent.target_entropy, log_alpha, torch.optim.Adam([log_alpha], settings.temperature_lr))
    return SACPolicy(**_common(agent, state, actor), alpha=temperature)


_POLICIES: dict[str, Callable[[Any, Any], BasePolicy]] = {"SAC": _sac, "TD3": _td3}


def _common(agent: Any, state: Any, actor: nn.Module) -> dict[str, Any]:
    """Return the arguments that both policies share; every network has its initial parameters."""
    settings = agent.settings
    nets = (Net(OBS, ACT, hidden_sizes=settings.hidden_sizes, concat=True) for _ in range(2))
    modules = {"actor": actor, **{name: Critic(net) for name, net in zip(("critic", "critic2"), nets, strict=True)}}
    for name, state_dict in first_state_dicts(agent, state).items():
        modules[name].load_state_dict({key: torch.as_tensor(array) for key, array in state_dict.items()})
    rates = {"actor": settings.actor_lr, "critic": settings.critic_lr, "critic2": settings.critic_lr}
    adams = {f"{name}_optim": torch.optim.Adam(modules[name].parameters(), rate) for name, rate in rates.items()}
    # Actions are within [-1, 1] in the environment too: they are clipped and not scaled.
    bounds = {"action_space": make_env().action_space, "action_scaling": False, "action_bound_method": "clip"}
    return {**modules, **adams, **bounds, "tau": settings.tau, "gamma": settings.gamma}


def first_state_dicts(agent: Any, state: Any) -> dict[str, dict[str, np.ndarray]]:
    """Return Tianshou's state dicts of the actor and of each critic; npnets has the critics as one ensemble."""
    critic = npnets.Critic(npnets.Net(OBS, ACT, hidden_sizes=agent.settings.hidden_sizes, concat=True))
    like = critic.init(np.random.default_rng(0))
    found = {"actor": to_state_dict(agent.actor, state.actor)}
    for index, name in enumerate(("critic", "critic2")):
        member = tree.map(lambda leaf, one, i=index: leaf[i].reshape(one.shape), state.critics, like)
        found[name] = to_state_dict(critic, member)
    return found
