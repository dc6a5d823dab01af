"""The base of all networks: a frozen description that declares its parameters, draws them, and prints as a call."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from npnets.common.spec import Spec
from npnets.description import call_repr, no_call, uncached
from npnets.tree import Params


class Network:
    """A frozen description of a network, which holds no arrays.

    A subclass is a frozen dataclass of the arguments that made it. It has `spec`, the parameters that it declares, and
    `forward(params, ...)`, a pure function.
    """

    __call__ = no_call

    def __repr__(self) -> str:
        return call_repr(self)

    @property
    def spec(self) -> Spec:
        """The parameters: names, shapes, initial values, and the parts that are networks themselves."""
        raise NotImplementedError

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Params:
        """Draw parameters.

        Parameters
        ----------
        rng : numpy.random.Generator
        dtype : dtype
            float32 or float64.

        Returns
        -------
        dict
            Nested dicts of arrays with the names and shapes that `spec` declares, on the network's device.

        Raises
        ------
        TypeError
            If `rng` is no generator, or `dtype` another one.
        """
        return self.spec.init(rng, dtype)

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes without cached properties, which are computed again where they are needed."""
        return uncached(self)
