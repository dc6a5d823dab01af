"""Weight and bias of a linear layer with factorized noise (Fortunato et al. 2018).

    W = M + S * E,  b = m + s * q,  E = outer(p, q)

Symbols: `M`, `S`, `W`, `E` `(in, out)`; `m`, `s`, `b`, `q` `(out,)`; `p` `(in,)`. `dW` is the cotangent of `W`, and so
on.
"""

from npnets.autodiff import Pair, fused
from npnets.backend import Array, namespace


def _composition(
    mu_weight: Array, sigma_weight: Array, mu_bias: Array, sigma_bias: Array, p: Array, q: Array
) -> tuple[Array, Array]:
    return mu_weight + sigma_weight * (p[:, None] * q), mu_bias + sigma_bias * q


def _forward(
    mu_weight: Array, sigma_weight: Array, mu_bias: Array, sigma_bias: Array, p: Array, q: Array
) -> tuple[tuple[Array, Array], Array]:
    noise = p[:, None] * q
    weight = sigma_weight * noise
    weight += mu_weight
    return (weight, mu_bias + sigma_bias * q), noise


def _evaluate(
    mu_weight: Array, sigma_weight: Array, mu_bias: Array, sigma_bias: Array, p: Array, q: Array
) -> tuple[Array, Array]:
    weight = p[:, None] * q
    weight *= sigma_weight
    weight += mu_weight
    return weight, mu_bias + sigma_bias * q


def _backward(g: list[Array | None], noise: Array, argnums: tuple[int, ...], *args: Array) -> tuple[Array, ...]:
    _, sigma_weight, _, sigma_bias, p, q = args
    dweight = namespace(q).zeros_like(sigma_weight) if g[0] is None else g[0]
    dbias = namespace(q).zeros_like(q) if g[1] is None else g[1]
    cotangent = (
        lambda: dweight,  # W = M + S * E
        lambda: dweight * noise,
        lambda: dbias,  # b = m + s * q
        lambda: dbias * q,
        lambda: (dweight * sigma_weight) @ q,  # E = outer(p, q)
        lambda: p @ (dweight * sigma_weight) + dbias * sigma_bias,
    )
    return tuple(cotangent[argnum]() for argnum in argnums)


_PAIR = Pair(_forward, _backward, _evaluate)
_apply = fused(_composition, cpu=_PAIR, gpu=_PAIR)


def noisy_parameters(
    mu_weight: Array, sigma_weight: Array, mu_bias: Array, sigma_bias: Array, p: Array, q: Array
) -> tuple[Array, Array]:
    """Return `W` and `b` from `M`, `S`, `m`, `s` and the noise."""
    return _apply(mu_weight, sigma_weight, mu_bias, sigma_bias, p, q)
