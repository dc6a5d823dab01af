"""A replay buffer holds the last transitions bit for bit, draws them uniformly, and copies what it takes and gives."""

from __future__ import annotations

import pickle
from collections import deque
from typing import Any

import numpy as np
import pytest
from backends import device, on_backend
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import npnets
from npnets import data
from npnets.data import Transitions

FLOATS = ("obs", "action", "reward", "next_obs")
numpy_alone = pytest.mark.numpy_alone("a replay buffer is in NumPy's arrays")


def batch(rng: np.random.Generator, n: int, obs: tuple[int, ...] = (3,), action: tuple[int, ...] = (2,)) -> Transitions:
    """Return `n` random transitions in float32."""
    shapes = ((n, *obs), (n, *action), (n,), (n, *obs))
    floats = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    return Transitions(*floats, terminated=rng.random(n) < 0.5)


def filled(capacity: int, added: int, seed: int = 0, **settings: Any) -> data.ReplayBuffer:
    buffer = data.ReplayBuffer(capacity, **settings)
    rng = np.random.default_rng(seed)
    for _ in range(added):
        buffer.add(*batch(rng, 1))
    return buffer


def contents(buffer: data.ReplayBuffer) -> list[bytes]:
    return [array.tobytes() for array in buffer.take(np.arange(len(buffer)))]


# -- the ring ---------------------------------------------------------------------------------------------------------


@numpy_alone
@given(
    capacity=st.integers(1, 7),
    sizes=st.lists(st.integers(0, 7), max_size=8),
    obs=st.sampled_from([(), (1,), (2, 3)]),
    action=st.sampled_from([(), (2,)]),
    seed=st.integers(0, 99),
)
def test_it_holds_the_last_transitions_and_returns_the_rows_of_those_that_are_added(
    capacity: int, sizes: list[int], obs: tuple[int, ...], action: tuple[int, ...], seed: int
) -> None:
    rng, buffer = np.random.default_rng(seed), data.ReplayBuffer(capacity)
    last: deque[tuple[bytes, ...]] = deque(maxlen=capacity)
    at: dict[int, tuple[bytes, ...]] = {}
    for number in (min(size, capacity) for size in sizes):
        given = batch(rng, number, obs, action)
        rows = buffer.add(*given)
        each = [tuple(column[i].tobytes() for column in given) for i in range(number)]
        last.extend(each)
        at |= dict(zip(rows.tolist(), each, strict=True))
    assert len(buffer) == len(last) == len(at)
    assert buffer.added == sum(min(size, capacity) for size in sizes)
    assert sorted(at) == list(range(len(buffer)))
    if len(buffer):
        found = buffer.take(np.arange(len(buffer)))
        stored = [tuple(column[i].tobytes() for column in found) for i in range(len(buffer))]
        assert stored == [at[row] for row in range(len(buffer))]
        assert sorted(stored) == sorted(last)
        assert found.obs.shape == (len(buffer), *obs) and found.action.shape == (len(buffer), *action)


@numpy_alone
def test_one_transition_with_a_number_for_its_reward_is_a_batch_of_one() -> None:
    one, many = data.ReplayBuffer(4), data.ReplayBuffer(4)
    given = batch(np.random.default_rng(0), 3)
    for i in range(3):
        rows = one.add(given.obs[i], given.action[i], float(given.reward[i]), given.next_obs[i], given.terminated[i])
        assert rows.tolist() == [i]
    many.add(*given._replace(reward=given.reward.astype(np.float64)))
    assert contents(one) == contents(many)


@numpy_alone
def test_what_is_added_and_what_is_drawn_are_copies() -> None:
    given, buffer = batch(np.random.default_rng(0), 3), data.ReplayBuffer(3)
    buffer.add(*given)
    before = contents(buffer)
    drawn, state = buffer.sample(np.random.default_rng(1), 5), buffer.state()
    kept = [array.tobytes() for array in drawn]
    for array in (*given, *drawn, *state["arrays"].values()):
        array[:] = 0
    assert contents(buffer) == before
    drawn, state = buffer.sample(np.random.default_rng(1), 5), buffer.state()
    buffer.add(*batch(np.random.default_rng(2), 3))
    assert [array.tobytes() for array in drawn] == kept
    assert [array.tobytes() for array in state["arrays"].values()] == before


@numpy_alone
def test_transitions_are_drawn_uniformly_with_replacement_by_the_generator_alone() -> None:
    buffer = data.ReplayBuffer(10)
    for reward in range(13):
        buffer.add([0.0], [0.0], float(reward), [0.0], False)
    drawn = buffer.sample(np.random.default_rng(0), 20_000).reward
    numbers, counts = np.unique(drawn, return_counts=True)
    assert numbers.tolist() == list(range(3, 13))
    assert abs(counts - 2000).max() < 5 * np.sqrt(2000)
    rows = np.random.default_rng(3).integers(10, size=7)
    assert_array_equal(buffer.sample(np.random.default_rng(3), 7).reward, buffer.take(rows).reward)


@numpy_alone
def test_before_it_is_full_only_rows_that_were_filled_are_drawn() -> None:
    buffer = data.ReplayBuffer(1000)
    buffer.add(*[np.full(shape, 7.0) for shape in ((3, 2), (3, 1), (3,), (3, 2))], np.ones(3, bool))
    drawn = buffer.sample(np.random.default_rng(0), 500)
    assert all((column == (1 if column.dtype == bool else 7)).all() for column in drawn)


def test_arrays_of_a_gpu_are_copied_to_the_host_and_a_batch_moves_back_as_a_tree() -> None:
    given, buffer = batch(np.random.default_rng(0), 4), data.ReplayBuffer(4)
    buffer.add(*on_backend(given))
    drawn = buffer.take([2, 0])
    assert all(type(column) is np.ndarray for column in drawn)
    assert_array_equal(drawn.obs, given.obs[[2, 0]])
    moved = npnets.tree.to_device(drawn, device())
    assert isinstance(moved, Transitions) and npnets.backend.device_of(moved.obs) == device()


# -- shapes and dtypes ------------------------------------------------------------------------------------------------


@numpy_alone
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int64])
def test_dtypes_are_those_of_the_first_batch(dtype: Any) -> None:
    buffer = data.ReplayBuffer(4)
    obs = np.arange(6, dtype=dtype).reshape(2, 3)
    buffer.add(obs, np.array([1, 2], np.int32), np.ones(2, np.float32), obs, [True, False])
    found = buffer.take([0, 1])
    assert [x.dtype.name for x in found] == [np.dtype(dtype).name, "int32", "float32", np.dtype(dtype).name, "bool"]
    assert_array_equal(found.obs, obs)


@numpy_alone
def test_rewards_are_floats_also_where_the_first_ones_are_integers() -> None:
    buffer = data.ReplayBuffer(4)
    buffer.add([0.0], [0.0], 1, [0.0], False)
    buffer.add([0.0], [0.0], 0.5, [0.0], False)
    assert buffer.take([0, 1]).reward.tolist() == [1.0, 0.5]


@numpy_alone
def test_a_dtype_of_the_first_batch_takes_what_fits_exactly_and_nothing_else() -> None:
    buffer, given = filled(9, 1), batch(np.random.default_rng(1), 2)
    buffer.add(*given._replace(obs=np.ones((2, 3), np.int16), next_obs=np.ones((2, 3), np.uint8)))
    before = contents(buffer)
    for name in FLOATS:
        wide = getattr(given, name).astype(np.float64)
        with pytest.raises(TypeError, match=f"{name} has dtype float64, and its column float32, .* numpy.float32"):
            buffer.add(*given._replace(**{name: wide}))
    assert contents(buffer) == before and buffer.added == 3


@numpy_alone
def test_an_error_about_a_dtype_advises_what_works() -> None:
    row = np.zeros((1, 2), np.float32)
    buffer = data.ReplayBuffer(4)
    buffer.add(row, row, np.float32([0.5]), row, [False])
    with pytest.raises(TypeError, match=r"convert it with numpy.asarray\(reward, numpy.float32\)$"):
        buffer.add(row, row, [2**24 + 1], row, [False])
    with pytest.raises(
        TypeError, match=r"numpy.asarray\(obs, numpy.float32\), or make the buffer with obs_dtype=numpy.float64"
    ):
        buffer.add(row.astype(np.float64), row, [0.5], row, [False])
    whole = data.ReplayBuffer(4)
    whole.add([[0, 0]], row, [0.5], [[0, 0]], [False])
    with pytest.raises(
        TypeError, match="cannot hold all numbers of that dtype; make the buffer with obs_dtype=numpy.float64"
    ):
        whole.add([[0.5, 0.5]], row, [0.5], [[0, 0]], [False])


@numpy_alone
def test_a_dtype_that_is_given_rounds_floats_but_changes_no_integers() -> None:
    buffer = data.ReplayBuffer(5, obs_dtype=np.float32, action_dtype=np.int8, reward_dtype="float32")
    obs = np.array([[0.1, 0.2]])
    buffer.add(obs, [[3]], [0.1], obs, [False])
    found = buffer.take([0])
    assert_array_equal(found.obs, obs.astype(np.float32))
    assert [x.dtype.name for x in found] == ["float32", "int8", "float32", "float32", "bool"]
    remedy = "dtype; make the buffer with action_dtype=numpy.int64, or another dtype for it"  # a cast would wrap
    with pytest.raises(
        TypeError, match=f"action has dtype int64, and its column int8, which cannot hold all numbers of that {remedy}"
    ):
        buffer.add(obs, [[300]], [0.1], obs, [False])
    with pytest.raises(TypeError, match="action has dtype float64, and its column int8"):
        buffer.add(obs, [[3.0]], [0.1], obs, [False])
    too_large = (
        "obs has numbers that are too large for float32, the first in row 0 of 1; .* with obs_dtype=numpy.float64"
    )
    with pytest.raises(ValueError, match=too_large):
        buffer.add(obs * 1e300, [[3]], [0.1], obs, [False])


@numpy_alone
def test_an_integer_that_a_float_cannot_hold_is_rounded_to_a_dtype_that_is_given_and_refused_by_another() -> None:
    given, first = data.ReplayBuffer(4, obs_dtype=np.float32), data.ReplayBuffer(4)
    for buffer, largest in ((given, 2**24), (first, 2**53)):
        buffer.add(np.ones((1, 1)), [[0]], [0.0], np.ones((1, 1)), [False])
        buffer.add([[largest]], [[0]], [0.0], [[-largest]], [False])
        assert (buffer.take([1]).obs.item(), buffer.take([1]).next_obs.item()) == (largest, -largest)
    given.add([[2**24 + 1]], [[0]], [0.0], [[0]], [False])
    assert given.take([2]).obs.item() == 2**24
    for number in (2**53 + 1, 2**63 - 1, np.uint64(2**64 - 1)):
        with pytest.raises(
            TypeError, match="obs has dtype u?int64, and its column float64, which cannot hold all numbers"
        ):
            first.add([[number]], [[0]], [0.0], [[0]], [False])


@numpy_alone
def test_an_unsigned_dtype_that_is_given_takes_integers_that_fit() -> None:
    buffer = data.ReplayBuffer(4, action_dtype=np.uint64)
    buffer.add([0.0], np.int64(3), 0.0, [0.0], False)
    assert buffer.take([0]).action.dtype == np.uint64
    with pytest.raises(TypeError, match="action has dtype int64, and its column uint64"):
        buffer.add([0.0], np.int64(-1), 0.0, [0.0], False)


@numpy_alone
def test_an_empty_first_batch_decides_nothing() -> None:
    buffer = data.ReplayBuffer(9)
    assert buffer.add([], [], [], [], []).tolist() == []
    buffer.add(*batch(np.random.default_rng(1), 4))
    assert len(buffer) == 4


@numpy_alone
def test_columns_of_a_table_are_rows_in_their_order_whatever_their_labels_are() -> None:
    class Labelled:
        """What a column of pandas is: it has a dtype, and numbers by labels, not by places."""

        dtype = np.dtype(np.float64)

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([1.0, 2.0], dtype)

    buffer, zeros = data.ReplayBuffer(4), np.zeros((2, 1))
    buffer.add(zeros, zeros, Labelled(), zeros, [False, False])  # type: ignore[arg-type]
    assert buffer.take([0, 1]).reward.tolist() == [1.0, 2.0]


@numpy_alone
def test_shapes_can_be_spaces_of_gymnasium() -> None:
    spaces = pytest.importorskip("gymnasium").spaces
    box = spaces.Box(-1, 1, (2, 3))
    buffer = data.ReplayBuffer(4, box, spaces.Discrete(5))
    buffer.add(np.zeros((2, 3)), np.int64(4), 0.0, np.zeros((2, 3)), False)
    assert buffer.take([0]).action.tolist() == [4]
    with pytest.raises(ValueError, match=r"obs must have shape \(1, 2, 3\) beside 1 rewards, but has \(1, 3, 2\)"):
        buffer.add(np.zeros((3, 2)), np.int64(4), 0.0, np.zeros((3, 2)), False)
    with pytest.raises(TypeError, match="obs_shape must be a shape or a space of arrays.*FlattenObservation"):
        data.ReplayBuffer(4, spaces.Dict({"a": box}))


@numpy_alone
@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("obs", (1, 3), r"obs must have shape \(4, 3\) beside 4 rewards, but has \(1, 3\)"),
        ("obs", (4, 1), r"obs must have shape \(4, 3\)"),
        ("obs", (3,), r"obs must have shape \(4, 3\)"),
        ("next_obs", (4, 4), r"next_obs must have shape \(4, 3\)"),
        ("action", (4,), r"action must have shape \(4, 2\)"),
        ("action", (), r"action must have shape \(4, 2\)"),
        ("reward", (4, 1), r"reward must be a number, or \(n,\) .* has shape \(4, 1\); pass reward\[:, 0\]"),
        ("reward", (5,), r"obs must have shape \(5, 3\) beside 5 rewards, but has \(4, 3\)"),
        ("reward", (), "obs must have shape"),
        ("terminated", (1,), r"terminated must have shape \(4,\)"),
        ("terminated", (), r"terminated must have shape \(4,\)"),
    ],
)
@pytest.mark.parametrize("full", [False, True])
def test_nothing_is_broadcast_and_an_error_leaves_the_buffer_as_it_was(
    name: str, shape: tuple[int, ...], words: str, full: bool
) -> None:
    buffer = filled(5, 8 if full else 1)
    before, added = contents(buffer), buffer.added
    given = batch(np.random.default_rng(1), 4)
    with pytest.raises(ValueError, match=words):
        buffer.add(*given._replace(**{name: np.zeros(shape, getattr(given, name).dtype)}))
    assert (contents(buffer), buffer.added) == (before, added)


@numpy_alone
def test_the_first_batch_is_checked_in_itself() -> None:
    given = batch(np.random.default_rng(1), 4)
    buffer = data.ReplayBuffer(9)
    with pytest.raises(ValueError, match=r"next_obs must have shape \(4, 3\)"):
        buffer.add(*given._replace(next_obs=given.next_obs[:, :2]))
    with pytest.raises(TypeError, match="next_obs has dtype float64, and its column float32"):
        buffer.add(*given._replace(next_obs=given.next_obs.astype(np.float64)))
    assert len(buffer) == 0
    buffer.add(*batch(np.random.default_rng(1), 4, obs=(7,)))  # nothing of the refused batches was kept
    assert buffer.take([0]).obs.shape == (1, 7)


# -- numbers that are not finite --------------------------------------------------------------------------------------


@numpy_alone
@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_an_error_by_default_and_kept_by_choice(name: str, number: float) -> None:
    given = batch(np.random.default_rng(1), 4)
    getattr(given, name)[2:].flat[0] = number
    buffer = filled(9, 1)
    with pytest.raises(ValueError, match=f"{name} must have finite numbers, but 1 of 4 .* the first in row 2;"):
        buffer.add(*given)
    assert len(buffer) == 1
    buffer = filled(9, 1, check_finite=False)
    buffer.add(*given)
    assert_array_equal(getattr(buffer.take([3]), name), getattr(given, name)[2:3])


# -- refusals ---------------------------------------------------------------------------------------------------------


@numpy_alone
def test_an_empty_buffer_has_nothing_to_draw() -> None:
    for buffer in (data.ReplayBuffer(3), data.ReplayBuffer(3, 2, 1)):
        with pytest.raises(ValueError, match="the buffer is empty"):
            buffer.sample(np.random.default_rng(0), 1)
        with pytest.raises(ValueError, match="the buffer is empty"):
            buffer.take([0])


@numpy_alone
def test_arguments_of_other_kinds_are_refused_in_the_users_words() -> None:
    buffer = filled(9, 4)
    with pytest.raises(TypeError, match=r"rng must be a numpy.random.Generator, .* the order is sample\(rng, size\)"):
        buffer.sample(64, np.random.default_rng(0))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="size must be at least 1"):
        buffer.sample(np.random.default_rng(0), 0)
    for rows in ([4], [-1], [0, 9]):
        with pytest.raises(IndexError, match="rows must be from 0 to 3, but are from"):
            buffer.take(rows)
    with pytest.raises(TypeError, match="rows must be an array"):
        buffer.take([0.0])
    with pytest.raises(ValueError, match="capacity must be at least 1"):
        data.ReplayBuffer(0)
    with pytest.raises(TypeError, match="check_finite must be True or False"):
        data.ReplayBuffer(3, check_finite="no")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="reward_dtype must be a native dtype of numbers"):
        data.ReplayBuffer(3, reward_dtype=np.int64)
    with pytest.raises(TypeError, match="obs_dtype must be a native dtype of numbers"):
        data.ReplayBuffer(3, obs_dtype=object)
    with pytest.raises(ValueError, match="expected at most 9 transitions, the capacity, but got 10"):
        buffer.add(*batch(np.random.default_rng(0), 10))
    given = batch(np.random.default_rng(0), 4)
    with pytest.raises(ValueError, match="terminated must have True and False"):
        buffer.add(*given._replace(terminated=given.reward))
    with pytest.raises(TypeError, match="obs must be an array of real numbers"):
        buffer.add(*given._replace(obs=["a"] * 4))


@numpy_alone
def test_it_prints_its_size_and_pickles() -> None:
    buffer = filled(9, 4)
    assert (repr(buffer), buffer.capacity) == ("<ReplayBuffer with 4 of at most 9 transitions>", 9)
    assert contents(pickle.loads(pickle.dumps(buffer))) == contents(buffer)
