"""Networks that each violate one law of descriptions: of pickling, copying or comparing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from faulty_networks import Policy

import npnets.numpy as nnp


@dataclass(frozen=True)
class OfALambda(Policy):
    activation: Any = field(default_factory=lambda: lambda z: nnp.tanh(z))

    def output(self, z: Any) -> Any:
        return self.activation(z)


@dataclass(frozen=True)
class LosesItsScale(Policy):
    scale: float = 2.0

    def output(self, z: Any) -> Any:
        return nnp.tanh(z) * self.__dict__.get("scale", 1.0)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.state_shape, self.output_dim, 1.0)

    def __deepcopy__(self, memo: Any) -> Any:
        return type(self)(self.state_shape, self.output_dim, self.scale)


@dataclass(frozen=True, eq=False)
class ByIdentity(Policy):
    __eq__ = object.__eq__
    __hash__ = object.__hash__


@dataclass(frozen=True)
class HoldsAnArray(Policy):
    scale: Any = field(default_factory=lambda: np.ones(2))


class HashedByIdentity(Policy):
    __hash__ = object.__hash__


class EqualToAll(Policy):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = Policy.__hash__
