"""One trial of a law: draws values under readable names, and calls the network with them."""

import copy
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from npnets import tree
from npnets.backend import to_device
from npnets.testing.arrays import difference, is_array, is_floating, normal_like, parameters_from, rows
from npnets.testing.forward_signature import Network
from npnets.testing.input_strategies import seeded_arrays
from npnets.testing.law import Violation
from npnets.testing.network_under_test import Inputs, NetworkUnderTest, Result, as_choices
from npnets.tree import Tree

LARGE = 1e6
LARGEST_BATCH = 5
MANY_ROWS = 64
LARGEST_SEED = 2**16
DTYPES: st.SearchStrategy[np.dtype[np.floating]] = st.sampled_from([np.dtype(np.float32), np.dtype(np.float64)])

_T = TypeVar("_T")


class Trial:
    """One trial of a law, with data from `hypothesis.strategies.data()` and a tolerance as in `arrays.difference`."""

    def __init__(self, under_test: NetworkUnderTest, data: st.DataObject, tolerance: float | None = None) -> None:
        self.under_test, self._data, self._tolerance = under_test, data, tolerance
        self.drawn: dict[str, Tree] = {}
        self.net = self.new_copy()

    def new_copy(self) -> Network:
        """Return a copy of the network, without memory of earlier calls; the network itself if it cannot be copied."""
        try:
            return copy.deepcopy(self.under_test.net)
        except Exception:  # any error of a class of the user's own, which the law of pickling reports
            return self.under_test.net

    def draw(self, name: str, strategy: st.SearchStrategy[_T]) -> _T:
        """Draw a value, which the error shows under a name."""
        value = self._data.draw(strategy)
        self.drawn[name] = value
        return value

    def seed(self, name: str) -> int:
        """Draw a seed."""
        return self.draw(name, st.integers(0, LARGEST_SEED))

    def params(self, dtype: DTypeLike = np.float64, spreads: tuple[float, ...] = (0.0, 0.1, 1.0)) -> Tree:
        """Draw parameters: initial values with noise."""
        seed, spread = self._data.draw(st.integers(0, LARGEST_SEED)), self._data.draw(st.sampled_from(spreads))
        self.drawn["params"] = f"parameters_from(net, {seed}, {spread}, {np.dtype(dtype).name!r})"
        return parameters_from(self.net, seed, spread, dtype)

    def batch(self, least: int = 1) -> int:
        """Draw a number of rows."""
        return self.draw("batch", st.integers(least, LARGEST_BATCH))

    def inputs(
        self, batch: int, dtype: DTypeLike = np.float64, limit: float = 10.0, steps: int | None = None, suffix: str = ""
    ) -> Inputs:
        """Draw the arguments of `forward` other than parameters and state, on the network's device.

        With `steps`, observations and actions have an axis of steps after that of rows.
        """
        leading = (batch,) if steps is None else (batch, steps)
        inputs: Inputs = {}
        for name, row in self.under_test.rows.items():
            if name == "obs" and self.under_test.obs is not None and steps is None:
                drawn = self._data.draw(self.under_test.obs(batch))
                inputs[name] = tree.map(lambda x: np.array(x, dtype) if is_floating(x) else np.array(x), drawn)
            else:
                inputs[name] = self._data.draw(seeded_arrays((*leading, *row), limit)).astype(dtype)
        if self.under_test.choices is not None:
            inputs["act"] = as_choices(inputs["act"], self.under_test.choices)
        on_device = self.to_device(self._recorded(inputs, suffix))
        return {**on_device, "rng": self.seed(f"rng{suffix}")} if self.under_test.needs_rng else on_device

    def state(self, batch: int, dtype: DTypeLike = np.float64) -> Tree:
        """Draw a state for a batch, with the structure and shapes of the states that the network returns."""
        rng = np.random.default_rng(self._data.draw(st.integers(0, LARGEST_SEED)))

        def drawn(leaf: Tree) -> Tree:
            return np.round(rng.uniform(-1, 1, np.shape(leaf)), 3).astype(dtype) if is_floating(leaf) else leaf

        state = tree.map(drawn, self.under_test.state_like(batch))
        return self.to_device(self._recorded({"state": state})["state"])

    def _recorded(self, arrays: Inputs, suffix: str = "") -> Inputs:
        """Record copies of arrays for the error, because a network may change them, and return the arrays."""
        host = tree.to_numpy(arrays)
        self.drawn.update({f"{name}{suffix}": copy.deepcopy(value) for name, value in host.items()})
        return arrays

    def first_rows(self, inputs: Inputs, state: Tree, batch: int) -> tuple[Inputs, Tree]:
        """Return copies of the first rows of inputs and state, and let the error show only these rows."""
        chosen = tree.map(lambda leaf: leaf[:batch].copy() if np.ndim(leaf) else leaf, inputs)
        if state is not None:
            state = self.rows_of_state(state, list(range(batch)))
            self._recorded({"state": state})
        self._recorded({"batch": batch, **chosen})
        return chosen, state

    def rows_of_state(self, state: Tree, rows: int | list[int]) -> Tree:
        """Return rows of a state, each leaf of which has its own axis for rows, or none."""
        axes = self.under_test.state_axes
        return self.to_device(
            tree.map(lambda x, axis: np.take(x, rows, axis) if axis >= 0 else x, tree.to_numpy(state), axes)
        )

    def row_of(self, result: Result, row: int | list[int]) -> Tree:
        """Return the outputs and the state for one row of the inputs, or for several, as one tree."""
        axis = 0 if self.under_test.members is None else 1
        outputs = {name: np.take(part, row, axis) for name, part in tree.to_numpy(result.outputs).items()}
        if not self.under_test.is_recurrent:
            return outputs
        return {**outputs, "state": self.rows_of_state(result.state, row)}

    def repeated(self, inputs: Inputs, batch: int) -> Inputs:
        """Return inputs of `MANY_ROWS` rows, those of a batch in turn; the error shows the batch."""
        self.drawn["rows in all"] = f"{MANY_ROWS}, those above repeated"
        return rows(inputs, [row % batch for row in range(MANY_ROWS)])

    def random_points(self, attempts: int, batch: int) -> Iterator[tuple[int, Tree, Inputs]]:
        """Return seeds, and parameters and inputs of normal numbers in float64, for laws that try many points.

        Observations from the user's strategy are the smallest ones that it gives.
        """
        first, zeros = self.seed("first seed"), self.under_test.zeros(batch)
        for seed in range(first, first + attempts):
            inputs: Inputs = self.random_like(zeros, np.random.default_rng(seed))
            obs = inputs["obs"] if self.under_test.obs is None else zeros["obs"]
            yield seed, parameters_from(self.net, seed, 1.0, np.float64), {**inputs, "obs": obs}

    @staticmethod
    def random_like(arrays: Tree, rng: np.random.Generator) -> Tree:
        """Return a tree with normal numbers in float64 in place of floating-point arrays."""
        return tree.map(lambda x: normal_like(x.astype(float), rng) if is_floating(x) else x, arrays)

    def to_device(self, arrays: Tree) -> Tree:
        """Return a tree with its arrays on the network's device."""
        return tree.map(lambda leaf: to_device(leaf, self.under_test.device) if is_array(leaf) else leaf, arrays)

    def run(
        self, params: Tree, inputs: Inputs, state: Tree = None, net: Network | None = None, **options: Tree
    ) -> Result:
        """Call the network, or a copy of it."""
        return self.under_test.call(self.net if net is None else net, params, inputs, state, **options)

    def check_close(self, came: Tree, expected: Tree, what: str, cause: str) -> None:
        """Raise `Violation` unless two trees have equal values up to the tolerance; `what` expects it in words."""
        if tree.paths(came) != tree.paths(expected):
            raise Violation(what, f"parts {tree.paths(came)} instead of {tree.paths(expected)}", cause)
        for path, left, right in zip(tree.paths(came), tree.leaves(came), tree.leaves(expected), strict=True):
            found = difference(left, right, self._tolerance)
            if found is not None:
                raise Violation(what, f"{path}: {found}", cause)
