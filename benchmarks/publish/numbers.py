"""Single numbers in sentences of the documentation, written as `|name|`; `docs/numbers.txt` has their values."""

from __future__ import annotations

from benchmarks.publish import deploy_blocks
from benchmarks.publish.learning_blocks import ONLINE, score
from benchmarks.publish.markup import plus_minus
from benchmarks.publish.measured import largest_group
from benchmarks.publish.records import Records, processor, published_from
from benchmarks.publish.rival_blocks import learning_ratio

HEAD = ".. Written by python -m benchmarks.publish from docs/results; changes by hand are overwritten.\n\n"

SEEDED = (
    "sac",
    "ppo_discrete",
    "ppo_halfcheetah",
    "offline_bcq",
    "memory_pendulum",
    "lbfgs_cloning",
    "evolution_strategies",
    "ppo_rollouts",
)
ALONE = ("bcq_side_by_side", "deploy", "footprint", "learning_side_by_side", "search_settings")


def substitutions(records: Records) -> str:
    """Return the definitions of all numbers, as reStructuredText."""
    lines = [f".. |{name}| replace:: {value}" for name, value in sorted(numbers(records).items())]
    return HEAD + "\n".join(lines) + "\n"


def numbers(records: Records) -> dict[str, str]:
    """Return all numbers by name."""
    found: dict[str, str] = {}
    for group in (_processors, _returns, _checkpoints, _speed, _rivals):
        with published_from(records, f"docs/numbers.txt, numbers of {group.__name__[1:]}") as part:
            found |= group(part)
    return found


def _processors(records: Records) -> dict[str, str]:
    seeded = {f"processor.{name}": processor(*records.seeds(name)) for name in SEEDED}
    return seeded | {f"processor.{name}": processor(records[name]) for name in ALONE}


def _returns(records: Records) -> dict[str, str]:
    velocity = records["memory_pendulum_velocity-seed-0"]
    return {"return.velocity": plus_minus(score(velocity, "feed-forward"))}


def _checkpoints(records: Records) -> dict[str, str]:
    """Return the largest share of a run's time that its checkpoints took."""
    results = [run["results"] for name in (*ONLINE, "ppo_halfcheetah") for run in records.seeds(name)]
    share = max(result["checkpoint_seconds"] / result["seconds"] for result in results)
    return {"checkpoints.share": f"{100 * share:.2f}%"}


def _speed(records: Records) -> dict[str, str]:
    return {f"learn.{name}": f"{largest_group(records, '1', f'{name} learn'):.2f}" for name in ("sac", "td3")}


def _rivals(records: Records) -> dict[str, str]:
    bcq = records["bcq_side_by_side"]["results"]["npnets_over_tianshou"]
    found = {f"bcq.ratio.{threads}": f"{spread['median']:.2f}" for threads, spread in bcq.items()}
    found |= {f"learning.{name}": f"{learning_ratio(records, name):.2f}" for name in ("sac", "td3")}
    return found | {"deploy.difference": f"{deploy_blocks.difference(records):.1e}"}
