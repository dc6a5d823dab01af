"""The files of the extension module are compiled in parallel."""

import runpy
import threading
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
in_parallel = runpy.run_path(str(ROOT / "setup.py"))["in_parallel"]

pytestmark = pytest.mark.numpy_alone("builds nothing")


def test_every_file_is_compiled_once_with_the_options_and_its_object_keeps_its_place() -> None:
    seen: list[tuple[str, Any]] = []

    def compile_files(sources: list[str], **options: Any) -> list[str]:
        seen.extend((source, options) for source in sources)
        return [f"{source}.o" for source in sources]

    sources = [f"{number}.c" for number in range(20)]
    assert in_parallel(compile_files)(sources, debug=True) == [f"{source}.o" for source in sources]
    assert sorted(source for source, _ in seen) == sorted(sources)
    assert all(options == {"debug": True} for _, options in seen)


def test_files_are_compiled_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    both = threading.Barrier(2, timeout=20)

    def compile_files(sources: list[str]) -> list[str]:
        both.wait()  # an error after 20 seconds, unless two files are in work at once
        return sources

    assert in_parallel(compile_files)(["a.c", "b.c"]) == ["a.c", "b.c"]


def test_the_error_of_a_file_that_does_not_compile_arrives() -> None:
    def compile_files(sources: list[str]) -> list[str]:
        if sources == ["b.c"]:
            raise ValueError("b.c does not compile")
        return sources

    with pytest.raises(ValueError, match=r"b\.c does not compile"):
        in_parallel(compile_files)(["a.c", "b.c", "c.c"])
