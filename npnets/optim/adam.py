"""Adam, and Adam with weight decay apart from the gradient.

Symbols of Kingma and Ba 2015: `alpha` is the learning rate, `mu` and `nu` are their `m` and `v`, `t` numbers updates.
The rule computes in the order of the end of their section 2, which corrects the bias of both moments in two numbers,
`alpha_t` and `eps_t`: that saves two of fourteen passes over each leaf, `mu / (1 - beta1^t)` and `nu / (1 - beta2^t)`.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from npnets.backend import Array
from npnets.description import set_fields
from npnets.optim.arithmetic import Arithmetic, Rule
from npnets.optim.leafwise import LeafwiseOptimizer
from npnets.optim.rates import Rate
from npnets.optim.settings import check_decay_rate, check_not_negative, set_checked
from npnets.tree import Tree


def _compose(
    ops: Arithmetic, numbers: tuple[float, ...], p: Array, g: Array, mu: Array, nu: Array
) -> tuple[Array, Array, Array]:
    coupled, alpha_t, eps_t, apart, weight, weight_of_square = numbers
    if coupled:
        g = ops.axpy(coupled, p, g)  # g_t = gradient + decay p
    if ops.adam is not None:  # the lines below in one launch
        p_t, mu, nu = ops.adam(p, g, mu, nu, weight, 1 - weight, weight_of_square, alpha_t, eps_t, apart)
        return p_t if alpha_t else p.copy(), mu, nu
    mu = ops.lerp(mu, g, weight)  # m_t = beta1 m + (1 - beta1) g_t
    nu = ops.lerp_square(nu, g, weight_of_square)  # v_t = beta2 v + (1 - beta2) g_t^2
    if not alpha_t:
        return p.copy(), mu, nu
    change = ops.ratio(mu, nu, eps_t)
    change *= -alpha_t  # -alpha_t m_t / (sqrt(v_t) + eps_t)
    if apart:  # with the change and not with p, beside which both may be less than a rounding
        change = ops.axpy(-apart, p, change)
    change += p  # p_t = p - alpha_t m_t / (sqrt(v_t) + eps_t) - alpha decay p
    return change, mu, nu


class AdamState(NamedTuple):
    """State of `adam` and `adamw`: updates made, and the first and second moment, running means of `g` and `g * g`."""

    step: int
    mu: Tree
    nu: Tree


@dataclass(frozen=True, repr=False)
class adam(LeafwiseOptimizer[AdamState]):
    """Adam (Kingma and Ba 2015).

    Parameters
    ----------
    learning_rate, weight_decay : float, function of the step, or dict
        As in `sgd`.
    betas : tuple of two floats
        Decay rates of the running means of gradients and of their squares, in [0, 1).
    eps : float
        Added to the root of the mean square.

    Raises
    ------
    TypeError, ValueError
        As `sgd`.
    """

    learning_rate: Rate = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: Rate = 0.0

    _state_class = AdamState
    _rule = Rule("adam", _compose)
    _is_decoupled: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        betas = self.betas
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"betas must be a pair of numbers, but is {betas!r}")
        set_fields(self, betas=tuple(check_decay_rate("each of betas", beta) for beta in betas))
        set_checked(self, check_not_negative, "eps")

    def _has_moments(self) -> tuple[bool, bool]:
        return True, True

    def _numbers(self, t: int, rate: float, decay: float) -> tuple[float, ...]:
        beta1, beta2 = self.betas
        root = math.sqrt(1 - beta2**t)
        alpha_t, eps_t = rate * root / (1 - beta1**t), self.eps * root
        coupled, apart = (0.0, rate * decay) if self._is_decoupled else (decay, 0.0)
        return coupled, alpha_t, eps_t, apart, 1 - beta1, 1 - beta2


@dataclass(frozen=True, repr=False)
class adamw(adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).

    Parameters
    ----------
    learning_rate, betas, eps
        As in `adam`.
    weight_decay : float, function of the step, or dict
        Multiple of a parameter, times the learning rate, that each update takes away.

    Raises
    ------
    TypeError, ValueError
        As `adam`.
    """

    weight_decay: Rate = 0.01
    _is_decoupled: ClassVar[bool] = True
