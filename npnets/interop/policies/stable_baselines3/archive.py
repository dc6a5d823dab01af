"""The zip archive of `model.save`: settings in JSON, the state dict of the policy, and the release that wrote it.

Nothing in it is compressed, so that what is read is bounded by the size of the file.
"""

import os
import struct
import zipfile
from typing import Any

from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import plain, quoted
from npnets.files.zip_guards import check_stored
from npnets.interop import torch_file
from npnets.interop.library_file import LibraryFile
from npnets.interop.policies.json_text import json_dict
from npnets.interop.policies.stable_baselines3.settings import Settings

DATA, POLICY, RELEASE = "data", "policy.pth", "_stable_baselines3_version"
_DAMAGE = (zipfile.BadZipFile, ValueError, OverflowError, EOFError, OSError, struct.error, NotImplementedError)


def read(file: LibraryFile) -> tuple[Settings, dict[str, Any]]:
    """Return the settings of a model and the state dict of its policy.

    Raises
    ------
    Fault
        If it is damaged, or lacks a part.
    """
    members = _members(file.path)
    if missing := [name for name in (DATA, POLICY) if name not in members]:
        raise Fault(f"it lacks {quoted(missing[0])}, which model.save writes; {DAMAGED}")
    return Settings(json_dict(members[DATA], "its settings are")), _state(members[POLICY])


def _members(path: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with open(path, "rb") as opened:
        try:
            with zipfile.ZipFile(opened) as archive:
                check_stored(archive.infolist(), os.fstat(opened.fileno()).st_size, "model.save")
                for entry in archive.infolist():
                    if entry.filename in found:
                        raise Fault(f"it has the record {quoted(entry.filename)} twice; it is damaged or malicious")
                    if entry.filename in (DATA, POLICY):
                        found[entry.filename] = archive.read(entry)
        except _DAMAGE as error:
            raise Fault(f"its zip archive is damaged, or was cut off while it was copied ({plain(error)})") from error
    return found


def _state(content: bytes) -> dict[str, Any]:
    try:
        return torch_file.load(content)
    except ValueError as error:
        raise Fault(f"in its {POLICY}, {error}") from error
