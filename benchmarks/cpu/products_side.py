"""The floor of the benchmark of speed: the matrix products alone of each cell, in NumPy, with nothing between them.

Into memory that is there already, every factor laid out as it multiplies fastest. A gradient needs, for each layer, the
product for its output, that for its weight, and that for its input as far as somebody asks for it. An actor that learns
through a critic needs no gradient of the critic's weights, and of its input that of the actions alone.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from benchmarks.cpu import lstm_products
from benchmarks.cpu.cells import ACT, KINDS, LATENT, MEMBERS, OBS, RECURRENT, Cell
from benchmarks.cpu.lstm_products import Product, drawn, product


class Layer(NamedTuple):
    """What a layer takes and gives, and of how many of its inputs the gradient is asked for."""

    inputs: int
    outputs: int
    asked: int


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


def chain(*widths: int, asked: int = 0) -> Layers:
    """Return layers one after the other, `asked` for the first one's inputs."""
    return [Layer(*pair, pair[0] if index else asked) for index, pair in enumerate(pairwise(widths))]


def actor(*hidden: int) -> Layers:
    """Return a deterministic actor's layers."""
    return chain(OBS, *hidden, ACT)


def critic(*hidden: int, asked: int = 0) -> Layers:
    """Return a critic's layers; an actor that learns through it asks for the gradient of its actions."""
    return chain(OBS + ACT, *hidden, 1, asked=asked)


def decoder(*hidden: int) -> Layers:
    """Return the VAE's decoder, whose latent vectors pass a gradient on."""
    return chain(OBS + LATENT, *hidden, ACT, asked=LATENT)


def vae(*hidden: int) -> Layers:
    """Return the VAE's layers."""
    head = Layer(hidden[-1], LATENT, hidden[-1])
    return [*chain(OBS + ACT, *hidden), head, head, *decoder(*hidden)]


_NETWORKS = {"actor": actor, "actor_prob": actor, "critic": critic, "vae": vae, "ensemble": critic}


def twins(cell: Cell, layers: Layers) -> list[Product]:
    """Return TD3's and SAC's products but for the actor's part: both critics learn, and an actor with these layers.

    With `whole`, also those of the targets: the actor's output and both critics' to it.
    """
    critics = critic(*cell.hidden)
    learning = [*forward(cell.batch, critics, 2), *backward(cell.batch, critics, 2)]
    learning += [*forward(cell.batch, layers), *backward(cell.batch, layers)]
    targets = [*forward(cell.batch, layers), *forward(cell.batch, critics, 2)]
    return learning + targets if cell.kind == "whole" else learning


def td3(cell: Cell) -> list[Product]:
    """Return TD3's products, whose actor asks the first critic."""
    asked = critic(*cell.hidden, asked=ACT)
    return [*twins(cell, actor(*cell.hidden)), *forward(cell.batch, asked), *backward(cell.batch, asked, weights=False)]


def sac(cell: Cell) -> list[Product]:
    """Return SAC's products, whose actor has a second head and asks both critics."""
    asked, hidden = critic(*cell.hidden, asked=ACT), cell.hidden[-1]
    layers = [*actor(*cell.hidden), Layer(hidden, ACT, hidden)]
    through = [*forward(cell.batch, asked, 2), *backward(cell.batch, asked, 2, weights=False)]
    return [*twins(cell, layers), *through]


def bcq(cell: Cell) -> list[Product]:
    """Return BCQ's products: the VAE, the targets of ten actions a row, both critics, and the perturbation."""
    hidden, batch = cell.hidden, cell.batch
    critics, asked, perturbed = critic(*hidden), critic(*hidden, asked=ACT), chain(OBS + ACT, *hidden, ACT)
    learning = [*forward(batch, vae(*hidden)), *backward(batch, vae(*hidden))]
    targets = [*forward(SAMPLED * batch, decoder(*hidden)), *forward(SAMPLED * batch, critics, 2)]
    both = [*forward(batch, critics, 2), *backward(batch, critics, 2)]
    moved = [*forward(batch, decoder(*hidden)), *forward(batch, perturbed), *backward(batch, perturbed)]
    return [*learning, *targets, *both, *moved, *forward(batch, asked), *backward(batch, asked, weights=False)]


SAMPLED = 10
"""Actions that BCQ draws for each next observation."""

LEARNING: dict[str, Callable[[Cell], list[Product]]] = {"td3": td3, "sac": sac, "bcq": bcq}


def forward(rows: int, layers: Layers, members: int = 0) -> list[Product]:
    """Return the products for the outputs of layers."""
    side = (members,) if members else ()
    shapes = [((*side, rows, layer.inputs), (*side, layer.inputs, layer.outputs)) for layer in layers]
    return [product(drawn(*x), drawn(*weight)) for x, weight in shapes]


def backward(rows: int, layers: Layers, members: int = 0, weights: bool = True) -> list[Product]:
    """Return the products for the cotangents of inputs that are asked for, and of the weights."""
    side = (members,) if members else ()
    found = []
    for layer in reversed(layers):
        cotangent = drawn(*side, rows, layer.outputs)
        if layer.asked:
            found.append(product(cotangent, drawn(*side, layer.outputs, layer.asked)))
        if weights:
            found.append(product(drawn(*side, rows, layer.inputs).swapaxes(-1, -2), cotangent))
    return found
