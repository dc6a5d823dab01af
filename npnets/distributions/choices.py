"""Inputs of a categorical distribution: logits or probabilities, masks, actions to score, and an actor's output.

All are checked here; masks, actions and noise are moved to the device of the logits. Values on a GPU are not checked,
because that would wait for it.
"""

from typing import Any

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import bare, is_traced
from npnets.autodiff.tracing import may_change
from npnets.backend import Array, check_one_device, device_of, loaded_cupy, namespace, to_device
from npnets.distributions.arguments import check_floating
from npnets.random_numbers import drawn_or_given


def check_choices(name: str, value: Any) -> None:
    """Check that logits or probabilities are a floating-point array with an axis of actions."""
    check_floating(name, value, "Categorical", "a discrete actor returns (logits, state)")
    if value.ndim == 0 or value.shape[-1] == 0:
        raise ValueError(f"Categorical expects {name} of shape (..., actions), but got {value.shape}")


def allowed_logits(logits: Array, mask: object) -> Array:
    """Return logits with minus infinity where a mask is false; each row must allow an action."""
    allowed = None if mask is None else _mask_like(logits, mask)
    if allowed is not None:
        logits = nnp.where(allowed, logits, -np.inf)
    values = bare(logits)
    if namespace(values) is np and not np.isfinite(largest := values.max(-1)).all():
        raise ValueError(_why_no_choice(largest, allowed))
    return logits


def _why_no_choice(largest: Array, allowed: Array | None) -> str:
    row = tuple(int(index) for index in np.argwhere(~np.isfinite(largest))[0])
    where = f" in row {', '.join(map(str, row))}" if row else ""
    if largest[row] != -np.inf:
        return f"the largest logit{where} is {largest[row]}, but logits must be below infinity; has training diverged?"
    if allowed is None:
        cause = f"no action has a probability above zero{where}"
    elif np.broadcast_to(allowed, (*largest.shape, allowed.shape[-1]))[row].any():
        cause = (
            f"the mask allows only actions of probability zero{where}; where a softmax rounded it to zero, use logits, "
            "as of discrete.Actor(..., softmax_output=False)"
        )
    else:
        cause = f"the mask allows no action{where}"
    return f"{cause}; a row must have at least one action that may be chosen"


def _mask_like(logits: Array, mask: object) -> Array:
    """Return a mask as booleans on the device of the logits: one for each row, or one `(actions,)` for all rows."""
    found: Any = bare(mask) if hasattr(mask, "dtype") else np.asarray(mask)
    if found.dtype.kind not in "biu":
        raise TypeError(
            f"mask must be booleans, true for the actions that may be chosen, but has dtype {found.dtype}; "
            "for probabilities use Categorical.from_probs, to add numbers to logits add them before"
        )
    if found.shape not in (logits.shape, logits.shape[-1:]):
        raise ValueError(
            f"mask must have the shape of logits, {logits.shape}, or {logits.shape[-1:]} for all rows, but has "
            f"{found.shape}"
        )
    if found.dtype.kind != "b" and namespace(found) is np and ((found < 0) | (found > 1)).any():
        raise ValueError("mask must be booleans, or 0 and 1, but has other numbers; is it a list of actions?")
    return _where_logits(found, logits, "mask").astype(np.bool_, copy=False)


def check_no_mask(name: str, value: object) -> None:
    """Check that an argument that may be anything is no mask, which `from_actor` takes by its name."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "b" or getattr(value, "dtype", None) == np.int8:
        raise TypeError(
            f"{name} is an array of truth values; a mask is passed by its name: from_actor(actor, params, obs, "
            "mask=mask)"
        )


def _where_logits(value: Array, logits: Array, name: str) -> Array:
    """Move an array of integers or booleans to the device of the logits; only NumPy's arrays are moved."""
    if loaded_cupy() is None:
        return value
    if namespace(value) is not np:
        check_one_device((value, bare(logits)), lambda: f"{name} and logits of Categorical")
    return to_device(value, device_of(bare(logits)))


def logits_of_probs(probs: Array) -> Array:
    """Return the logarithms of probabilities; minus infinity at zero.

    The gradient is zero there, and at subnormal numbers, whose reciprocal would be infinite: a softmax returns them for
    logits far below the largest.
    """
    values = bare(probs)
    if namespace(values) is np and not (values >= 0).all():
        raise ValueError(
            f"Categorical.from_probs expects probabilities, but the smallest is {values.min()}; are these logits? "
            "Use Categorical(logits)"
        )
    positive, normal = values > 0, values >= float(np.finfo(values.dtype).tiny)
    constant = np.where(positive, np.log(np.where(positive, values, 1)), -np.inf)
    return nnp.where(normal, nnp.log(nnp.where(normal, probs, 1)), constant)


def actions_like(x: object, logits: Array) -> Array:
    """Return actions as integers on the device of the logits: one for each row, or more of them in leading axes."""
    found: Any = bare(x) if hasattr(x, "dtype") else np.asarray(x)
    rows, actions = logits.shape[:-1], logits.shape[-1]
    if found.dtype.kind not in "iu":
        raise TypeError(
            f"actions must be integers, as sample gives them, but have dtype {found.dtype}; for whole numbers use "
            "actions.astype(int)"
        )
    if found.shape[max(found.ndim - len(rows), 0) :] != rows:
        raise ValueError(
            f"actions must have the shape of the rows, {rows}, with extra axes before it only, but have {found.shape}"
        )
    if namespace(found) is np and ((found < 0) | (found >= actions)).any():
        raise ValueError(
            f"actions must lie between 0 and {actions - 1}, but lie between {found.min()} and {found.max()}"
        )
    if is_traced(logits) and may_change(found):
        found = found.copy()  # the backward pass reads it
    return _where_logits(found, logits, "actions")


def gumbel_like(logits: Array, rng: object, noise: object) -> Array:
    """Return standard Gumbel numbers of the logits' shape, drawn with `rng` in double precision, or those given."""
    values: Array = bare(drawn_or_given("noise", rng, noise, logits.shape, logits, "gumbel"))
    if namespace(values) is np and not np.isfinite(values).all():
        raise ValueError("noise must be finite standard Gumbel numbers, as rng.gumbel(size=...) gives them")
    return values


def check_softmax_output(actor: object) -> bool:
    """Return whether an actor returns probabilities, which its attribute `softmax_output` says."""
    of_actor = getattr(actor, "softmax_output", None)
    if of_actor is None:
        raise TypeError(
            "expected an actor with an attribute softmax_output, which tells whether it returns probabilities or "
            f"logits, such as npnets.discrete.Actor, but got {actor!r:.80}; otherwise use Categorical(logits)"
        )
    return bool(of_actor)
