"""Checks of the trees that an optimizer computes with."""

from typing import Any

import numpy as np

from npnets.dtypes import array_fault, check_plain

ARRAYS = "the arrays of an optimizer"
"""The name of parameters, gradients and state in the error for arrays on several devices."""


def check_like(parameter: Any, *others: Any) -> Any:
    """Return a parameter if its gradient, and what else belongs to it, has the same shape and dtype."""
    if not hasattr(parameter, "dtype"):
        raise TypeError(f"expected floating-point arrays as parameters, but got {parameter!r:.80}")
    fault = array_fault(parameter)
    if fault is not None:
        raise TypeError(f"expected float32 or float64 arrays as parameters, but one {fault}")
    for other in others:
        check_plain(other, "an array beside a parameter")
        if getattr(other, "shape", None) != parameter.shape or other.dtype != parameter.dtype:
            found = f"{other.dtype} {other.shape}" if hasattr(other, "dtype") else f"a {type(other).__name__}"
            raise ValueError(
                f"expected an array like the parameter, {parameter.dtype} {parameter.shape}, but got {found}; were the "
                "two trees made by different networks?"
            )
    return parameter


def check_state(state: Any, kind: type[Any], has: tuple[bool, ...], optimizer: object) -> None:
    """Check that a state is one of this optimizer's, with just those moments that it uses."""
    if not isinstance(state, kind):
        raise TypeError(
            f"expected the {kind.__name__} that init or the last update gave, but got a {type(state).__name__}; the "
            "order is update(params, grads, state): write update(params=params, grads=grads, state=state)"
        )
    step = state.step
    if not isinstance(step, (int, np.integer)) or isinstance(step, bool) or step < 0:
        raise ValueError(
            f"expected a state whose step counts the updates made before, an integer of at least 0, but it is "
            f"{step!r:.80}; make the state with init"
        )
    for name, is_used in zip(state._fields[1:], has, strict=True):
        if (getattr(state, name) is not None) != is_used:
            raise ValueError(
                f"expected the state of {optimizer!r}, but got one made {'without' if is_used else 'with'} {name}; "
                "make the state with init of the optimizer that updates it"
            )
