"""What a table of settings cannot say: the description that PyPI shows, and the extension module of compiled kernels.

PyPI knows nothing of the files beside the README, so that the README's relative links and pictures become absolute.

The extension is optional: without a C compiler the installation succeeds, and the NumPy kernels run. Three variables of
the environment change this. With `NPNETS_COMPILED=off` it is not built, and the wheel is one for every platform. With
`NPNETS_REQUIRE_COMPILED=1` a failed build is an error. `NPNETS_COMPILER_OPTIONS` come after all other options of the
compiler. All other metadata is in setup.cfg.
"""

import os
import re
import sysconfig
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
COMPILER_OPTIONS = ["-std=gnu11", "-O3", "-fno-math-errno", "-ffp-contract=fast", "-fvisibility=hidden", "-pthread"]
COMPILER_OPTIONS += ["-g0"]  # Python's own options have -g, which makes the file four times as large
SOURCES = Path("npnets/kernels/compiled/source")  # relative, as setuptools needs it

CODE = r"^ {0,3}(?P<fence>```+|~~~+).*?^ {0,3}(?P=fence)|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=ticks)(?!`)"
LINK = r"(?P<link>!?\[[^\[\]]*\]\(|\]\(|^ {0,3}\[(?!\^)[^\]]+\]:[ \t]*)[^\s)]*"
ATTRIBUTE = r"(?P<attribute>\b(?:srcset|src|href)=[\"'])[^\"']*"
PLACES = re.compile(f"{CODE}|{LINK}|{ATTRIBUTE}", re.M | re.S)
RELATIVE = re.compile(r"(^|,\s+)(?![a-z][\w+.-]*:|//|#|<|$)", re.I)
"""What no scheme, host or fragment begins, at the start of a place or behind a comma of `srcset`."""


def description(readme: str, repository: str) -> str:
    """Return a Markdown page whose relative links and pictures lead to a repository, and whose code is as it was."""

    def absolute(found: re.Match[str]) -> str:
        before = found["link"] or found["attribute"]
        if not before:
            return found[0]
        folder = "raw" if before.startswith(("!", "src")) else "blob"
        return before + RELATIVE.sub(rf"\g<1>{repository}/{folder}/main/", found[0][len(before) :])

    return PLACES.sub(absolute, readme)


def repository() -> str:
    """Return the address that setup.cfg gives."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    urls = dict(line.split(" = ") for line in settings["metadata"]["project_urls"].strip().splitlines())
    return urls["Repository"]


def why_not_compiled() -> str:
    """Return why this installation has no extension module, or an empty string if it has one."""
    if os.environ.get("NPNETS_COMPILED") == "off":
        return "NPNETS_COMPILED=off"
    if os.name != "posix":
        return "the compiled kernels need POSIX threads and a compiler with GNU's vectors, which Windows does not have"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "the compiled kernels need Python's global lock, which this Python does not have"
    return ""


def extension(required: bool) -> Any:
    """Return the extension module: one file for every Python from 3.10 on."""
    import numpy
    from setuptools import Extension

    own = os.environ.get("NPNETS_COMPILER_OPTIONS", "").split()
    return Extension(
        "npnets.kernels.compiled._native",
        sources=sorted(map(str, SOURCES.glob("*.c"))),
        depends=sorted(map(str, SOURCES.glob("*.h"))),
        include_dirs=[numpy.get_include()],
        define_macros=[("Py_LIMITED_API", "0x030A0000")],
        extra_compile_args=[*COMPILER_OPTIONS, *own],
        extra_link_args=["-pthread", *own],
        py_limited_api=True,
        optional=not required,
    )


def in_parallel(compile_files: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """Return a compiler's `compile` that compiles as many files at a time as the machine has processors."""

    def compile_all(sources: list[str], **options: Any) -> list[str]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            compiled = pool.map(lambda source: compile_files([source], **options), sources)
            return [name for names in compiled for name in names]

    return compile_all


def build_command() -> type:
    """Return the command that builds the extension module, its files in parallel: each takes seconds."""
    from setuptools.command.build_ext import build_ext

    class BuildInParallel(build_ext):
        command_name = "build_ext"  # in messages

        def build_extensions(self) -> None:
            self.compiler.compile = in_parallel(self.compiler.compile)
            super().build_extensions()

    return BuildInParallel


def binary() -> dict[str, Any]:
    """Return the part of the settings that is about the extension module; empty without it."""
    required = bool(os.environ.get("NPNETS_REQUIRE_COMPILED"))
    reason = why_not_compiled()
    if not reason:
        return {
            "ext_modules": [extension(required)],
            "cmdclass": {"build_ext": build_command()},
            "options": {"bdist_wheel": {"py_limited_api": "cp310"}},
        }
    if required and reason != "NPNETS_COMPILED=off":
        raise SystemExit(f"NPNETS_REQUIRE_COMPILED is set, but {reason}; unset it to install the NumPy kernels alone")
    return {}


if __name__ == "__main__":
    from setuptools import setup  # here, since the tests read this file where there may be no setuptools

    setup(
        **binary(),
        long_description=description((ROOT / "README.md").read_text(encoding="utf-8"), repository()),
        long_description_content_type="text/markdown",
    )
