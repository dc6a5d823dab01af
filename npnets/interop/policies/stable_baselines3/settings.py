"""The attributes of a model that its policy depends on, from the JSON of an archive.

Values that JSON has no words for stand in it as base64 of a pickle, which is read without unpickling it: a class is
then an inert `Foreign` with its name.
"""

import base64
import binascii
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from npnets.backend import Array
from npnets.files.fault import DAMAGED, Fault
from npnets.files.quoting import plain, quoted
from npnets.interop import pickle_file
from npnets.interop.foreign import Foreign
from npnets.interop.policies import spaces
from npnets.interop.policies.action_space import Bounds
from npnets.interop.policies.activations import Named, of_module
from npnets.interop.policies.options import Options

_PICKLED = ":serialized:"
_EXTRACTOR = "stable_baselines3.common.torch_layers.FlattenExtractor"
_TAKEN_APART = "which npnets does not have: only policies of arrays of numbers are read"


@dataclass(frozen=True)
class Settings:
    """The settings of a model, by the names of its attributes.

    Parameters
    ----------
    attributes : dict
        Of JSON.
    known_class : str, optional
        The full name of the policy's class, where no setting names it.
    """

    attributes: dict[str, Any]
    known_class: str | None = None

    def get(self, name: str, default: Any = None) -> Any:
        """Return a setting."""
        value = self.attributes.get(name, default)
        return _unpacked(name, value[_PICKLED]) if isinstance(value, dict) and _PICKLED in value else value

    @property
    def policy_class(self) -> str:
        """The full name of the policy's class."""
        if self.known_class is not None:
            return self.known_class
        found = self.get("policy_class")
        if not isinstance(found, Foreign):
            raise Fault(f"its policy_class is {quoted(found)}, where a class must be; {DAMAGED}")
        return found.name

    @cached_property
    def policy_kwargs(self) -> dict[str, Any]:
        """The arguments that the user gave the policy; a pickle of them is read once."""
        found = self.get("policy_kwargs", {})
        if not isinstance(found, dict):
            raise Fault(f"its policy_kwargs are {quoted(found)}, where a dict must be; {DAMAGED}")
        return found

    def flag(self, name: str) -> bool:
        """Return whether a setting of the model or its policy is on; one that is not there is off."""
        return bool(self.attributes.get(name) is True or self.policy_kwargs.get(name) is True)

    def observation_shape(self) -> tuple[int, ...]:
        """Return the shape of one observation, which the policy sees as it is, laid out in one axis.

        Raises
        ------
        Fault
            If observations are of another space, or images, or a class of the user's own makes features of them.
        """
        extractor = self.policy_kwargs.get("features_extractor_class")
        if extractor is not None and _name(extractor) != _EXTRACTOR:
            raise Fault(f"its features are computed by {quoted(_name(extractor), 200)}, {_TAKEN_APART}")
        space = self.get("observation_space")
        kind = spaces.kind(space, "observations")
        if kind == "MultiBinary":
            return (spaces.whole_number(space, "n", "observations"),)
        if kind != "Box":
            raise Fault(f"its observations are of the space {kind}; only those of a Box, arrays of numbers, are read")
        low, high = spaces.bounds(space, "observations")
        if _are_images(low, high) and self.policy_kwargs.get("normalize_images") is not False:
            raise Fault(f"its observations are images of shape {low.shape}, {_TAKEN_APART}")
        return low.shape

    def bounds(self) -> Bounds:
        """Return the bounds of continuous actions."""
        space = self.get("action_space")
        if (kind := spaces.kind(space, "actions")) != "Box":
            raise Fault(f"its actions are of the space {kind}; those of a Box or a Discrete are read")
        return spaces.bounds(space, "actions")

    def count_of_actions(self) -> int | None:
        """Return the number of discrete actions, `None` for those of another space."""
        space = self.get("action_space")
        if spaces.kind(space, "actions") != "Discrete":
            return None
        if start := spaces.whole_number(space, "start", "actions", 0):
            raise Fault(f"its actions are a Discrete that starts at {start}; those that start at 0 are read")
        return spaces.whole_number(space, "n", "actions")

    def activation(self, default: str, options: Options) -> Named:
        """Return the activation of the hidden layers, that of `options` where it is a class of the user's own."""
        found = self.policy_kwargs.get("activation_fn")
        if found is None:
            return options.activation_beside(Named(default))
        path, args, kwargs = _call(found)
        if options.activation is not None and not path.startswith("torch."):
            return Named(options.activation)
        return options.activation_beside(of_module(path, args, kwargs))


def _are_images(low: Array, high: Array) -> bool:
    """Return whether the library takes observations within bounds for images, which it divides by 255."""
    return low.ndim == 3 and low.dtype == np.uint8 and bool(np.all(low == 0) and np.all(high == 255))


def _unpacked(name: str, text: object) -> Any:
    try:
        pickle = base64.b64decode(str(text).encode("ascii"), validate=True)
        return pickle_file.load(pickle, foreign="keep")
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Fault(f"its {name} is no base64 ({plain(error)}); {DAMAGED}") from error
    except ValueError as error:
        raise Fault(f"in its {name}, {error}") from error


def _name(value: object) -> str:
    """Return the name of a class; one that is pickled with its code is a call that makes a class of that name."""
    match value:
        case Foreign(name=maker, arguments=(_, str(own), *_)) if maker.endswith("._make_skeleton_class"):
            return f"__main__.{own}"
        case Foreign():
            return value.name
    return type(value).__name__


def _call(value: object) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """Return the name of a class, and arguments that `functools.partial` holds for it."""
    match value:
        case Foreign(name="functools.partial", state=(Foreign() as inner, tuple() as args, kwargs, *_)):
            return inner.name, args, kwargs if isinstance(kwargs, dict) else {}
    return _name(value), (), {}
