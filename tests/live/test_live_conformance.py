"""Random networks of every class against the installed Tianshou: outputs, gradients, state dicts and warnings."""

from __future__ import annotations

import math
import os
import warnings
from inspect import signature
from typing import Any

import numpy as np
import pytest
import torch
from golden.npnets_side import (
    GRADIENT_TOLERANCE,
    NETWORKS,
    OUTPUT_TOLERANCE,
    QUANTILES,
    RECURRENT,
    assert_all_close,
    by_path,
    filled,
    gradients,
    inputs_of,
    make,
    parameters,
    relative_error,
    run,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import npnets
from npnets.interop.tianshou import from_state_dict, to_state_dict

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Tianshou's dependencies warn of deprecations
    import make_golden
    import torch_trunks
    from drawn_cases import Case, cases
    from tianshou.utils.net import continuous

pytestmark = [pytest.mark.live, pytest.mark.numpy_alone("NumPy against PyTorch on a processor")]

EXAMPLES = int(os.environ.get("NPNETS_LIVE_EXAMPLES", "100"))
ROUNDING = 4.0
"""If sums cancel, the errors of both sides may exceed the bars; a result in float64 gives the rounding error of npnets.

A wrong derivative is wrong in both dtypes, and gets no allowance.
"""

BARS = {"outputs": OUTPUT_TOLERANCE, "params_grads": GRADIENT_TOLERANCE, "inputs_grads": GRADIENT_TOLERANCE}
SEEDS = st.integers(0, 2**32 - 1)

make_golden.VOCABULARY["Tokens"] = torch_trunks.Tokens
DISCRETE = ("DiscreteActor", "DiscreteCritic", "BranchingNet", "IntrinsicCuriosityModule")
LATER = ["Critic of features"] * ("apply_preprocess_net_to_obs_only" in str(signature(continuous.Critic)))
"""Cases of arguments that came after Tianshou 1.0.0."""

each_network = pytest.mark.parametrize("network", [*NETWORKS, *RECURRENT, *DISCRETE, *QUANTILES, *LATER])
random = settings(max_examples=EXAMPLES, derandomize=False, suppress_health_check=list(HealthCheck))


def _quietly(make_it: Any, *args: Any) -> tuple[Any, bool]:
    """Return the result of a call, and whether it warned of a bound without effect."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = make_it(*args)
    return made, bool(caught)


@each_network
@random
@given(data=st.data())
def test_outputs_and_gradients_equal_those_of_tianshou(
    network: str, largest: dict[str, float], data: st.DataObject
) -> None:
    case, seed = data.draw(cases(network), "case"), data.draw(SEEDS, "seed")
    recorded, _ = _quietly(_recorded, case, seed)
    found, _ = _quietly(_results, recorded)
    precise, _ = _quietly(_results, _in_double(recorded))
    for kind, bar in BARS.items():
        assert_all_close(found[kind], recorded[kind], math.inf)  # shapes and dtypes
        for name, expected in recorded[kind].items():
            error = relative_error(found[kind][name], expected)
            what = f"{network} {kind}"
            largest[what] = max(largest.get(what, 0.0), error)
            own = relative_error(found[kind][name], precise[kind][name])
            assert error <= max(bar, ROUNDING * own), f"{kind} {name}: {error:.1e}, of which our rounding is {own:.1e}"


def _recorded(case: Case, seed: int) -> dict[str, Any]:
    recorded = make_golden.recorded(case, *make_golden.random_network(case, seed))
    return {**recorded, "outputs": dict(enumerate(recorded["outputs"]))}


def _results(recorded: dict[str, Any]) -> dict[str, dict[Any, Any]]:
    """Return npnets' outputs and gradients."""
    params_grads, inputs_grads = gradients(recorded)
    outputs = run(recorded, parameters(recorded), inputs_of(recorded))
    return {"outputs": dict(enumerate(outputs)), "params_grads": params_grads, "inputs_grads": inputs_grads}


def _in_double(recorded: dict[str, Any]) -> dict[str, Any]:
    parts = ("params", "inputs", "weights")
    return {**recorded, **npnets.tree.map(np.float64, {part: recorded[part] for part in parts})}


@each_network
@random
@given(data=st.data())
def test_state_dicts_are_translated_both_ways(network: str, data: st.DataObject) -> None:
    case, seed = data.draw(cases(network), "case"), data.draw(SEEDS, "seed")
    (module, _), warned = _quietly(make_golden.random_network, case, seed)
    net, also_warned = _quietly(make, case.call)
    assert warned == also_warned
    params = from_state_dict(net, module.state_dict())
    assert not hasattr(module, "output_dim") or module.output_dim == net.output_dim
    named = {path: make_golden.numpy_of(value, path) for path, value in make_golden.parameters(module)}
    expected = filled(net.init(np.random.default_rng(0)), named)
    assert _bits(by_path(params)) == _bits(by_path(expected))
    written = {name: torch.from_numpy(array) for name, array in to_state_dict(net, params).items()}
    (twin, _), _ = _quietly(make_golden.random_network, case, seed + 1)
    twin.load_state_dict(written, strict=True)
    assert list(written) == list(module.state_dict())
    assert all(torch.equal(value, twin.state_dict()[name]) for name, value in module.state_dict().items())


def _bits(arrays: dict[str, Any]) -> dict[str, Any]:
    return {path: (array.shape, array.dtype, array.tobytes()) for path, array in arrays.items()}


@pytest.mark.parametrize("network", ["Actor(Net(5, 4), 3", "ActorProb(Net(5, 4), 3", "Critic(Net(5, 4)"])
def test_a_number_of_features_other_than_that_of_the_preprocess_net_is_an_error_in_both(network: str) -> None:
    call = f"{network}, preprocess_net_output_dim=5)"
    for side in (make, lambda call: make_golden.random_network(Case("", call, {}), 0)):
        with pytest.raises(ValueError, match="5"):
            side(call)
