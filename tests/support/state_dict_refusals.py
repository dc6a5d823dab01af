"""Shared by the tests of refused state dicts: parameters and state dicts of a network, and the error of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npnets.interop.tianshou import to_state_dict


def params_of(net: Any) -> Any:
    """Return parameters of a network."""
    return net.init(np.random.default_rng(0))


def state_dict_of(net: Any, **changes: Any) -> dict[str, Any]:
    """Return a state dict of a network; a name with `None` is left out."""
    given = {**to_state_dict(net, params_of(net)), **changes}
    return {name: array for name, array in given.items() if array is not None}


def refusal(call: Callable[[], Any], error: type[Exception] = ValueError) -> str:
    """Return the one line that a call is refused with."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message
