"""All names that a pickle may call or use, and the errors for others."""

from npnets.files.fault import Fault
from npnets.files.quoting import quoted
from npnets.interop.pickles import numpy_values, plain
from npnets.interop.pickles.contents import ForeignChoice
from npnets.interop.pickles.wording import REMEDY
from npnets.interop.torch import tensors

CONSTRUCTORS = {**plain.CONSTRUCTORS, **numpy_values.CONSTRUCTORS, **tensors.CONSTRUCTORS}
"""The functions that a pickle may call."""

NAMES = plain.NAMES | numpy_values.NAMES | tensors.NAMES
"""Further names that may stand in a pickle."""

_HINTS: list[tuple[str | tuple[str, ...], str]] = [
    ("torch.nn.", "was a whole module saved? Save module.state_dict() instead. "),
    ("torch.", "quantized and sparse tensors, float8, tensors with attributes, and dtypes as values are not read. "),
    ("numpy.", "of NumPy's values arrays and scalars are read. "),
    (
        ("__builtin__.", "builtins.", "_codecs."),
        "of plain values None, numbers, text, bytes, dicts, lists, tuples and sets are read. ",
    ),
    ("", ""),
]
"""A likely cause for an unknown name, by its beginning."""


def check_choice(foreign: object) -> ForeignChoice:
    """Return the choice for objects of unknown classes, if it is one."""
    if foreign not in ("error", "keep", "omit"):
        raise ValueError(f"foreign must be 'error', 'keep' or 'omit', but is {foreign!r:.80}")
    return foreign


def unknown(path: str) -> Fault:
    """Return the error for a name that belongs to no value that is read."""
    hint = next(hint for modules, hint in _HINTS if path.startswith(modules))
    return Fault(
        f"it uses {quoted(path, 200)}, which belongs to no tensor or plain value, and was not executed. {hint}{REMEDY}"
    )
