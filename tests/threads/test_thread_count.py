"""`npnets.threads`: BLAS takes a given number of threads in the whole process, and its own number again afterwards."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
from platforms import needs_known_blas
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

import npnets
from npnets import thread_count

pytestmark = [pytest.mark.numpy_alone("is about NumPy's library for products"), needs_known_blas]


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """BLAS on two threads on any machine, and as before after each test."""
    with threadpool_limits(2, user_api="blas"):
        yield


def now() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def run(function: Callable[..., Any], *args: Any) -> None:
    """Call a function in a thread of its own, which stays alive until the call is done."""
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join()


def test_a_call_sets_the_number_for_good() -> None:
    npnets.threads(1)
    assert now() == {1}
    npnets.threads(numpy.int64(2))
    assert now() == {2}


def test_a_block_sets_the_number_and_sets_it_back() -> None:
    with npnets.threads(1):
        assert now() == {1}
    assert now() == {2}


def test_an_exception_sets_the_number_back() -> None:
    with pytest.raises(ArithmeticError), npnets.threads(1):
        raise ArithmeticError
    assert now() == {2}


def test_a_setting_prints_as_the_call_that_made_it() -> None:
    assert repr(npnets.threads(1)) == "npnets.threads(1)"


def test_blocks_nest() -> None:
    with npnets.threads(1):
        with npnets.threads(3):
            assert now() == {3}
        assert now() == {1}
    assert now() == {2}


def test_a_call_in_a_thread_holds_for_the_process() -> None:
    run(npnets.threads, 1)
    assert now() == {1}


def test_blocks_of_two_threads_may_overlap_in_any_order() -> None:
    for first_ends_first in (True, False):
        first, second = npnets.threads(1), npnets.threads(3)
        first.__enter__()
        run(second.__enter__)
        assert now() == {3}
        if first_ends_first:
            first.__exit__(None, None, None)
            assert now() == {3}
            run(second.__exit__, None, None, None)
        else:
            run(second.__exit__, None, None, None)
            assert now() == {1}
            first.__exit__(None, None, None)
        assert now() == {2}


def test_a_block_that_is_entered_twice_sets_the_number_twice() -> None:
    block = npnets.threads(1)
    for _ in range(2):
        with block:
            assert now() == {1}
        assert now() == {2}


def test_another_user_of_threadpoolctl_can_set_the_number_afterwards() -> None:
    run(npnets.threads, 1)
    with threadpool_limits(3, user_api="blas"):
        assert now() == {3}
        with npnets.threads(1):
            assert now() == {1}
        assert now() == {3}
    assert now() == {1}


def test_a_thread_sees_the_number_of_the_block_that_it_was_started_in() -> None:
    found: list[set[int]] = []
    with npnets.threads(1):
        run(lambda: found.append(now()))
    assert found == [{1}]


@pytest.mark.parametrize("wrong", [1.5, 1.0, True, "2", None, [1]])
def test_a_number_that_is_no_integer_is_an_error_and_changes_nothing(wrong: Any) -> None:
    with pytest.raises(TypeError) as caught:
        npnets.threads(wrong)
    assert str(caught.value) == f"the number of threads must be an integer of at least 1, but is {wrong!r}"
    assert now() == {2}


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_number_below_one_is_an_error_and_changes_nothing(wrong: int) -> None:
    with pytest.raises(ValueError, match=f"^the number of threads must be at least 1, but is {wrong}$"):
        npnets.threads(wrong)
    assert now() == {2}


def test_where_the_library_is_not_known_the_block_runs_and_the_logger_warns(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(thread_count, "find", lambda: ThreadpoolController().select(user_api="none"))
    with npnets.threads(1):
        assert now() == {2}
    message = "npnets.threads(1) does not reach NumPy's BLAS, which threadpoolctl does not know"
    assert caplog.record_tuples == [("npnets", logging.WARNING, message)]


def test_a_block_runs_on_its_number_even_if_another_was_set_after_it_was_made() -> None:
    made_before = npnets.threads(3)
    npnets.threads(1)
    with made_before:
        assert now() == {3}
    assert now() == {2}


def test_a_block_that_was_not_entered_cannot_be_left() -> None:
    with pytest.raises(RuntimeError, match="was not entered"):
        npnets.threads(1).__exit__(None, None, None)


def test_a_library_that_is_loaded_between_overlapping_blocks_is_set_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        def __init__(self, filepath: str) -> None:
            self.filepath, self.num_threads = filepath, 4

        def set_num_threads(self, number: int) -> None:
            self.num_threads = number

    libraries = [Library("first"), Library("second")]
    loaded = libraries[:1]
    monkeypatch.setattr(npnets.thread_count, "find", lambda: SimpleNamespace(lib_controllers=list(loaded)))
    first = npnets.threads(1)
    first.__enter__()
    loaded.append(libraries[1])
    second = npnets.threads(2)
    second.__enter__()
    first.__exit__(None, None, None)
    assert [library.num_threads for library in libraries] == [2, 2]
    second.__exit__(None, None, None)
    assert [library.num_threads for library in libraries] == [4, 4]
