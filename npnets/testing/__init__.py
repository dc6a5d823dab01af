"""Property tests of networks: hypothesis strategies, and the laws that every network must keep.

`check_network(net)` property-tests a network, yours or one of npnets, with every law of `LAWS`; an error names the law
that is violated and shows the smallest example found. `networks`, `parameters`, `observations`, `actions` and `states`
are strategies for property tests of your own. Needs hypothesis, the extra `testing`; no other module imports this one.
"""

from typing import TYPE_CHECKING

from npnets.public import imported_when_used, listing

if TYPE_CHECKING:
    from npnets.testing.arrays import parameters_from
    from npnets.testing.check import LAWS, check_network
    from npnets.testing.input_strategies import actions, observations, parameters, states
    from npnets.testing.law import NetworkLawError
    from npnets.testing.network_strategies import networks
else:
    _imported = imported_when_used(
        __name__,
        {
            "parameters_from": "npnets.testing.arrays",
            **dict.fromkeys(("LAWS", "check_network"), "npnets.testing.check"),
            **dict.fromkeys(("actions", "observations", "parameters", "states"), "npnets.testing.input_strategies"),
            "NetworkLawError": "npnets.testing.law",
            "networks": "npnets.testing.network_strategies",
        },
    )

    def __getattr__(name: str) -> object:
        try:
            return _imported(name)
        except ModuleNotFoundError as error:
            if error.name != "hypothesis":
                raise
            raise ImportError(
                "npnets.testing needs hypothesis, the extra 'testing': pip install 'npnets[testing]'"
            ) from error


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

__dir__ = listing(__all__)
