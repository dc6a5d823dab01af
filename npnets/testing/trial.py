"""One try of a law: what is drawn for it, under readable names, and calls of the network with what was drawn."""

import copy
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from npnets import tree
from npnets.backend import to_device
from npnets.testing.arrays import difference, drawn_like, is_floating, parameters_from, rows, shown
from npnets.testing.input_strategies import seeded_arrays
from npnets.testing.law import Breach
from npnets.testing.subject import Subject
from npnets.tree import Tree

LARGE = 1e6
LARGEST_BATCH = 5
MANY_ROWS = 64
LARGEST_SEED = 2**16
DTYPES = st.sampled_from([np.dtype(np.float32), np.dtype(np.float64)])


def together(answer: tuple[dict[str, Any], Tree]) -> Tree:
    """Return answers and state as one tree, whose paths are what an error names."""
    answers, state = answer
    return {**answers, "state": state}


def rows_of_state(state: Tree, rows: int | list[int], axes: Tree) -> Tree:
    """Return the rows of a state, each leaf along the axis that changes with the batch."""
    return tree.map(lambda leaf, axis: np.take(leaf, rows, axis) if axis >= 0 else leaf, state, axes)


class Trial:
    """One try of a law.

    Parameters
    ----------
    subject : Subject
    data : object
        What `hypothesis.strategies.data()` gives.
    tolerance : float, optional
        As in `arrays.difference`.
    """

    def __init__(self, subject: Subject, data: Any, tolerance: float | None = None) -> None:
        self.subject, self._data, self._tolerance = subject, data, tolerance
        self.drawn: dict[str, Any] = {}
        self.net = self.fresh_net()

    def fresh_net(self) -> Any:
        """Return a copy of the network, which remembers nothing of earlier calls; itself if it cannot be copied."""
        try:
            return copy.deepcopy(self.subject.net)
        except Exception:  # whatever an own class raises: the law about pickling says so
            return self.subject.net

    @property
    def example(self) -> dict[str, str]:
        """What was drawn, written as an error shows it."""
        return {name: shown(value) for name, value in self.drawn.items()}

    def draw(self, name: str, strategy: st.SearchStrategy[Any]) -> Any:
        """Draw a value, which the error shows under a name."""
        value = self._data.draw(strategy)
        self.drawn[name] = value
        return value

    def seed(self, name: str) -> int:
        """Draw a seed."""
        return self.draw(name, st.integers(0, LARGEST_SEED))

    def params(self, dtype: DTypeLike = np.float64, spreads: tuple[float, ...] = (0.0, 0.1, 1.0)) -> Tree:
        """Draw parameters: initial ones, with noise on them."""
        seed, spread = self._data.draw(st.integers(0, LARGEST_SEED)), self._data.draw(st.sampled_from(spreads))
        self.drawn["params"] = f"parameters_from(net, {seed}, {spread}, {np.dtype(dtype).name!r})"
        return parameters_from(self.net, seed, spread, dtype)

    def batch(self, least: int = 1) -> int:
        """Draw how many rows the inputs have."""
        return self.draw("batch", st.integers(least, LARGEST_BATCH))

    def inputs(
        self, batch: int, dtype: DTypeLike = np.float64, limit: float = 10.0, steps: int | None = None, suffix: str = ""
    ) -> dict[str, Any]:
        """Draw what `forward` takes beside parameters and state, on the network's device.

        With `steps` there is an axis of them after that of rows, also in actions.
        """
        shapes = {"obs": self.subject.observation, "act": self.subject.action, "noise": self.subject.noise}
        leading = (batch,) if steps is None else (batch, steps)
        given: dict[str, Any] = {}
        for name, row in shapes.items():
            if name == "obs" and self.subject.obs is not None and steps is None:
                drawn = self._data.draw(self.subject.obs(batch))
                given[name] = tree.map(lambda x: np.array(x, dtype) if is_floating(x) else np.array(x), drawn)
            elif row is not None:
                given[name] = self._data.draw(seeded_arrays((*leading, *row), limit)).astype(dtype)
        placed = self.placed(self._kept(given, suffix))
        return {**placed, "rng": self.seed(f"rng{suffix}")} if self.subject.needs_rng else placed

    def state(self, batch: int, dtype: DTypeLike = np.float64, suffix: str = "") -> Tree:
        """Draw a state for a batch, of the form that the network answers with."""
        rng = np.random.default_rng(self._data.draw(st.integers(0, LARGEST_SEED)))

        def drawn(leaf: Any) -> Any:
            return np.round(rng.uniform(-1, 1, np.shape(leaf)), 3).astype(dtype) if is_floating(leaf) else leaf

        state = tree.map(drawn, self.subject.state_like(batch))
        return self.placed(self._kept({"state": state}, suffix)["state"])

    def _kept(self, arrays: dict[str, Tree], suffix: str) -> dict[str, Tree]:
        """Return arrays, once copies of them are kept for the error: a network may change them."""
        host = tree.to_numpy(arrays)
        self.drawn.update({f"{name}{suffix}": copy.deepcopy(value) for name, value in host.items()})
        return arrays

    def first_rows(self, given: dict[str, Any], state: Tree, batch: int) -> tuple[dict[str, Any], Tree]:
        """Return the first rows of inputs and of a state that were drawn, as copies; the error shows those alone."""
        chosen = tree.map(lambda leaf: leaf[:batch].copy() if np.ndim(leaf) else leaf, given)
        if state is not None:
            state = self.placed(rows_of_state(tree.to_numpy(state), list(range(batch)), self.subject.state_axes))
            self._kept({"state": state}, "")
        self._kept({"batch": batch, **chosen}, "")
        return chosen, state

    def repeated(self, given: dict[str, Any], batch: int) -> dict[str, Any]:
        """Return inputs of `MANY_ROWS` rows, those of a batch one after the other and again; the error shows those."""
        self.drawn["rows in all"] = f"{MANY_ROWS}, those above repeated"
        return rows(given, [row % batch for row in range(MANY_ROWS)])

    def random_inputs(self, seed: int, batch: int) -> dict[str, Any]:
        """Return inputs of normal numbers in float64, for laws that try many points themselves.

        Observations of the user's own strategy stay the smallest that it gives.
        """
        zeros = self.subject.zeros(batch)
        given: dict[str, Any] = self.random_like(zeros, np.random.default_rng(seed))
        return given if self.subject.obs is None else {**given, "obs": zeros["obs"]}

    @staticmethod
    def random_like(arrays: Tree, rng: np.random.Generator) -> Tree:
        """Return a tree of normal numbers in float64 in place of another's floating-point arrays."""
        return tree.map(lambda x: drawn_like(x.astype(float), rng) if is_floating(x) else x, arrays)

    def placed(self, arrays: Tree) -> Tree:
        """Return a tree with its arrays on the network's device."""
        return tree.map(lambda leaf: to_device(leaf, self.subject.device) if hasattr(leaf, "dtype") else leaf, arrays)

    def run(
        self, params: Tree, given: dict[str, Any], state: Tree = None, net: Any = None, **options: Any
    ) -> tuple[dict[str, Any], Tree]:
        """Call the network, or a copy of it, and return its answers by name and its new state."""
        return self.subject.call(self.net if net is None else net, params, given, state, **options)

    def check_close(self, came: Tree, expected: Tree, what: str, cause: str) -> None:
        """Raise `Breach` unless two trees hold nearly the same numbers.

        Parameters
        ----------
        came, expected : trees
        what : str
            What was expected, for the error.
        cause : str
        """
        if tree.paths(came) != tree.paths(expected):
            raise Breach(what, f"parts {tree.paths(came)} instead of {tree.paths(expected)}", cause)
        for path, left, right in zip(tree.paths(came), tree.leaves(came), tree.leaves(expected), strict=True):
            found = difference(left, right, self._tolerance)
            if found is not None:
                raise Breach(what, f"{path}: {found}", cause)
