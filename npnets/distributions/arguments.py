"""Inputs of a distribution: its mean and standard deviation, noise, points to score, and an actor's output.

All are checked here; noise and points are converted to the mean's dtype and device.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

import npnets.numpy as nnp
from npnets.autodiff import bare
from npnets.autodiff.devices import computes_where
from npnets.backend import Array, check_one_device, loaded_cupy, namespace
from npnets.dtypes import array_fault
from npnets.inputs import as_input, is_tuple_of_arrays
from npnets.random_numbers import drawn_or_given
from npnets.tree import Tree

F = TypeVar("F", bound=Callable[..., Any])


def computes_where_parameter(name: str) -> Callable[[F], F]:
    """Make a distribution's method compute on the device of a parameter, with underflow ignored.

    Underflow is ignored from the start: a method that draws must not run twice.
    """

    def quiet_there(method: F) -> F:
        quiet: F = np.errstate(under="ignore")(method)
        return computes_where(lambda distribution, *args, **kwargs: getattr(distribution, name))(quiet)

    return quiet_there


computes_where_mean = computes_where_parameter("mu")


def check_parameters(mu: Any, sigma: Any, owner: str) -> None:
    """Check the mean and standard deviation of a distribution.

    Values on a GPU are not checked, because that would wait for it: there a standard deviation that is not positive
    gives NaN or infinity. NaN is allowed, and gives NaN.
    """
    for name, value in (("mu", mu), ("sigma", sigma)):
        check_floating(name, value, owner, "an actor returns ((mu, sigma), state)")
    if mu.shape != sigma.shape or mu.ndim == 0:
        raise ValueError(
            f"{owner} expects mu and sigma of one shape (..., actions), but mu has {mu.shape} and sigma {sigma.shape}; "
            "for one sigma that all rows share use npnets.numpy.broadcast_to(sigma, mu.shape)"
        )
    if mu.dtype != sigma.dtype:
        raise TypeError(f"{owner} expects mu and sigma of one dtype, but mu is {mu.dtype} and sigma {sigma.dtype}")
    if loaded_cupy() is not None:
        check_one_device((bare(mu), bare(sigma)), lambda: f"mu and sigma of {owner}")
    values = bare(sigma)
    if namespace(values) is np and (values <= 0).any():
        raise ValueError(
            f"{owner} expects a positive sigma, but its smallest is {np.nanmin(values)}; is it the logarithm of one? "
            "Use npnets.numpy.exp(log_sigma)"
        )


def check_floating(name: str, value: object, owner: str, hint: str) -> None:
    """Check that an argument of a distribution is a float32 or float64 array; a `hint` says where to find one."""
    if hasattr(value, "log_prob"):
        raise TypeError(
            f"{owner} expects {name} as an array, but got {value!r}: a distribution cannot be made into one again"
        )
    if not hasattr(value, "dtype"):
        raise TypeError(f"{owner} expects {name} as a floating-point array, but got a {type(value).__name__}; {hint}")
    fault = array_fault(bare(value))
    if fault is not None:
        raise TypeError(f"{owner} expects {name} as a float32 or float64 array, but it {fault}")


def noise_like(mu: Array, rng: object, noise: object) -> Array:
    """Return standard normal numbers of the mean's shape, drawn with `rng` in double precision, or those given."""
    return drawn_or_given("noise", rng, noise, mu.shape, mu, "standard_normal")


def points_like(value: object, mu: Array, name: str) -> Array:
    """Return points to score in the mean's dtype and on its device: one for each row, or more in leading axes."""
    if is_tuple_of_arrays(value):
        raise TypeError(
            f"{name} must be an array, but is a tuple of {len(value)} of them; unpack what was drawn: action, draw = "
            "distribution.sample(rng, with_draw=True)"
        )
    found: Array = as_input(value, mu, name)
    if found.shape[max(found.ndim - mu.ndim, 0) :] != mu.shape:
        raise ValueError(
            f"{name} must have the shape of mu, {mu.shape}, with extra axes before it only, but has {found.shape}"
        )
    return found


def repeated_like(x: Array, *parameters: Array) -> tuple[Array, ...]:
    """Return parameters repeated over the leading axes of points."""
    if x.shape == parameters[0].shape:
        return parameters
    return tuple(nnp.broadcast_to(parameter, x.shape) for parameter in parameters)


def check_like(one: object, other: object, parameter: Array, of_other: Any) -> None:
    """Check that a second distribution has the class of a first one, and a parameter of its shape and dtype."""
    if type(one) is not type(other):
        raise TypeError(f"expected a second {type(one).__name__}, but got {other!r:.80}")
    if parameter.shape != of_other.shape or parameter.dtype != of_other.dtype:
        raise ValueError(f"expected two distributions of one shape and dtype, but got {one!r} and {other!r}")


def output_of(actor: object, params: Tree, obs: object, state: object, options: dict[str, object]) -> tuple[Any, Tree]:
    """Return an actor's output and new state."""
    if not hasattr(actor, "forward"):
        raise TypeError(
            f"expected an actor, which has a method forward, but got {actor!r:.60}; the order is from_actor(actor, "
            "params, obs, ...)"
        )
    output, state = actor.forward(params, obs, state, **options)
    return output, state


def outputs_of(
    actor: object, params: Tree, obs: object, state: object, options: dict[str, object]
) -> tuple[Array, Array, Tree]:
    """Return an actor's mean, standard deviation and new state."""
    output, state = output_of(actor, params, obs, state, options)
    if not isinstance(output, tuple) or len(output) != 2:
        raise TypeError(
            f"expected an actor that returns (mu, sigma), such as ActorProb, but {actor!r} returned a "
            f"{type(output).__name__}"
        )
    axes = getattr(actor, "action_shape", ())
    if getattr(actor, "flatten_action", True) is False and isinstance(axes, tuple) and len(axes) > 1:
        raise ValueError(
            f"a distribution takes actions laid out in one axis, but those of {actor!r:.80} have the axes {axes}; make "
            "it without flatten_action=False, and reshape the actions that are drawn"
        )
    return *output, state


def bounds_from(actor: object, low: Any, high: Any) -> tuple[Any, Any]:
    """Return bounds of actions, or those of the actor if there are none."""
    if low is None and high is None:
        low, high = (getattr(actor, name, None) for name in ("low", "high"))
        low, high = (np.ravel(bound) if isinstance(bound, tuple) else bound for bound in (low, high))
    if low is None or high is None:
        raise TypeError(
            f"expected low and high, but got {low!r:.40} and {high!r:.40} for {actor!r:.80}; pass both, or make it "
            "with its action space and pass neither: ActorProb(net, env.action_space, unbounded=True)"
        )
    return low, high


def check_unbounded(actor: object) -> None:
    """Check that an actor leaves its mean unsquashed."""
    unbounded = getattr(actor, "unbounded", None)
    if unbounded is None:
        raise TypeError(
            f"expected an actor with an attribute unbounded, which tells whether its mean is left unsquashed, such as "
            f"ActorProb(..., unbounded=True), but got {actor!r}"
        )
    if not unbounded:
        raise ValueError(
            f"{actor!r} has squashed its mean by tanh already: squashed again, its actions could not come near the "
            "bounds; make it with unbounded=True, or use Gaussian, which does not squash"
        )
