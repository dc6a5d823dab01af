"""Conversion between parameters of npnets and state dicts of Tianshou's networks, bit for bit.

A state dict is a flat dict from Tianshou's names (`"preprocess.model.model.0.weight"`) to arrays in PyTorch's layout:
weights `(out, in)`, `sigma_param` `(actions, 1)`. Tianshou 1.0, 1.1, 1.2 and 2.0 give all parameters the same names,
whatever they call the classes; they differ in how whole policies name their networks, see `prefixes`. Neither PyTorch
nor Tianshou is needed.

A part of your own (a `preprocess_net`, a layer) is converted if it has two methods: `from_state_dict(state_dict)`,
which receives the arrays below its own name and returns its parameters, and `to_state_dict(params)`, its inverse. A
part without parameters needs neither.
"""

from npnets.interop.tianshou.conversion import from_state_dict, to_state_dict
from npnets.interop.tianshou.prefixes import split
from npnets.public import listing

__all__ = ["from_state_dict", "split", "to_state_dict"]

__dir__ = listing(__all__)
