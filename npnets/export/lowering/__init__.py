"""From networks to operations: one file a family of networks."""

from npnets.export.lowering import continuous, discrete, feed_forward, normalized, recurrent
from npnets.export.lowering.builder import Lowering

LOWERINGS: dict[type, Lowering] = {
    **feed_forward.LOWERINGS,
    **continuous.LOWERINGS,
    **discrete.LOWERINGS,
    **recurrent.LOWERINGS,
    **normalized.LOWERINGS,
}
"""By class of network: the function that adds its operations."""
