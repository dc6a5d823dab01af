"""A save is whole or has not happened, whenever it is interrupted, killed, or raced by another."""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_files import CONTAINERS, NEW, OLD, each_ending, holds, on_posix, same

import npnets
from npnets import checkpoint, files

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays")

METADATA = {"network": npnets.Linear(3, 2)}
FOLDERS = tuple(str(Path(package.__file__).parent) for package in (checkpoint, files))


# -- interrupted ------------------------------------------------------------------------------------------------------


def _steps(call: Callable[[], None], everywhere: bool, interrupted_at: int = 0) -> int:
    """Return how many lines of Python a call runs, in the two packages or `everywhere`, with a Ctrl-C before one of
    them."""
    steps = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal steps
        if event == "line" and (everywhere or frame.f_code.co_filename.startswith(FOLDERS)):
            steps += 1
            if steps == interrupted_at:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.slow
# A zip file whose making is interrupted warns when it is collected that it has not been closed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@each_ending
@pytest.mark.parametrize("everywhere", [False, True], ids=["in the two packages", "everywhere"])
def test_a_save_that_is_interrupted_anywhere_leaves_the_old_file_or_the_new_one(
    ending: str, everywhere: bool, tmp_path: Path
) -> None:
    path = tmp_path / f"pi{ending}"
    save_new = functools.partial(checkpoint.save, path, NEW, METADATA)
    save_new()
    seen = set()
    for step in range(1, 1 + _steps(save_new, everywhere), 5 if everywhere else 1):
        checkpoint.save(path, OLD, METADATA)
        # A finalizer swallows a Ctrl-C; nowhere else may it become another error.
        with contextlib.suppress(KeyboardInterrupt) if everywhere else pytest.raises(KeyboardInterrupt):
            _steps(save_new, everywhere, step)
        assert holds(path, OLD, NEW), step
        seen.add(holds(path, NEW))
    gc.collect()
    assert seen == {False, True}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@each_ending
def test_a_first_save_that_is_interrupted_anywhere_leaves_nothing_or_the_whole_file(
    ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"pi{ending}"
    save_new = functools.partial(checkpoint.save, path, NEW, METADATA)
    for step in range(1, 1 + _steps(save_new, everywhere=False)):
        path.unlink(missing_ok=True)
        with pytest.raises(KeyboardInterrupt):
            _steps(save_new, everywhere=False, interrupted_at=step)
        assert os.listdir(tmp_path) == [] or holds(path, NEW)
    gc.collect()


@each_ending
@pytest.mark.parametrize("fails", ["fsync", "replace", "write"])
def test_a_disk_that_fails_raises_and_leaves_the_old_file(
    fails: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"pi{ending}"
    checkpoint.save(path, OLD)

    def fail(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CONTAINERS[ending] if fails == "write" else os, fails, fail)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(path, NEW)
    monkeypatch.undo()
    assert holds(path, OLD)


@each_ending
def test_a_full_disk_raises_its_own_error_alone(ending: str) -> None:
    class Full(io.BytesIO):
        def write(self, content: Any) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        CONTAINERS[ending].write(Full(), "{}", {"w": np.zeros(3)})
    gc.collect()  # an archive that complains as it goes away fails the test


@on_posix
def test_a_file_is_flushed_before_it_is_renamed_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(file: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(file).st_mode) else f"file of {os.fstat(file).st_size}")
        fsync(file)

    def replaced(one: str, two: str) -> None:
        calls.append("name")
        replace(one, two)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    checkpoint.save(tmp_path / "pi.npz", NEW)
    assert calls == [f"file of {(tmp_path / 'pi.npz').stat().st_size}", "name", "folder"]


# -- killed and raced -------------------------------------------------------------------------------------------------

SAVER = """
import sys, numpy as np
from npnets import checkpoint, files
path, values = sys.argv[1], [float(value) for value in sys.argv[2:]]
while True:
    for value in values:
        checkpoint.save(path, {"w": np.full(5000, value), "value": value}, {"value": value})
        print(value, flush=True)
"""


def _one_of(path: Path, values: tuple[float, ...]) -> bool:
    """Whether a file holds what one of the savers saves, all of it from the same call."""
    (params, metadata), found = checkpoint.load(path), os.listdir(path.parent)
    value = metadata["value"]
    whole = value in values and params["value"] == value and bool(np.all(params["w"] == value))
    return whole and all(name == path.name or name.startswith(f".{path.name}.") for name in found)


@contextlib.contextmanager
def _savers(path: Path, *values: tuple[float, float]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that save to one path again and again, once all of them have begun; killed at the end."""
    commands = [[sys.executable, "-c", SAVER, str(path), *map(str, pair)] for pair in values]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
    try:
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


@pytest.mark.slow
@on_posix
@each_ending
def test_savers_that_are_killed_at_any_moment_leave_a_whole_file(ending: str, tmp_path: Path) -> None:
    path, moments = tmp_path / f"pi{ending}", random.Random(4)
    for _ in range(3):
        with _savers(path, (1.0, 2.0), (3.0, 4.0)) as running:
            time.sleep(moments.uniform(0, 0.02))
            for process in running:
                process.send_signal(signal.SIGKILL)
        assert _one_of(path, (1.0, 2.0, 3.0, 4.0))


@on_posix  # Windows replaces no file that somebody reads
@each_ending
def test_of_concurrent_saves_one_wins_and_readers_see_whole_files_alone(ending: str, tmp_path: Path) -> None:
    path, values = tmp_path / f"pi{ending}", (1.0, 2.0, 3.0)
    failures: list[BaseException] = []

    def save(value: float) -> None:
        for _ in range(20):
            checkpoint.save(path, {"w": np.full(5000, value), "value": value}, {"value": value})

    def caught(work: Callable[[float], None], value: float) -> None:
        try:
            work(value)
        except BaseException as error:  # a thread's error would be lost
            failures.append(error)

    save(values[0])
    threads = [threading.Thread(target=caught, args=(save, value)) for value in values]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert _one_of(path, values)
    assert failures == [] and _one_of(path, values) and os.listdir(tmp_path) == [path.name]


@each_ending
def test_an_array_that_changes_while_it_is_saved_gives_a_file_that_can_be_read(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = np.zeros(3)
    write = CONTAINERS[ending].write

    def late(*args: Any) -> None:
        array[:] = 7
        write(*args)

    monkeypatch.setattr(CONTAINERS[ending], "write", late)
    checkpoint.save(tmp_path / f"pi{ending}", {"w": array})
    assert same(checkpoint.load(tmp_path / f"pi{ending}").params, {"w": np.zeros(3)})


# -- the file itself --------------------------------------------------------------------------------------------------


@each_ending
def test_the_same_content_gives_the_same_bytes_at_another_time_in_another_process(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / f"one{ending}", tmp_path / f"two{ending}"
    params = npnets.Net(3, 2, (4,)).init(np.random.default_rng(0))
    then = time.gmtime(1e9)
    monkeypatch.setattr(time, "localtime", lambda *seconds: then)
    checkpoint.save(one, params, METADATA)
    monkeypatch.undo()
    code = (
        "import sys, npnets, numpy as np; params = npnets.Net(3, 2, (4,)).init(np.random.default_rng(0));"
        "from npnets import checkpoint; checkpoint.save(sys.argv[1], params, {'network': npnets.Linear(3, 2)})"
    )
    subprocess.run([sys.executable, "-c", code, str(two)], check=True, timeout=60)
    assert one.read_bytes() == two.read_bytes()
