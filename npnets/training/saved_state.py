"""The file from which a run continues: the leaves of the algorithm's state by their paths, the generator, counters."""

import json
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from npnets import checkpoint
from npnets.backend import device_of, to_device
from npnets.checkpoint import CheckpointError
from npnets.training.records import PROGRESS, read_rows
from npnets.tree.structure import rebuild, walk

State = TypeVar("State")
CHECKPOINT = "checkpoint.npz"
_OF_NUMPY = ("PCG64", "PCG64DXSM", "Philox", "MT19937", "SFC64")
"""Bit generators, whose states a checkpoint holds."""


class Saved(NamedTuple):
    """What a checkpoint of a run holds.

    `added` is the number of transitions that its replay buffer had been given, `rows` that of the rows in
    `progress.csv`, `seconds` those of the run until then, and `checkpoint_seconds` those of them that earlier
    checkpoints took.
    """

    path: Path
    leaves: dict[str, Any]
    bit_generator: dict[str, Any]
    step: int
    seconds: float
    checkpoint_seconds: float
    added: int
    rows: int

    def state_like(self, state: State) -> State:
        """Return the state, in the structure and on the devices of one that the algorithm has just made.

        Raises
        ------
        CheckpointError
            If its paths, shapes or dtypes are others.
        """
        if fault := difference(forms_of(state), {path: _form(leaf) for path, leaf in self.leaves.items()}):
            raise CheckpointError(
                f"{self.path} is of an algorithm with another state: {fault}; continue the run with the program and "
                "the version that began it"
            )
        found: State = rebuild(state, (_beside(leaf, self.leaves[path]) for path, leaf in walk(state)))
        return found

    def generator(self) -> np.random.Generator:
        """Return the random generator, which goes on where it was."""
        rng = np.random.Generator(getattr(np.random, self.bit_generator["bit_generator"])(0))
        rng.bit_generator.state = self.bit_generator
        return rng


def write_saved(path: Path, mark: str, state: Any, rng: np.random.Generator, **counters: float) -> None:
    """Write the file, beside the old one and renamed; the counters are the numbers of a `Saved`, by their names."""
    facts = {"mark": mark, "bit_generator": json.dumps(_state_of(rng), default=np.ndarray.tolist), **counters}
    checkpoint.save(path, dict(walk(state)), facts)


def _state_of(rng: Any) -> Any:
    bits: Any = getattr(rng, "bit_generator", None)
    if not any(type(bits) is getattr(np.random, name) for name in _OF_NUMPY):
        raise ValueError(
            "expected a generator of NumPy, such as numpy.random.default_rng(seed), so that a continued run can draw "
            f"the same numbers, but got {rng!r:.80} with the bits of {type(bits).__name__}"
        )
    return bits.state


def read_saved(path: Path, mark: str) -> Saved | None:
    """Return the content of the file, or `None` if there is none.

    Raises
    ------
    CheckpointError
        If it is corrupt or of a run with another mark, or what lies beside it shows that there was one.
    """
    if not path.exists():
        _check_never_written(path)
        return None
    leaves, facts = checkpoint.load(path)
    try:
        bit_generator = json.loads(facts["bit_generator"])
        if bit_generator["bit_generator"] not in _OF_NUMPY:
            raise ValueError(f"its generator is {bit_generator['bit_generator']!r:.80}")
        counters = {name: facts[name] for name in ("step", "seconds", "checkpoint_seconds", "added")}
        counters["rows"] = facts.get("rows", 0)  # earlier versions did not count them
        found, saved_mark = Saved(path, leaves, bit_generator, **counters), facts["mark"]
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is no checkpoint of a run: {error!r}; is it another file?") from error
    check_mark(path, saved_mark, mark)
    return found


def check_mark(path: Path, found: object, expected: str) -> None:
    """Raise an error if a file has the mark of a run with other settings."""
    if found != expected:
        raise CheckpointError(
            f"{path} is of a run with other settings than settings.json has: was it copied from another folder, or "
            "begun by another version of the program? Put the run's own file back, or begin a new run in another folder"
        )


def check_rows(folder: Path, saved: Saved | None) -> None:
    """Raise an error if a run's rows are damaged, or fewer than its checkpoint counted: its results would lack them."""
    rows = read_rows(folder / PROGRESS)
    if saved is None:
        return
    found = sum(row["steps"] <= saved.step for row in rows)
    if found < saved.rows:
        raise CheckpointError(
            f"expected {saved.rows} rows until step {saved.step} in {folder / PROGRESS}, but there are {found}, and "
            "nothing is overwritten: was the file deleted or changed? Put it back, or begin a new run in another folder"
        )


def _check_never_written(path: Path) -> None:
    """Raise an error if a run has what only a run with a checkpoint has, and would begin anew over it."""
    if any(path.with_name(name).exists() for name in (PROGRESS, "policy.npz", "results.json", "transitions")):
        raise CheckpointError(
            f"expected {path}, from which the run continues, but there is none, and nothing is overwritten: was it "
            "deleted or not copied? Put it back, or begin a new run in another folder"
        )


def _beside(leaf: Any, saved: Any) -> Any:
    """Return a saved leaf on the device of another, if that is an array."""
    return to_device(saved, device_of(leaf)) if hasattr(leaf, "dtype") else saved


def forms_of(state: Any) -> dict[str, str]:
    """Return the shape and dtype of each leaf by its path, or its type if it is no array.

    Raises
    ------
    ValueError
        If two leaves have one path, as with a dot in a key.
    """
    found: dict[str, str] = {}
    for path, leaf in walk(state):
        if path in found:
            raise ValueError(
                f"expected a path of its own for each leaf of the state, but two have {path!r}; rename a key"
            )
        found[path] = _form(leaf)
    return found


def difference(expected: dict[str, str], found: dict[str, str]) -> str:
    """Return where two states first differ in form, or an empty text."""
    for path in (*expected, *found):
        one, other = (forms.get(path, "nothing") for forms in (expected, found))
        if one != other:
            return f"expected {one} at {path!r}, but got {other}"
    return ""


def _form(leaf: Any) -> str:
    if hasattr(leaf, "dtype"):
        return f"{leaf.dtype} {leaf.shape}"
    return type(leaf).__name__
