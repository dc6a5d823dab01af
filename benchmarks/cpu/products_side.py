"""The floor of the speed benchmark: only the matrix products of each cell, in NumPy.

Outputs are preallocated, and every factor is in its fastest memory layout. A gradient needs, for each layer, the
products for its output, for its weight gradient, and for the gradient of its input if that is needed. An actor that
learns through a critic needs no gradient of the critic's weights, and of its input only that of the actions.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from benchmarks.cpu import lstm_products
from benchmarks.cpu.cells import ACT, KINDS, LATENT, MEMBERS, OBS, RECURRENT, Cell
from benchmarks.cpu.lstm_products import Product, drawn, product


class Layer(NamedTuple):
    """The numbers of a layer's inputs and outputs, and the number of inputs that need a gradient."""

    inputs: int
    outputs: int
    needed: int


Layers = list[Layer]


def make(cell: Cell) -> Callable[[], None]:
    """Return the call that is timed."""
    products = evaluation(cell) if cell.kind in KINDS else LEARNING[cell.network](cell)

    def multiply() -> None:
        for multiply_into, left, right, out in products:
            multiply_into(left, right, out=out)

    return multiply


def evaluation(cell: Cell) -> list[Product]:
    """Return the products of a network's output, and with a gradient those of its weights."""
    if cell.network in RECURRENT:
        return lstm_products.evaluation(cell)
    layers, members = _NETWORKS[cell.network](*cell.hidden), MEMBERS if cell.network == "ensemble" else 0
    products = forward(cell.batch, layers, members)
    return products if cell.kind == "forward" else products + backward(cell.batch, layers, members)


def chain(*widths: int, needed: int = 0) -> Layers:
    """Return a sequence of layers; `needed` is the number of the first layer's inputs that need a gradient."""
    return [Layer(*pair, pair[0] if index else needed) for index, pair in enumerate(pairwise(widths))]


def actor(*hidden: int) -> Layers:
    """Return a deterministic actor's layers."""
    return chain(OBS, *hidden, ACT)


def critic(*hidden: int, needed: int = 0) -> Layers:
    """Return a critic's layers; an actor that learns through it needs the gradient of its actions."""
    return chain(OBS + ACT, *hidden, 1, needed=needed)


def decoder(*hidden: int) -> Layers:
    """Return the layers of the VAE's decoder, whose latent vectors need a gradient."""
    return chain(OBS + LATENT, *hidden, ACT, needed=LATENT)


def vae(*hidden: int) -> Layers:
    """Return the VAE's layers."""
    head = Layer(hidden[-1], LATENT, hidden[-1])
    return [*chain(OBS + ACT, *hidden), head, head, *decoder(*hidden)]


_NETWORKS = {"actor": actor, "actor_prob": actor, "critic": critic, "vae": vae, "ensemble": critic}


def twins(cell: Cell, layers: Layers) -> list[Product]:
    """Return the products that TD3 and SAC share: gradients of both critics and of an actor with these layers.

    With `whole`, also those of the targets: the actor's output, and both critics' values of it.
    """
    critics = critic(*cell.hidden)
    learning = [*forward(cell.batch, critics, 2), *backward(cell.batch, critics, 2)]
    learning += [*forward(cell.batch, layers), *backward(cell.batch, layers)]
    targets = [*forward(cell.batch, layers), *forward(cell.batch, critics, 2)]
    return learning + targets if cell.kind == "whole" else learning


def td3(cell: Cell) -> list[Product]:
    """Return TD3's products; the actor learns through the first critic."""
    layers = critic(*cell.hidden, needed=ACT)
    return [
        *twins(cell, actor(*cell.hidden)),
        *forward(cell.batch, layers),
        *backward(cell.batch, layers, weights=False),
    ]


def sac(cell: Cell) -> list[Product]:
    """Return SAC's products; the actor has a second head and learns through both critics."""
    layers, hidden = critic(*cell.hidden, needed=ACT), cell.hidden[-1]
    layers = [*actor(*cell.hidden), Layer(hidden, ACT, hidden)]
    through = [*forward(cell.batch, layers, 2), *backward(cell.batch, layers, 2, weights=False)]
    return [*twins(cell, layers), *through]


def bcq(cell: Cell) -> list[Product]:
    """Return BCQ's products: the VAE, targets with ten actions for each row, both critics, and the perturbation."""
    hidden, batch = cell.hidden, cell.batch
    critics, layers, perturbed = critic(*hidden), critic(*hidden, needed=ACT), chain(OBS + ACT, *hidden, ACT)
    learning = [*forward(batch, vae(*hidden)), *backward(batch, vae(*hidden))]
    targets = [*forward(SAMPLED * batch, decoder(*hidden)), *forward(SAMPLED * batch, critics, 2)]
    both = [*forward(batch, critics, 2), *backward(batch, critics, 2)]
    moved = [*forward(batch, decoder(*hidden)), *forward(batch, perturbed), *backward(batch, perturbed)]
    return [*learning, *targets, *both, *moved, *forward(batch, layers), *backward(batch, layers, weights=False)]


SAMPLED = 10
"""Actions that BCQ draws for each next observation."""

LEARNING: dict[str, Callable[[Cell], list[Product]]] = {"td3": td3, "sac": sac, "bcq": bcq}


def forward(rows: int, layers: Layers, members: int = 0) -> list[Product]:
    """Return the products for the outputs of layers."""
    side = (members,) if members else ()
    shapes = [((*side, rows, layer.inputs), (*side, layer.inputs, layer.outputs)) for layer in layers]
    return [product(drawn(*x), drawn(*weight)) for x, weight in shapes]


def backward(rows: int, layers: Layers, members: int = 0, weights: bool = True) -> list[Product]:
    """Return the products for the cotangents of inputs that need them, and of the weights."""
    side = (members,) if members else ()
    found = []
    for layer in reversed(layers):
        cotangent = drawn(*side, rows, layer.outputs)
        if layer.needed:
            found.append(product(cotangent, drawn(*side, layer.outputs, layer.needed)))
        if weights:
            found.append(product(drawn(*side, rows, layer.inputs).swapaxes(-1, -2), cotangent))
    return found
