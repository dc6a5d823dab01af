"""Build the source distribution, and from it the wheel of this platform and the one for all others; check the files.

    python tests/package/build_all.py FOLDER

FOLDER is emptied first. `tox run -e package` calls this. Without a C compiler it makes no wheel of this platform,
unless NPNETS_REQUIRE_COMPILED=1 makes that an error.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

MODULE = "npnets/kernels/compiled/_native.abi3.so"
LARGEST = 1_250_000  # bytes of a wheel


def build(kind: str, source: Path, folder: Path, **environment: str) -> Path:
    """Build a distribution of a kind and return its file."""
    before = set(folder.glob("*"))
    command = [sys.executable, "-m", "build", f"--{kind}", "--installer", "uv", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    (built,) = set(folder.glob("*")) - before
    return built


def check_sources(archive: Path) -> None:
    """The source distribution has the C and its headers, also if it is built where nothing is compiled."""
    with tarfile.open(archive) as files:
        endings = [Path(name).suffix for name in files.getnames() if "/kernels/compiled/source/" in name]
    assert endings.count(".c") > 5 and endings.count(".h") > 5, endings


def check_wheel(wheel: Path, has_module: bool) -> None:
    """A wheel has the extension module if it is for one platform, no C, and a moderate size."""
    names = zipfile.ZipFile(wheel).namelist()
    assert (MODULE in names) == has_module, (wheel.name, names)
    assert ("-cp310-abi3-" in wheel.name) == has_module == ("-py3-none-any" not in wheel.name), wheel.name
    assert [name for name in names if name.endswith((".c", ".h"))] == []
    assert wheel.stat().st_size <= LARGEST, f"{wheel.name} has {wheel.stat().st_size} bytes, more than {LARGEST}"


def main(folder: Path) -> None:
    """Build and check."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with tempfile.TemporaryDirectory() as unpacked:
        archive = build("sdist", Path(), folder, NPNETS_COMPILED="off")
        check_sources(archive)
        shutil.unpack_archive(archive, unpacked)
        source = Path(unpacked, archive.name.removesuffix(".tar.gz"))
        pure = build("wheel", source, folder, NPNETS_COMPILED="off")
        check_wheel(pure, has_module=False)
        subprocess.run(["check-wheel-contents", str(pure)], check=True)
        if os.name == "posix":
            check_platform(build("wheel", source, folder, NPNETS_COMPILED=""), pure)


def check_platform(wheel: Path, pure: Path) -> None:
    """The wheel of a platform has one file more, which uses only the stable part of Python's interface."""
    if MODULE not in zipfile.ZipFile(wheel).namelist():
        print(f"{wheel.name} has no extension module: was there a C compiler?")
        return wheel.unlink()
    check_wheel(wheel, has_module=True)
    assert set(zipfile.ZipFile(wheel).namelist()) - set(zipfile.ZipFile(pure).namelist()) == {MODULE}
    subprocess.run([sys.executable, "-m", "abi3audit", "--strict", "--summary", str(wheel)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
