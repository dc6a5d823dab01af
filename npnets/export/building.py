"""From a network, its parameters and the normalization of its observations to a whole program."""

from dataclasses import replace
from math import prod
from typing import Any, Literal, NamedTuple

import numpy as np

from npnets import normalization as normalizing
from npnets import tree
from npnets.autodiff import bare
from npnets.backend import Array
from npnets.bounds import Rounded
from npnets.description import cached_property
from npnets.export.interface import Arrays, Interface, Reference, innermost, interface_of, state_shape
from npnets.export.lowering import LOWERINGS
from npnets.export.lowering.acting import action_of
from npnets.export.lowering.bounds import bounds_of, middle_and_half
from npnets.export.lowering.builder import Builder, Outputs, Signal
from npnets.export.lowering.normalized import normalized
from npnets.export.program import Concatenate, Port, Program, SelfTest, Slice, Value
from npnets.export.pruning import pruned, results
from npnets.export.self_test import Ranges, self_test
from npnets.normalization import Normalization, Normalized
from npnets.policy import Policy
from npnets.tree import Params, Tree

Output = Literal["action", "network"]


class Subject(NamedTuple):
    """What is exported; `policy` acts if the output is an action, else the network computes."""

    network: Any
    params: Params
    normalization: Normalization | None
    policy: Policy | None
    fraction_proposal: tuple[Any, Params] | None
