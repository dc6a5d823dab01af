"""Write `bcq.npz`: three learning steps of Tianshou 1.0.0's `BCQPolicy` from parameters that npnets drew.

    python tests/support/golden/make_bcq.py

Needs PyTorch, Tianshou and npnets (see README.md in this folder). Tianshou's random numbers are replaced by those
of a NumPy generator, drawn in the order in which the algorithm asks for them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tianshou.data import Batch  # noqa: E402

import npnets  # noqa: E402
from benchmarks.learning.bcq_tianshou import make_policy  # noqa: E402
from examples.offline.bcq import TUNED, Settings  # noqa: E402
from npnets import tree  # noqa: E402

SIZES = {"hidden_sizes": (8, 7), "vae_hidden_sizes": (9, 6), "latent_dim": 2, "batch_size": 5, "steps": 3}
SETTINGS = Settings(**{**TUNED["Pendulum-v1"], **SIZES})
OBS_DIM, ACT_DIM, MAX_ACTION, NOISE_SEED = 3, 2, 2.0, 7
# Where the parameters of each network of ours stand in Tianshou's policy.
PLACES = {
    "perturbation": {"preprocess.model": "actor_perturbation.preprocess_net.model.model"},
    "critic_1": {"preprocess.model": "critic.preprocess.model.model", "last": "critic.last.model"},
    "critic_2": {"preprocess.model": "critic2.preprocess.model.model", "last": "critic2.last.model"},
    "vae": {
        "encoder": "vae.encoder.model",
        "decoder": "vae.decoder.model",
        "mean": "vae.mean",
        "log_std": "vae.log_std",
    },
}


def first_parameters(rng: np.random.Generator) -> dict[str, Any]:
    """Draw the parameters of the four networks, the critics apart from each other as in Tianshou's policy."""
    hidden, vae_hidden, latent = SETTINGS.hidden_sizes, SETTINGS.vae_hidden_sizes, SETTINGS.latent_dim
    trunk = npnets.Net(OBS_DIM + ACT_DIM, ACT_DIM, hidden_sizes=hidden)
    critic = npnets.Critic(npnets.Net(OBS_DIM, ACT_DIM, hidden_sizes=hidden, concat=True))
    encoder = npnets.MLP(OBS_DIM + ACT_DIM, hidden_sizes=vae_hidden)
    decoder = npnets.MLP(OBS_DIM + latent, ACT_DIM, hidden_sizes=vae_hidden)
    networks = {
        "perturbation": npnets.Perturbation(trunk, MAX_ACTION),
        "vae": npnets.VAE(encoder, decoder, vae_hidden[-1], latent, MAX_ACTION),
        "critic_1": critic,
        "critic_2": critic,
    }
    return {name: network.init(rng) for name, network in networks.items()}


def their_name(network: str, path: str) -> str:
    """Return the key in Tianshou's state dict of one of our parameters; linear layers have even numbers there."""
    *_, leaf = path.split(".")
    prefix, theirs = next(pair for pair in PLACES[network].items() if path.startswith(pair[0] + "."))
    middle = path[len(prefix) + 1 : -len(leaf)].strip(".")
    place = f".{2 * int(middle.removeprefix('linear_'))}" if middle else ""
    return f"{theirs}{place}.{leaf}"


def load_parameters(policy: Any, params: dict[str, Any]) -> None:
    """Give Tianshou's policy, and its targets, the parameters that npnets drew."""
    state = policy.state_dict()
    for network, part in params.items():
        for path, leaf in zip(tree.paths(part), tree.leaves(part), strict=True):
            name = their_name(network, path)
            targets = name.replace("critic.", "critic_target.").replace("critic2.", "critic2_target.")
            for key in {name, targets}:
                state[key] = torch.as_tensor(leaf.T.copy())
    policy.load_state_dict(state)


def read_parameters(policy: Any, params: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return Tianshou's parameters by our paths."""
    state = policy.state_dict()
    return {
        f"{n}.{path}": state[their_name(n, path)].numpy().T for n, part in params.items() for path in tree.paths(part)
    }


def batch(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw transitions."""
    n = SETTINGS.batch_size
    parts = (
        rng.normal(size=(n, OBS_DIM)),
        rng.uniform(-2, 2, (n, ACT_DIM)),
        rng.normal(size=n),
        rng.normal(size=(n, OBS_DIM)),
    )
    return tuple(part.astype(np.float32) for part in (*parts, rng.random(n) < 0.3))


def main() -> None:
    """Learn and write."""
    rng, noise = np.random.default_rng(0), np.random.default_rng(NOISE_SEED)
    ours = first_parameters(rng)
    policy = make_policy(SETTINGS, OBS_DIM, ACT_DIM, MAX_ACTION)
    load_parameters(policy, ours)
    arrays = {
        f"initial.{n}.{p}": x
        for n, part in ours.items()
        for p, x in zip(tree.paths(part), tree.leaves(part), strict=True)
    }

    def draw(shape: Any) -> torch.Tensor:
        return torch.as_tensor(noise.standard_normal(tuple(shape)).astype(np.float32))

    with mock.patch("torch.randn", draw), mock.patch("torch.randn_like", lambda x: draw(x.shape)):
        for step in range(SETTINGS.steps):
            parts = batch(rng)
            obs, act, rew, obs_next, done = parts
            stats = policy.learn(Batch(obs=obs, act=act, rew=rew, obs_next=obs_next, done=done))
            arrays |= {f"batch.{step}.{index}": part for index, part in enumerate(parts)}
            losses = stats.vae_loss, (stats.critic1_loss + stats.critic2_loss) / 2, stats.actor_loss
            arrays[f"losses.{step}"] = np.array(losses)
    arrays |= {f"final.{name}": value for name, value in read_parameters(policy, ours).items()}
    np.savez_compressed(Path(__file__).with_name("bcq.npz"), **arrays)


if __name__ == "__main__":
    main()
