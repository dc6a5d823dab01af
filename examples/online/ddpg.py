"""DDPG: deep deterministic policy gradient (Lillicrap et al. 2016, arXiv:1509.02971).

    python examples/online/ddpg.py --seed 0 --out runs/ddpg

TD3 without its three improvements: one critic, no noise on target actions, no delay of the actor.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the checkout, where the package `examples` is

from examples.online.off_policy import learn_while_acting
from examples.online.online_training import main
from examples.online.td3 import TD3, Hyperparameters

DDPG = Hyperparameters(critics=1, target_noise=0.0, policy_delay=1)

if __name__ == "__main__":
    sys.exit(main("DDPG", TD3, DDPG, learn_while_acting))
