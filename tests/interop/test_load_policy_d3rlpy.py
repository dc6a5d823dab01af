"""Policies that real releases of d3rlpy saved act as `algo.predict` does.

`tests/support/golden/make_d3rlpy.py` writes the files. Variants of them are made here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from d3rlpy_files import EXPECTED, FOLDER, NEWEST, OBSERVATIONS, contents_of, params_of, written

from npnets import normalization
from npnets.interop import load_policy

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

FILES = sorted(FOLDER.glob("*/*.d3"))


def test_the_files_are_of_all_formats_and_of_every_kind_of_layer() -> None:
    assert {file.parent.name for file in FILES} == {"2.0.2", "2.2.0", "2.8.1"}
    others = ("observations", "deviation", "values")
    recorded = [name for found in EXPECTED.values() for name in found if not name.startswith(others)]
    assert len(FILES) == len(recorded) >= 20


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name} {file.stem}")
def test_a_policy_acts_as_d3rlpy_predicts(file: Path) -> None:
    expected = EXPECTED[file.parent.name][file.stem]
    policy = load_policy(file)
    actions = policy.act(OBSERVATIONS)
    if expected.dtype.kind == "i":
        assert np.array_equal(actions, expected) and len(set(expected.tolist())) > 1
        return
    assert actions.dtype == np.float32 and np.ptp(expected, axis=0).min() > 1e-3
    np.testing.assert_allclose(actions, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(policy.act(OBSERVATIONS[0]), expected[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["dqn", "nfq_quantiles"])
def test_the_values_of_actions_are_those_that_d3rlpy_predicts(name: str) -> None:
    policy = load_policy(NEWEST / f"{name}.d3")
    values, _ = policy.network.forward(policy.params, OBSERVATIONS)
    np.testing.assert_allclose(values, EXPECTED["2.8.1"][f"values of {name}"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["cal_ql", "cql_layer_norm", "sac_batch_norm", "sac_dropout"])
def test_the_deviation_of_a_squashed_gaussian_policy_is_kept(name: str) -> None:
    policy = load_policy(NEWEST / f"{name}.d3")
    (_, deviation), _ = policy.network.forward(policy.params, OBSERVATIONS)
    expected = EXPECTED["2.8.1"][f"deviation of {name}"]
    assert np.ptp(expected, axis=0).max() > 1e-3
    np.testing.assert_allclose(deviation, expected, rtol=3e-6)


def test_the_bounds_are_those_of_the_action_scaler_or_one() -> None:
    scaled, plain = load_policy(NEWEST / "td3_plus_bc_scaled.d3"), load_policy(NEWEST / "ddpg.d3")
    assert scaled.low.tolist() == [-2.0, 0.5] and scaled.high.tolist() == [1.0, 0.75]
    assert plain.low.tolist() == [-1.0, -1.0] and plain.high.tolist() == [1.0, 1.0]


def test_a_default_encoder_has_two_layers_of_its_activation(tmp_path: Path) -> None:
    contents = contents_of("prdc")
    default = {"type": "default", "params": {"activation": "tanh", "use_batch_norm": False, "dropout_rate": None}}
    params_of(contents)["actor_encoder_factory"] = default
    actions = load_policy(written(tmp_path / "x.d3", contents)).act(OBSERVATIONS)
    np.testing.assert_allclose(actions, EXPECTED["2.8.1"]["prdc"], rtol=1e-6, atol=1e-6)


def test_given_statistics_replace_the_scaler_of_observations() -> None:
    path = NEWEST / "td3_plus_bc_scaled.d3"
    own = load_policy(path)
    assert own.normalization is not None
    other = own.normalization._replace(mean=own.normalization.mean + 0.1)
    changed = load_policy(path, other)
    assert np.array_equal(changed.act(OBSERVATIONS + np.float32(0.1)).shape, own.act(OBSERVATIONS).shape)
    assert not np.allclose(changed.act(OBSERVATIONS), own.act(OBSERVATIONS))
    np.testing.assert_allclose(changed.act(OBSERVATIONS + 0.1), own.act(OBSERVATIONS), atol=1e-3)


def test_an_action_space_may_repeat_the_bounds_of_the_file_but_not_change_them() -> None:
    path = NEWEST / "td3_plus_bc_scaled.d3"
    assert load_policy(path, action_space=([-2.0, 0.5], [1.0, 0.75])).low.tolist() == [-2.0, 0.5]
    with pytest.raises(ValueError, match="action_space"):
        load_policy(path, action_space=(-2.0, 2.0))
    with pytest.raises(ValueError, match="action_space"):
        load_policy(NEWEST / "ddpg.d3", action_space=(-2.0, 2.0))


def test_another_activation_than_that_of_the_file_is_an_error() -> None:
    assert load_policy(NEWEST / "td3_one_layer.d3", activation="gelu").network.preprocess_net.activation == "gelu"
    with pytest.raises(ValueError, match="leave activation out"):
        load_policy(NEWEST / "td3_one_layer.d3", activation="relu")


def test_observations_have_the_shape_that_the_file_names() -> None:
    with pytest.raises(ValueError, match="normalization is of observations of shape"):
        load_policy(NEWEST / "ddpg.d3", normalization.init(4))
