"""What a table of settings cannot say: the description that PyPI shows, and the extension module of compiled kernels.

PyPI knows nothing of the files beside the README, so that the README's relative links and pictures become absolute.

The extension is optional: without a C compiler the installation succeeds, and the kernels in NumPy run. With
`NPNETS_REQUIRE_COMPILED=1` in the environment a failed build is an error. All other metadata is in setup.cfg.
"""

import os
import re
import sysconfig
from configparser import ConfigParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
COMPILER_OPTIONS = ["-std=gnu11", "-O3", "-fno-math-errno", "-ffp-contract=fast", "-fvisibility=hidden", "-pthread"]
SOURCES = Path("npnets/kernels/compiled/source")  # relative, as setuptools wants it


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


def extension() -> Any:
    """Return the extension module, one for every Python from 3.10 on that has the global lock."""
    import numpy
    from setuptools import Extension

    has_stable_abi = not sysconfig.get_config_var("Py_GIL_DISABLED")
    return Extension(
        "npnets.kernels.compiled._native",
        sources=sorted(map(str, SOURCES.glob("*.c"))),
        depends=sorted(map(str, SOURCES.glob("*.h"))),
        include_dirs=[numpy.get_include()],
        define_macros=[("Py_LIMITED_API", "0x030A0000")] if has_stable_abi else [],
        extra_compile_args=COMPILER_OPTIONS,
        extra_link_args=["-pthread"],
        py_limited_api=has_stable_abi,
        optional=not os.environ.get("NPNETS_REQUIRE_COMPILED"),
    )


if __name__ == "__main__":
    from setuptools import setup  # here, since the tests read this file where there may be no setuptools

    setup(
        ext_modules=[extension()],
        long_description=description((ROOT / "README.md").read_text(encoding="utf-8"), repository()),
        long_description_content_type="text/markdown",
    )
