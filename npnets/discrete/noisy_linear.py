"""A linear layer with noise on its weights, which explores in the place of random actions, and its noise.

    y = x (M + S * outer(p, q)) + m + s * q,   p, q = f(normal numbers),   f(z) = sign(z) sqrt(|z|)

Symbols: `M` and `m` the means of weight and bias, `S` and `s` the factors of their noise; `p` `(in,)`, `q` `(out,)`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import npnets.numpy as nnp
from npnets import tree
from npnets.autodiff import bare
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, asarray_like
from npnets.common.network import Network
from npnets.common.protocols import check_is_network
from npnets.common.sequential import LinearLayers, Operation
from npnets.common.spec import Constant, Parameter, Spec, Uniform, own_spec
from npnets.description import cached_property, set_plain, set_sizes
from npnets.dtypes import DType
from npnets.initializers import check_generator
from npnets.inputs import as_input
from npnets.kernels.noisy_parameters import noisy_parameters
from npnets.tree import Params, Tree

_NOISE = ("eps_p", "eps_q")
_NAMES = frozenset(("mu_weight", "sigma_weight", "mu_bias", "sigma_bias", *_NOISE))


@dataclass(frozen=True)
class FactorNoise:
    """Draws the square root of the size of a standard normal number, with the number's sign."""

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DType) -> Array:
        """Return an array of a shape and dtype."""
        z = rng.standard_normal(shape)
        return (np.sign(z) * np.sqrt(np.abs(z))).astype(dtype)


@dataclass(frozen=True, repr=False)
class NoisyLinear(Network):
    """A linear layer whose weight and bias have noise of a learned size.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last axis before and after.
    noisy_std : float
        The size of the noise at the beginning, which is divided by the square root of `in_features`.

    Notes
    -----
    Tianshou's ``NoisyLinear``; Fortunato et al. 2018, factorized noise. As a `linear_layer`: `npnets.Net(4, 2,
    linear_layer=npnets.discrete.NoisyLinear)`.

    Parameters: `mu_weight` and `sigma_weight` `(in, out)`, `mu_bias` and `sigma_bias` `(out,)`, and the noise itself,
    `eps_p` `(in,)` and `eps_q` `(out,)`, of which every gradient is zero. `sample_noise` draws the noise again,
    `zero_noise` removes it for evaluation. Weight decay and `optim.soft_update` change the noise as they change every
    leaf; after them draw it again.
    """

    in_features: int
    out_features: int
    noisy_std: float = 0.5

    def __post_init__(self) -> None:
        set_plain(self)
        set_sizes(self, "in_features", "out_features")
        if isinstance(self.noisy_std, bool) or not isinstance(self.noisy_std, (int, float)):
            raise TypeError(f"noisy_std must be a number, but is {self.noisy_std!r:.80}")
        if not 0 <= self.noisy_std < math.inf:
            raise ValueError(f"noisy_std must be finite and not negative, but is {self.noisy_std!r}")

    @cached_property
    def spec(self) -> Spec:
        """The means, evenly drawn within `1 / sqrt(in)`; the sizes of the noise, all equal; and the noise."""
        inputs, outputs = (self.in_features,), (self.out_features,)
        mu, sigma = Uniform(self.in_features), Constant(self.noisy_std / math.sqrt(self.in_features))
        weights = {"mu_weight": Parameter(inputs + outputs, mu), "sigma_weight": Parameter(inputs + outputs, sigma)}
        biases = {"mu_bias": Parameter(outputs, mu), "sigma_bias": Parameter(outputs, sigma)}
        noise = {"eps_p": Parameter(inputs, FactorNoise()), "eps_q": Parameter(outputs, FactorNoise())}
        return Spec({**weights, **biases, **noise})

    @computes_where_params
    def forward(self, params: Params, x: ArrayLike) -> Array:
        """Map an array `(..., batch, in)` to `(..., batch, out)`, in the parameters' dtype."""
        leaves = self.spec.read(params, self)
        return self._run(as_input(x, leaves[0], "x"), *leaves)

    def _run(self, x: Array, *leaves: Array) -> Array:
        means_and_sizes, noise = leaves[:4], map(bare, leaves[4:])
        return self._linear(x, *noisy_parameters(*means_and_sizes, *noise))

    @cached_property
    def _linear(self) -> LinearLayers:
        return LinearLayers(((self.in_features, self.out_features),), (None,), self)

    @cached_property
    def _operations(self) -> tuple[Operation, ...]:
        return (Operation(self._run, len(_NAMES)),)


def sample_noise(net: object, params: Params, rng: np.random.Generator) -> Params:
    """Draw the noise of every noisy layer again.

    Parameters
    ----------
    net : network
        Any network, with or without `NoisyLinear` in it.
    params : dict
        Its parameters.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        A new tree, with new arrays in the place of `eps_p` and `eps_q` of each `NoisyLinear`, and the same arrays
        everywhere else.

    Notes
    -----
    The counterpart of what Tianshou's ``RainbowPolicy`` does to a network before each step of learning.
    """
    check_generator(rng, "sample_noise(net, params, rng)")
    noise = FactorNoise()
    return _replaced(net, params, lambda leaf: asarray_like(noise(rng, leaf.shape, leaf.dtype), bare(leaf)))


def zero_noise(net: object, params: Params) -> Params:
    """Remove the noise of every noisy layer, for evaluation: only the means of weights and biases remain.

    Parameters
    ----------
    net : network
        Any network, with or without `NoisyLinear` in it.
    params : dict
        Its parameters.

    Returns
    -------
    dict
        A new tree, with zeros in the place of `eps_p` and `eps_q` of each `NoisyLinear`.

    Notes
    -----
    The counterpart of Tianshou's ``eval()`` of a network.
    """
    return _replaced(net, params, nnp.zeros_like)


def noise_paths(params: Tree) -> set[str]:
    """Return the paths of the noise among parameters, as `tree.paths` writes them."""
    noise: Any = object()
    marked = tree.leaves(_with_noise(params, lambda leaf: noise))
    return {path for path, leaf in zip(tree.paths(params), marked, strict=True) if leaf is noise}


def _replaced(net: object, params: Params, noise_like: Callable[[Array], Array]) -> Params:
    """Return parameters with other noise, after a check that they are a network's."""
    spec = own_spec(net)
    if spec is None:
        check_is_network("net", net)
    else:
        spec.read(params, net)
    return _with_noise(params, noise_like)


def _with_noise(params: Tree, noise_like: Callable[[Array], Array]) -> Tree:
    """Replace noise in the order of sorted keys, so that one seed draws the same whatever the order of a dict."""
    if isinstance(params, (list, tuple)):
        return tree.sequence_like(params, [_with_noise(part, noise_like) for part in params])
    if not isinstance(params, dict):
        return params
    noise = _NOISE if params.keys() >= _NAMES else ()
    replaced = {k: noise_like(params[k]) if k in noise else _with_noise(params[k], noise_like) for k in sorted(params)}
    return {key: replaced[key] for key in params}
