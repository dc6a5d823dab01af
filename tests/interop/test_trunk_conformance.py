"""Critics whose preprocess net sees the observation alone, against Tianshou 1.1.0, 1.2.0 and 2.0.1.

The limits are those of `test_tianshou_conformance.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, on_backend
from golden.fixtures import load
from golden.npnets_side import (
    GRADIENT_TOLERANCE,
    OUTPUT_TOLERANCE,
    assert_all_close,
    by_path,
    gradients,
    inputs_of,
    make,
    parameters,
    run,
)

from npnets.interop.tianshou import from_state_dict, to_state_dict

FILES = ["trunks_1_1", "trunks_1_2", "trunks_2_0"]
CASES = [(file, case) for file in FILES for case in load(file)["cases"]]

each_case = pytest.mark.parametrize(
    "case", [case for _, case in CASES], ids=[f"{file}-{case['name'].replace(' ', '_')}" for file, case in CASES]
)


@each_case
def test_outputs_and_gradients_are_those_of_tianshou(case: dict[str, Any]) -> None:
    outputs = run(case, parameters(case), inputs_of(case))
    assert_all_close(dict(enumerate(outputs)), dict(enumerate(case["outputs"])), OUTPUT_TOLERANCE)
    params_grads, inputs_grads = gradients(case)
    assert_all_close(params_grads, case["params_grads"], GRADIENT_TOLERANCE)
    assert_all_close(inputs_grads, case["inputs_grads"], GRADIENT_TOLERANCE)
    assert all(grads.any() for grads in as_numpy(inputs_grads).values())


@pytest.mark.numpy_alone("about names and bits")
@each_case
def test_state_dicts_are_translated_both_ways_bit_for_bit(case: dict[str, Any]) -> None:
    net, state_dict = make(case["call"]), case["state_dict"]
    params = from_state_dict(net, state_dict)
    read, expected = by_path(params), case["params"]
    assert {path: array.tobytes() for path, array in read.items()} == {
        path: np.ascontiguousarray(array).tobytes() for path, array in expected.items()
    }
    written = to_state_dict(net, params)
    assert list(written) == list(state_dict)
    assert all(np.array_equal(written[name], array) for name, array in state_dict.items())


@pytest.mark.parametrize("name", ["a critic of tokens and actions", "a critic given its number of tokens and actions"])
def test_an_action_shape_counts_the_actions_that_tianshou_has_its_user_add(name: str) -> None:
    case = next(case for case in load("trunks_1_2")["cases"] if case["name"] == name)
    given = "preprocess_net_output_dim=6" in case["call"]
    call = case["call"].replace("output_dim=6", "output_dim=4") if given else case["call"].replace("5, 4, 6", "5, 4, 4")
    counted = {**case, "call": f"{call[:-1]}, action_shape=2)"}
    assert counted["call"].count("4") == case["call"].count("4") + 1
    outputs = run(counted, parameters(counted), inputs_of(counted))
    assert_all_close(dict(enumerate(outputs)), dict(enumerate(case["outputs"])), OUTPUT_TOLERANCE)


def test_turning_the_flag_changes_what_the_preprocess_net_sees() -> None:
    call = "Critic(Tokens(5, 4, 4){})"
    seen = make(call.format(", apply_preprocess_net_to_obs_only=True"))
    params, obs = on_backend((seen.init(np.random.default_rng(0)), np.ones((3, 6, 5), np.float32)))
    assert seen.forward(params, obs).shape == (3, 1)
    with pytest.raises(ValueError, match="30"):
        make(call.format("")).forward(params, obs)  # the tokens in one row
