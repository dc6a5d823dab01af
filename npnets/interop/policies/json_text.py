"""Settings in JSON, which other libraries keep beside the parameters of a policy."""

import json
from typing import Any

from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import plain

LONGEST = 16 * 2**20
"""The longest text, in bytes or letters. Real ones have some thousands; what is parsed takes a multiple of it."""


def json_dict(text: str | bytes, what: str) -> dict[str, Any]:
    """Return the dict that a text of JSON is.

    Parameters
    ----------
    text : str or bytes
    what : str
        The beginning of an error, such as `"its settings are"`.

    Raises
    ------
    Fault
        If it is too long, no JSON, or no dict.
    """
    if len(text) > LONGEST:
        raise Fault(f"{what} {len(text)} bytes long, more than the {LONGEST} that are read")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Fault(f"{what} no JSON ({plain(error)}); {DAMAGED}") from error
    if not isinstance(found, dict):
        raise Fault(f"{what} a {type(found).__name__}, where a dict must be; {DAMAGED}")
    return found
