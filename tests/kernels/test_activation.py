"""`Activation`: one value for a named activation or a user's own function, which compares by value and applies it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from backends import assert_allclose, on_backend

import npnets.numpy as nnp
from npnets.functional import resolve_activation
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import Activation

Z = np.array([-2.0, 0.0, 3.0], np.float32)


@pytest.mark.numpy_alone("about values without arrays")
def test_arguments_left_out_given_by_position_or_by_name_make_the_same_activation() -> None:
    assert (
        Activation("softplus") == Activation("softplus", (1.0,)) == Activation("softplus", kwargs={"threshold": 20.0})
    )
    assert Activation("softplus") != Activation("softplus", (2.0,))
    assert resolve_activation("elu", {"alpha": 0.5}) == resolve_activation("elu", (0.5,)) == Activation("elu", (0.5,))
    assert len({Activation("elu"), Activation("elu", (1.0,)), Activation("elu", (0.5,))}) == 2
    assert pickle.loads(pickle.dumps(Activation("elu", (0.5,)))) == Activation("elu", (0.5,))


@pytest.mark.numpy_alone("about values without arrays")
def test_arguments_that_a_named_activation_does_not_take_are_errors() -> None:
    with pytest.raises(TypeError, match="too many positional arguments"):
        Activation("tanh", (1.0,))


def test_an_activation_is_a_function_of_an_array_with_its_arguments() -> None:
    assert_allclose(Activation("leaky_relu", (0.5,))(on_backend(Z)), [-1.0, 0.0, 3.0])
    times = resolve_activation(lambda z, factor, shift=0.0: nnp.abs(z) * factor + shift, (2.0,))
    assert times is not None
    assert_allclose(times(on_backend(Z)), [4.0, 0.0, 6.0])


@pytest.mark.numpy_alone("about dtypes that the kernels on a GPU do not have")
@pytest.mark.parametrize("name", FORMULAS)
def test_arrays_of_half_precision_are_computed_though_they_have_no_derivative(name: str) -> None:
    activation, z = Activation(name), np.array([-2.0, -0.5, 0.25, 3.0])
    np.testing.assert_allclose(activation(z.astype(np.float16)), activation(z), 4e-3, 4e-3)
