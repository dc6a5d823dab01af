"""An update of Adam on a GPU, one launch for each leaf, with the symbols of `optim/adam.py`."""

from npnets.kernels.cuda.arithmetic import LERP_SOURCE
from npnets.kernels.cuda.elementwise_kernel import ElementwiseKernel

ADAM = ElementwiseKernel(
    "T p, T g, T mu, T nu, T weight, T decay_rate, T weight_of_square, T alpha_t, T eps_t, T decay",
    "T new_p, T new_mu, T new_nu",
    f"""{LERP_SOURCE.format(x="mu", y="g", out="new_mu")}
    new_nu = nu * (T(1) - weight_of_square) + g * g * weight_of_square;
    const T root = sqrt(new_nu) + eps_t;
    new_p = p - (alpha_t * (new_mu / (root == T(0) ? T(1) : root)) + (decay == T(0) ? T(0) : decay * p));""",
    "adam",
)
