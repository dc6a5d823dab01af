"""The two results in the README."""

from __future__ import annotations

from benchmarks.publish.learning_blocks import score
from benchmarks.publish.markup import plus_minus
from benchmarks.publish.records import Records, processor
from benchmarks.publish.rival_blocks import learning_ratio

PICTURE = """<picture>
  <source media="(prefers-color-scheme: dark)" srcset="docs/figures/{name}-dark.png">
  <img width="480" alt="{alt}" src="docs/figures/{name}-light.png">
</picture>"""


def best(records: Records) -> str:
    """Return both results, each with its figure and its command."""
    return f"{_side_by_side(records)}\n\n{_recorded(records)}"


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


def _recorded(records: Records) -> str:
    run = records.seeds("offline_bcq")[0]
    bcq, data = (plus_minus(score(run, name)) for name in ("BCQ", "behaviour in the data"))
    picture = PICTURE.format(name="offline_bcq", alt="BCQ's return during training, and one episode of its policy")
    return (
        f"**BCQ learns from recorded data.** From episodes with a return of {data}, it learns a policy with a return "
        f"of {bcq} in about a minute (`sh scripts/demo.sh`; [all training results](docs/learning.rst)):\n\n{picture}"
    )
