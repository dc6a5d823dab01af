"""Every network with every flag against the outputs of Tianshou 1.0.0, as `golden/make_golden.py` recorded it.

An output or gradient is right if it differs nowhere by more than a small share of the array's largest entry: 2e-5 for
outputs, 1e-4 for gradients (`golden.npnets_side.relative_error`), all in float32.
"""

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_allclose, assert_array_equal, on_backend, rounding
from golden.npnets_side import (
    CASES,
    DISCRETE,
    GRADIENT_TOLERANCE,
    NETWORKS,
    OUTPUT_TOLERANCE,
    RECURRENT,
    Scripted,
    assert_all_close,
    by_path,
    flat,
    gradients,
    inputs_of,
    make,
    parameters,
    run,
)
from grouped_cases import grouped
from network_cases import initial

import npnets

# Where a standard deviation stands among the outputs.
DEVIATION = {"ActorProb": 1, "RecurrentActorProb": 1, "VAE": 2}


def _network(case: dict[str, Any]) -> str:
    return case["call"].split("(")[0]  # type: ignore[no-any-return]


WITH_DEVIATION = [case for case in CASES if _network(case) in DEVIATION and case["method"] == "forward"]


def _each(cases: list[dict[str, Any]]) -> Any:
    """Return the decorator that runs a test for each network, with all of its cases."""
    return grouped("case", {_network(a): {b["name"]: b for b in cases if _network(a) == _network(b)} for a in cases})


each_case = _each(CASES)


@each_case
def test_outputs_are_those_of_tianshou(case: dict[str, Any]) -> None:
    outputs = run(case, parameters(case), inputs_of(case))
    assert_all_close(dict(enumerate(outputs)), dict(enumerate(case["outputs"])), OUTPUT_TOLERANCE * _rounding(case))


def _rounding(case: dict[str, Any]) -> float:
    """How much further off a real GPU may be: exp(15) multiplies the last bit of its argument by as much."""
    return rounding(1.0, 1e3) if "clamped at both ends" in case["name"] else 1.0


@_each(WITH_DEVIATION)
def test_standard_deviations_are_those_of_tianshou_however_small(case: dict[str, Any]) -> None:
    index = DEVIATION[_network(case)]
    deviation = run(case, parameters(case), inputs_of(case))[index]
    assert_allclose(deviation, case["outputs"][index], rtol=1e-4 * _rounding(case))


@each_case
def test_gradients_of_parameters_and_inputs_are_those_of_tianshou(case: dict[str, Any]) -> None:
    params_grads, inputs_grads = gradients(case)
    assert_all_close(params_grads, case["params_grads"], GRADIENT_TOLERANCE * _rounding(case))
    assert_all_close(inputs_grads, case["inputs_grads"], GRADIENT_TOLERANCE * _rounding(case))


@pytest.mark.numpy_alone("numbers are drawn in NumPy; test_initializers has what becomes of them elsewhere")
@each_case
def test_init_makes_the_parameters_that_tianshou_has(case: dict[str, Any]) -> None:
    params = initial(make(case["call"]), np.random.default_rng(0))
    made = by_path(as_numpy(params))
    assert {path: leaf.shape for path, leaf in made.items()} == {p: leaf.shape for p, leaf in case["params"].items()}
    assert all(leaf.dtype == np.float32 for leaf in made.values())
    outputs = as_numpy(run(case, params, inputs_of(case)))
    assert [array.shape for array in outputs] == [array.shape for array in case["outputs"]]


@pytest.mark.numpy_alone("no arrays in it")
@_each([case for case in CASES if case["output_dim"] is not None])
def test_output_dim_is_that_of_tianshou(case: dict[str, Any]) -> None:
    assert make(case["call"]).output_dim == case["output_dim"]


@pytest.mark.numpy_alone("reads the cases")
@pytest.mark.parametrize("name", [*NETWORKS, *DISCRETE])
def test_every_network_has_cases_with_one_row_and_with_several(name: str) -> None:
    batches = {next(iter(case["inputs"].values())).shape[-2] for case in CASES if _network(case) == name}
    assert 1 in batches and max(batches) > 1


@pytest.mark.numpy_alone("reads the cases")
@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("from_state", [False, True])
def test_every_recurrent_network_has_cases_of_one_and_several_rows_steps_and_layers(
    name: str, from_state: bool
) -> None:
    cases = [case for case in CASES if _network(case) == name and ("hidden" in case["inputs"]) == from_state]
    shapes = [case["inputs"]["obs"].shape for case in cases]
    rows, steps = {shape[0] for shape in shapes}, {shape[1] if len(shape) == 3 else 1 for shape in shapes}
    layers = {sum(path.endswith("weight_hh") for path in case["params"]) for case in cases}
    assert all(1 in found and max(found) > 1 for found in (rows, steps, layers))


@pytest.mark.numpy_alone("reads the cases")
def test_every_case_but_rectifiers_at_zero_has_gradients_that_are_not_all_zero() -> None:
    grads = {case["name"]: [*case["params_grads"].values(), *case["inputs_grads"].values()] for case in CASES}
    still = [name for name, arrays in grads.items() if not any(array.any() for array in arrays)]
    assert still == ["activation relu at zero itself", "activation relu6 at zero itself"]


@pytest.mark.parametrize(
    "call", ["Net(5, 2)", "Actor(Net(5, 3), 2)", "ActorProb(Net(5, 3), 2)", "DiscreteActor(Net(5, 3), 2)"]
)
def test_a_state_passes_through_a_network_without_memory(call: str) -> None:
    net = make(call)
    params, obs, state = on_backend((net.init(np.random.default_rng(0)), np.ones((1, 5)), {"hidden": np.ones((1, 2))}))
    assert net.forward(params, obs, state)[-1] is state


@pytest.mark.parametrize(
    "call", ["Actor(Net(5), 2)", "ActorProb(Net(5), 2)", "Critic(Net(5))", "DiscreteCritic(Net(5))"]
)
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_a_network_behind_a_net_without_layers_takes_observations_of_any_dtype(call: str, dtype: str) -> None:
    net = make(call)
    params, obs = on_backend((net.init(np.random.default_rng(0)), np.arange(10).reshape(2, 5)))
    expected = list(flat(net.forward(params, obs.astype(np.float32))))
    found = list(flat(net.forward(params, obs.astype(dtype))))
    assert_all_close(dict(enumerate(found)), dict(enumerate(expected)), 0.0)


@pytest.mark.numpy_alone("no arrays in it")
@pytest.mark.parametrize("call", [f"{name}(Net(5), (2, 3))" for name in ("Actor", "ActorProb", "DiscreteActor")])
def test_an_actor_returns_its_preprocess_net_and_its_number_of_actions(call: str) -> None:
    actor = make(call)
    assert actor.get_preprocess_net() == npnets.Net(5)
    assert actor.get_output_dim() == 6


def test_a_vae_draws_the_noise_that_it_can_be_given() -> None:
    case = next(case for case in CASES if case["name"] == "a VAE")
    vae, params, inputs = make(case["call"]), parameters(case), inputs_of(case)
    noise = as_numpy(inputs.pop("noise"))
    outputs = vae.forward(params, *inputs.values(), rng=Scripted(noise))
    assert_all_close(dict(enumerate(outputs)), dict(enumerate(case["outputs"])), OUTPUT_TOLERANCE)


def test_a_drawn_latent_vector_is_clipped_to_half_and_a_given_one_is_not() -> None:
    case = next(case for case in CASES if case["name"] == "a VAE clips a drawn latent vector, batch of one")
    vae, params = make(case["call"]), parameters(case)
    state, latent_z = case["inputs"].values()
    assert np.abs(latent_z).max() > 0.5
    state = on_backend(state)
    given, clipped = (vae.decode(params, state, on_backend(z)) for z in (latent_z, np.clip(latent_z, -0.5, 0.5)))
    drawn = vae.decode(params, state, rng=Scripted(latent_z))
    assert_array_equal(drawn, clipped)
    assert np.abs(as_numpy(drawn) - as_numpy(given)).max() > 1e-3


def test_the_bound_of_an_unbounded_actor_changes_nothing() -> None:
    with pytest.warns(UserWarning, match="max_action is discarded"):
        bounded = make("ActorProb(Net(5, 4), 2, max_action=3.0, unbounded=True)")
    free = make("ActorProb(Net(5, 4), 2, unbounded=True)")
    params = on_backend(free.init(np.random.default_rng(0)))
    obs = on_backend(np.random.default_rng(1).standard_normal((4, 5)) * 10)
    (mu, sigma), _ = bounded.forward(params, obs)
    (free_mu, free_sigma), _ = free.forward(params, obs)
    assert_array_equal(mu, free_mu)
    assert_array_equal(sigma, free_sigma)
    assert np.abs(as_numpy(mu)).max() > 3
