"""The two results in the README."""

from __future__ import annotations

from benchmarks.publish.mujoco_blocks import mean_of
from benchmarks.publish.records import Records, processor
from benchmarks.publish.rival_blocks import learning_ratio

PICTURE = """<picture>
  <source media="(prefers-color-scheme: dark)" srcset="docs/figures/{name}-dark.png">
  <img width="480" alt="{alt}" src="docs/figures/{name}-light.png">
</picture>"""


def best(records: Records) -> str:
    """Return both results, each with its figure and its command."""
    return f"{_side_by_side(records)}\n\n{_mujoco(records)}"


def _side_by_side(records: Records) -> str:
    sac, td3 = (learning_ratio(records, algorithm) for algorithm in ("sac", "td3"))
    picture = PICTURE.format(
        name="learning_side_by_side", alt="Learning curves of SAC and TD3 on npnets and on Tianshou"
    )
    return (
        f"**SAC and TD3 learn Pendulum-v1 in {sac:.2f} and {td3:.2f} of the time** that Tianshou's policies take on "
        f"PyTorch, from equal initial parameters, in as many steps and to about the same returns, on one thread of "
        f"{processor(records['learning_side_by_side'])} (`python -m benchmarks.learning.side_by_side`; "
        f"[details](docs/speed.rst)):\n\n{picture}"
    )


def _mujoco(records: Records) -> str:
    runs = records.seeds("sac_halfcheetah")
    ours, theirs, steps = mean_of(runs, "SAC")
    command = runs[0]["command"].partition(" --seed")[0]
    picture = PICTURE.format(
        name="mujoco", alt="Learning curves on HalfCheetah-v5 and Hopper-v5, beside Tianshou's published returns"
    )
    return (
        f"**One file an algorithm, for your own environment.** A run that was killed continues bit for bit. On "
        f"MuJoCo's HalfCheetah-v5, SAC has a return of {ours} after {steps:,} steps ({len(runs)} seeds); Tianshou's "
        f"published one is {theirs} (`{command}`, {processor(*runs)}; [all training "
        f"results](docs/learning.rst)):\n\n{picture}"
    )
