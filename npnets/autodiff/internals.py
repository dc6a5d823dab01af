"""The parts of autograd's tracer that derivatives stand on: the one file that names them all.

They are no public interface, and a release of autograd may move them. An import with one of them missing says so, and
which releases have them.
"""

SUPPORTED = "autograd>=1.9,<1.10"
"""The releases that have these parts; `setup.cfg` asks for the same."""


def _installed() -> str:
    from importlib.metadata import PackageNotFoundError, version  # takes milliseconds to import

    try:
        return f"version {version('autograd')}"
    except PackageNotFoundError:
        return "no release"


try:
    from autograd import tracer
    from autograd.core import add_outgrads, defjvp_argnums, defvjp_argnums, sparse_object_types
    from autograd.extend import Box, JVPNode, VJPNode, VSpace

    _attributes = (
        *(tracer.box_types, tracer.trace_stack.new_trace, VSpace.register),
        *(Box.types, Box.type_mappings, Box._value, Box._trace, Box._node),
        *(VJPNode.parents, VJPNode.vjp, JVPNode.new_root, JVPNode.g),
    )
except (ImportError, AttributeError) as error:
    raise ImportError(
        f"npnets expects {SUPPORTED}, whose tracer it builds on, but {_installed()} is installed, and a part of its "
        f"tracer is missing ({error}); install a release that has it: pip install '{SUPPORTED}'"
    ) from error

__all__ = [
    "Box",
    "JVPNode",
    "VJPNode",
    "VSpace",
    "add_outgrads",
    "defjvp_argnums",
    "defvjp_argnums",
    "sparse_object_types",
    "tracer",
]
