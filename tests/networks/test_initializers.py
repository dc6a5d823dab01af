"""Initial values: the distribution of PyTorch and Tianshou, equal seeds in all dtypes, orthogonal weights.

Numbers are drawn in NumPy. `init` moves parameters to the device of a network, which here is that of the running
backend, and `orthogonalize` moves new weights to the device of the parameters.
"""

from functools import partial
from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, bits, device, on_backend
from golden.fixtures import load
from golden.npnets_side import VOCABULARY, by_path, make

import npnets
from npnets import initializers

INITIAL = [case for name in ("networks", "recurrent", "discrete", "quantiles") for case in load(name)["initial"]]
NORMAL = ("eps_p", "eps_q")
"""Parameters without ends: roots of normal numbers."""

each_network = pytest.mark.parametrize("case", INITIAL, ids=lambda case: case["call"])


draws_in_numpy = pytest.mark.numpy_alone("draws in NumPy")


def _made_here(call: str) -> Any:
    """Make a network from the call in a case, on the device of the running test; a bare layer has no device."""
    with_device = {name: value for name, value in VOCABULARY.items() if hasattr(value, "device")}
    return eval(call, {**VOCABULARY, **{name: partial(value, device=device()) for name, value in with_device.items()}})


def _initial(net: Any, rng: Any, dtype: Any = np.float32) -> dict[str, Any]:
    """Draw the parameters of a network and return them by their paths, on the running backend."""
    params = net.init(rng, dtype)
    return by_path(params if hasattr(net, "device") else on_backend(params))


def _draws(case: dict[str, Any]) -> dict[str, Any]:
    net, rng = _made_here(case["call"]), np.random.default_rng(0)
    drawn = [as_numpy(_initial(net, rng)) for _ in range(case["draws"])]
    return {path: np.stack([params[path] for params in drawn]) for path in drawn[0]}


@draws_in_numpy
@pytest.mark.slow
@each_network
def test_initial_values_have_the_distribution_of_tianshous(case: dict[str, Any]) -> None:
    drawn = _draws(case)
    assert drawn.keys() == case["spreads"].keys()
    for path, values in drawn.items():
        expected, count = case["spreads"][path], values.size
        width = expected["max"] - expected["min"]
        if not width:
            assert values.min() == values.max() == pytest.approx(expected["min"], rel=1e-7, abs=0), path
            continue
        # Five standard errors of two samples of even numbers; and their ends, which are off by more once in e^12.
        assert values.std() == pytest.approx(expected["std"], rel=3.2 / count**0.5, abs=0), path
        assert values.mean() == pytest.approx(expected["mean"], rel=0, abs=2.1 * width / count**0.5), path
        if path.endswith(NORMAL):
            continue
        assert values.min() == pytest.approx(expected["min"], rel=0, abs=12 * width / count), path
        assert values.max() == pytest.approx(expected["max"], rel=0, abs=12 * width / count), path


@draws_in_numpy
@pytest.mark.parametrize("fan_in", [1, 4, 100])
def test_a_linear_layer_draws_within_one_over_the_root_of_its_inputs(fan_in: int) -> None:
    params = npnets.Linear(fan_in, 4000).init(np.random.default_rng(0))
    for values in params.values():
        assert np.abs(values).max() <= fan_in**-0.5
        assert np.abs(values).max() > 0.99 * fan_in**-0.5
        assert values.std() == pytest.approx((3 * fan_in) ** -0.5, rel=0.03)


@draws_in_numpy
def test_members_of_an_ensemble_start_differently() -> None:
    weight = npnets.EnsembleLinear(3, 5, 2).init(np.random.default_rng(0))["weight"]
    assert len({member.tobytes() for member in weight}) == 3


@each_network
def test_equal_seeds_give_equal_numbers_in_every_dtype(case: dict[str, Any]) -> None:
    net = _made_here(case["call"])
    single, double = (_initial(net, np.random.default_rng(5), dtype) for dtype in (np.float32, np.float64))
    for path, values in double.items():
        assert values.dtype == np.float64 and single[path].dtype == np.float32
        assert_array_equal(single[path], values.astype(np.float32))


@each_network
def test_equal_seeds_give_equal_parameters_and_different_seeds_different_ones(case: dict[str, Any]) -> None:
    net = _made_here(case["call"])
    first, again, other = (npnets.tree.ravel(_initial(net, np.random.default_rng(seed)))[0] for seed in (1, 1, 2))
    assert_array_equal(first, again)
    assert not np.array_equal(as_numpy(first), as_numpy(other))


@each_network
def test_equal_seeds_give_equal_bits_on_every_device(case: dict[str, Any]) -> None:
    here, on_cpu = (_initial(net, np.random.default_rng(3)) for net in (_made_here(case["call"]), make(case["call"])))
    assert here.keys() == on_cpu.keys()
    assert bits(here) == bits(on_backend(on_cpu))


SHAPES = {"tall": (7, 3), "wide": (3, 7), "square": (5, 5), "tall ensemble": (4, 6, 2), "wide ensemble": (4, 2, 6)}


@draws_in_numpy
@pytest.mark.parametrize("gain", [1.0, 2**0.5, 0.01])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_orthogonal_weights_have_orthogonal_rows_or_columns_as_long_as_the_gain(shape: Any, gain: float) -> None:
    weight = initializers.orthogonal(np.random.default_rng(0), shape, gain, np.float64)
    assert weight.shape == shape and weight.dtype == np.float64 and weight.flags.c_contiguous
    tall = weight if shape[-2] >= shape[-1] else weight.swapaxes(-1, -2)
    products = tall.swapaxes(-1, -2) @ tall
    np.testing.assert_allclose(products, np.broadcast_to(gain**2 * np.eye(tall.shape[-1]), products.shape), atol=1e-12)


@draws_in_numpy
def test_orthogonal_weights_are_evenly_distributed() -> None:
    rng = np.random.default_rng(0)
    angles = [np.arctan2(*initializers.orthogonal(rng, (2, 1), dtype=np.float64)[:, 0]) for _ in range(4000)]
    counts, _ = np.histogram(angles, bins=8, range=(-np.pi, np.pi))
    assert np.abs(counts - 500).max() < 100


@draws_in_numpy
def test_orthogonal_weights_are_the_same_in_every_dtype_and_differ_between_members() -> None:
    single, double = (initializers.orthogonal(np.random.default_rng(0), (2, 3, 3), 1.5, d) for d in ("f4", "f8"))
    np.testing.assert_array_equal(single, double.astype(np.float32))
    assert single.dtype == np.float32
    assert np.abs(double[0] - double[1]).max() > 0.1


@draws_in_numpy
@pytest.mark.parametrize("shape", [(), (3,)])
def test_orthogonal_weights_need_two_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least two axes"):
        initializers.orthogonal(np.random.default_rng(0), shape)


def _assert_orthogonal(weight: Any, gain: float) -> None:
    tall = weight if weight.shape[-2] >= weight.shape[-1] else weight.swapaxes(-1, -2)
    products = tall.swapaxes(-1, -2) @ tall
    assert_allclose(products, np.broadcast_to(gain**2 * np.eye(tall.shape[-1]), products.shape), atol=1e-5)


@pytest.mark.parametrize("linear_layer", [npnets.Linear, partial(npnets.EnsembleLinear, 3)])
def test_orthogonalize_draws_new_weights_zeroes_biases_and_does_not_change_norms(linear_layer: Any) -> None:
    net = npnets.Net(5, 3, (7, 6), norm_layer="layer_norm", linear_layer=linear_layer, device=device())
    params = npnets.tree.map(lambda leaf: leaf + 1, net.init(np.random.default_rng(0)))
    before = bits(params)
    after = initializers.orthogonalize(np.random.default_rng(1), params, 2**0.5)
    assert npnets.tree.paths(after) == npnets.tree.paths(params)
    for name, part in after["model"].items():
        if name.startswith("linear"):
            _assert_orthogonal(part["weight"], 2**0.5)
            assert not as_numpy(part["bias"]).any() and part["bias"].shape == params["model"][name]["bias"].shape
        else:
            for key in ("weight", "bias"):
                assert_array_equal(part[key], params["model"][name][key])
        assert all(leaf.dtype == np.float32 for leaf in part.values())
    assert bits(params) == before


def test_orthogonalize_does_not_change_log_sigma_and_takes_parts_of_networks() -> None:
    actor = npnets.ActorProb(npnets.Net(5, hidden_sizes=(7,), device=device()), 2, device=device())
    log_sigma = on_backend(np.full(2, -0.5, np.float32))
    params = {**actor.init(np.random.default_rng(0)), "log_sigma": log_sigma}
    after = initializers.orthogonalize(np.random.default_rng(1), params)
    assert_array_equal(after["log_sigma"], log_sigma)
    last = initializers.orthogonalize(np.random.default_rng(1), params["mu"], 0.01)
    _assert_orthogonal(last["linear_0"]["weight"] / 0.01, 1.0)
    assert np.abs(as_numpy(after["mu"]["linear_0"]["weight"])).max() > 0.1


def test_orthogonalize_keeps_float64() -> None:
    params = on_backend(npnets.Linear(4, 3).init(np.random.default_rng(0), np.float64))
    after = as_numpy(initializers.orthogonalize(np.random.default_rng(0), params))
    assert all(leaf.dtype == np.float64 for leaf in after.values())


@pytest.mark.parametrize("container", [list, tuple])
def test_orthogonalize_maps_over_lists_and_tuples_like_every_tree_function(container: Any) -> None:
    layer = on_backend(npnets.Linear(4, 3).init(np.random.default_rng(0)))
    (after,) = initializers.orthogonalize(np.random.default_rng(1), container([layer]))
    _assert_orthogonal(after["weight"], 1.0)


@draws_in_numpy
@pytest.mark.parametrize("rng", [None, 0, np.random.RandomState(0)])
def test_an_rng_that_is_not_a_generator_is_an_error(rng: Any) -> None:
    for draw in (npnets.Net(3).init, npnets.Linear(3, 2).init, partial(initializers.orthogonal, shape=(3, 2))):
        with pytest.raises(TypeError, match="rng must be a numpy.random.Generator"):
            draw(rng)


@draws_in_numpy
def test_an_integer_dtype_of_parameters_is_an_error() -> None:
    for draw in (npnets.Linear(3, 2).init, npnets.LayerNorm(3).init, npnets.ActorProb(npnets.Net(3), 2).init):
        with pytest.raises(TypeError, match="dtype is int32; use float32 or float64"):
            draw(np.random.default_rng(0), np.int32)


def test_orthogonalize_changes_only_weights_and_biases_of_linear_layers() -> None:
    layer = {"weight": np.ones((2, 2)), "bias": np.ones(2), "temperature": np.ones(()), "norm": {"weight": np.ones(2)}}
    layer = on_backend(layer)
    after = initializers.orthogonalize(np.random.default_rng(0), layer)
    assert_array_equal(after["bias"], [0, 0])
    assert after["temperature"] is layer["temperature"]
    assert after["norm"].keys() == layer["norm"].keys()
    assert after["norm"]["weight"] is layer["norm"]["weight"]
