"""Parts of the messages of errors: where a value is, what it is, and what a caller can do about it."""

from npnets.files.quoting import plain, quoted
from npnets.interop.pickles.objects import Instance, Name

REMEDY = "Pass foreign='keep' for an inert stand-in, or foreign='omit' to leave it out"
"""What a caller can do about an object that is not read."""


def written(place: tuple[object, ...]) -> str:
    """Return the keys that lead to a value."""
    if not place:
        return "the top"
    return quoted(".".join(str(key)[:100] for key in place))


def described(value: object) -> str:
    """Return the kind of a value in a few words, whatever its size."""
    if type(value) is Name:
        return f"the name {plain(value.path)}"
    if isinstance(value, Instance):
        return f"an object of {plain(value.path)}"
    kind = type(value).__name__.lower()
    return "a storage" if kind.endswith("storage") else f"a {kind}"
