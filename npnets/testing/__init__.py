"""Property tests of networks: strategies of hypothesis, and the laws that any network must keep.

`check_network(net)` holds a network, yours or one of npnets, to every law of `LAWS`; a breach says which law, with the
smallest example found. `networks`, `parameters`, `observations`, `actions` and `states` are for property tests of your
own. Needs hypothesis, the extra `testing`; nothing else of npnets imports this room.
"""

try:
    import hypothesis  # noqa: F401
except ImportError as _error:
    raise ImportError("npnets.testing needs hypothesis, the extra 'testing': pip install 'npnets[testing]'") from _error

from npnets.testing.arrays import parameters_from
from npnets.testing.check import LAWS, check_network
from npnets.testing.input_strategies import actions, observations, parameters, states
from npnets.testing.law import NetworkLawError
from npnets.testing.network_strategies import networks

__all__ = [
    "LAWS",
    "NetworkLawError",
    "actions",
    "check_network",
    "networks",
    "observations",
    "parameters",
    "parameters_from",
    "states",
]
