"""The JSON document beside the arrays of a checkpoint: the format's number, a digest and the content.

`{"format": "npnets.checkpoint", "version": 1, "needs": "0.1.0", "digest": ..., "content": {"arrays": {name: {"dtype",
"shape"}}, "params": ..., "metadata": ...}}`. The digest is SHA-256 of the content's text and the bytes of the arrays in
the order of their table, for a `.safetensors` file has no checksums of its own.
"""

from typing import Any

import numpy as np

from npnets.backend import Array
from npnets.files.fault import DAMAGED, Fault
from npnets.files.limits import MOST_VALUES
from npnets.files.quoting import listed, plain, quoted

FORMAT, VERSION, NEEDS = "npnets.checkpoint", 1, "0.1.0"
NO_MANIFEST = "expected a file that npnets.checkpoint.save wrote, but it has no manifest"


def write(content: dict[str, Any], arrays: dict[str, Array]) -> str:
    """Return the document for some content and its arrays."""
    import json  # here, because it would make up a part of the package's import

    head = {"format": FORMAT, "version": VERSION, "needs": NEEDS, "digest": _digest(content, arrays)}
    return json.dumps({**head, "content": content})


def read(text: str | bytes) -> dict[str, Any]:
    """Return a document, checked to be that of a checkpoint of a known version."""
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Fault(f"its manifest is no JSON ({plain(error)}); {DAMAGED}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise Fault(f"expected a manifest of the format {FORMAT!r}, but it has another; {DAMAGED}")
    _check_few_values(found)
    version = found.get("version")
    if type(version) is not int or version < 1:
        raise Fault(f"expected a version from 1 to {VERSION}, but it has {quoted(version)}; {DAMAGED}")
    if version > VERSION:
        raise Fault(
            f"its format has version {quoted(version)}, and this npnets knows those up to {VERSION}; upgrade to npnets "
            f"{plain(found.get('needs'))} or newer"
        )
    return found


def _check_few_values(found: Any) -> None:
    pending, number = [found], 0
    while pending:
        value = pending.pop()
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        number += 1 + len(parts)
        if number > 2 * MOST_VALUES:  # each is counted in its container, and when its own parts are counted
            raise Fault(f"its manifest has more than {MOST_VALUES} values, which is more than are read; {DAMAGED}")
        pending.extend(parts)


def check(manifest: dict[str, Any], arrays: dict[str, Array]) -> dict[str, Any]:
    """Return a manifest's content, after a check that the arrays are those that it was written with."""
    content = manifest["content"]
    table = content["arrays"]
    missing, extra = [name for name in table if name not in arrays], [name for name in arrays if name not in table]
    if missing or extra:
        raise Fault(
            f"its tree and its arrays differ: it lacks {listed(missing)} and has {listed(extra)} besides; {DAMAGED}"
        )
    for name, expected in table.items():
        _check_like(name, np.dtype(expected["dtype"]).newbyteorder("<"), tuple(expected["shape"]), arrays[name])
    if _digest(content, arrays) != manifest["digest"]:
        raise Fault(f"its digest is not that of its content; {DAMAGED}")
    return content


def _check_like(name: str, dtype: np.dtype[Any], shape: tuple[int, ...], array: Array) -> None:
    if (array.dtype, array.shape) != (dtype, shape):
        raise Fault(
            f"its tree and its arrays differ: expected {quoted(name)} as {plain(dtype)} {plain(shape)}, but it is "
            f"{plain(array.dtype)} {array.shape}; {DAMAGED}"
        )


def _digest(content: dict[str, Any], arrays: dict[str, Array]) -> str:
    import hashlib
    import json

    digest = hashlib.sha256(json.dumps(content).encode())
    for name in content["arrays"]:
        digest.update(octets(arrays[name]))
    return digest.hexdigest()


def octets(array: Array) -> memoryview:
    """Return the bytes of an array in C order, without a copy."""
    return array.reshape(-1).view(np.uint8).data
