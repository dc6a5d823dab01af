"""Random numbers of a forward pass or a distribution: drawn with a generator, or given by the caller."""

from npnets.backend import Array
from npnets.initializers import check_generator
from npnets.inputs import as_input


def drawn_or_given(
    name: str,
    rng: object,
    given: object,
    shape: tuple[int, ...],
    like: Array,
    draw: str,
) -> Array:
    """Return random numbers in the dtype and on the device of an array.

    Parameters
    ----------
    name : str
        The argument of the given ones, for an error.
    rng, given : numpy.random.Generator, array
        Exactly one of both is not `None`.
    shape : tuple of int
        Their shape, which those given must have.
    like : array
    draw : str
        The name of the generator's method, which draws in double precision; a subclass may have another.

    Raises
    ------
    TypeError, ValueError
        If there are both sources or none, or those given have another shape.
    """
    if (rng is None) == (given is None):
        raise TypeError(f"expected exactly one of rng (numpy.random.default_rng(seed)) and {name}")
    drawn = getattr(check_generator(rng), draw)(size=shape) if given is None else given
    found: Array = as_input(drawn, like, name)
    if found.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, but has {found.shape}")
    return found
