"""Files of d3rlpy with a part that has no counterpart in npnets, or that is damaged, are refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from d3rlpy_files import OBSERVATIONS, Contents, contents_of, encoder_of, params_of, written
from hypothesis import given
from hypothesis import strategies as st
from state_dict_files import torch_bytes

from npnets.interop import load_policy

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")


def refused(folder: Path, name: str, change: Callable[[Contents], object], words: str) -> None:
    """Check that a file with a change is refused in these words."""
    contents = contents_of(name)
    change(contents)
    path = written(folder / "policy.d3", contents)
    with pytest.raises(ValueError, match=words) as error:
        load_policy(path)
    assert str(error.value).startswith(f"{path} cannot be read: ") and "\n" not in str(error.value)


ALGORITHMS = {
    "bcq": "draws actions at random",
    "bear": "draws actions at random",
    "crr": "draws actions at random",
    "plas": "second network",
    "plas_with_perturbation": "second network",
    "decision_transformer": "transformer",
    "discrete_decision_transformer": "transformer",
    "tacr": "transformer",
    "random_policy": "those that are read are awac, bc,",
    "discrete_bcq": "those that are read are awac, bc,",
}


@pytest.mark.parametrize(("algorithm", "words"), ALGORITHMS.items())
def test_an_algorithm_without_a_counterpart_is_refused_by_name(tmp_path: Path, algorithm: str, words: str) -> None:
    def change(contents: Contents) -> None:
        contents["config"]["config"]["type"] = algorithm

    refused(tmp_path, "ddpg", change, f"{algorithm}.*{words}")


CHANGES: dict[str, tuple[str, Callable[[Contents], object], str]] = {
    "pixel encoder": (
        "ddpg",
        lambda c: params_of(c)["actor_encoder_factory"].update(type="pixel"),
        "'pixel', which has convolutions",
    ),
    "simba encoder": (
        "ddpg",
        lambda c: params_of(c)["actor_encoder_factory"].update(type="simba"),
        "'simba', which has residual blocks",
    ),
    "own encoder": (
        "ddpg",
        lambda c: params_of(c)["actor_encoder_factory"].update(type="mine"),
        "encoder is 'mine'; the encoders that are read are 'default' and 'vector'",
    ),
    "dense encoder": ("ddpg", lambda c: encoder_of(c).update(use_dense=True), "use_dense=True"),
    "geglu": ("ddpg", lambda c: encoder_of(c).update(activation="geglu"), "'geglu'; those that are read are relu"),
    "no layers": ("ddpg", lambda c: encoder_of(c).update(hidden_units=[]), "hidden_units"),
    "more layers": (
        "ddpg",
        lambda c: encoder_of(c).update(hidden_units=[5, 4, 4]),
        "lacks '_encoder._layers.4.weight'",
    ),
    "a million layers": ("ddpg", lambda c: encoder_of(c).update(hidden_units=[1] * 10**6), "has 1000000 hidden layers"),
    "fewer layers": (
        "ddpg",
        lambda c: encoder_of(c).update(hidden_units=[5]),
        r"has '_encoder._layers.2.weight'.*which its configuration does not name",
    ),
    "no norm": (
        "cql_layer_norm",
        lambda c: encoder_of(c).update(use_layer_norm=False),
        "must be \\(out, in\\) and \\(out,\\)|which its configuration does not name",
    ),
    "tuples of observations": (
        "ddpg",
        lambda c: c["config"].update(observation_shape=[[3], [2]]),
        "observations with one axis",
    ),
    "images": ("ddpg", lambda c: c["config"].update(observation_shape=[3, 8, 8]), "observations with one axis"),
    "other observations": ("ddpg", lambda c: c["config"].update(observation_shape=[5]), "takes 3 numbers.*says 5"),
    "other actions": ("ddpg", lambda c: c["config"].update(action_size=3), "has 2 outputs.*says 3 actions"),
    "no actions": ("ddpg", lambda c: c["config"].update(action_size=0), "action_size is 0"),
    "scaler of pixels": (
        "ddpg",
        lambda c: params_of(c).update(observation_scaler={"type": "pixel", "params": {}}),
        "observation scaler is 'pixel'",
    ),
    "scaler of tuples": (
        "ddpg",
        lambda c: params_of(c).update(observation_scaler={"type": "tuple", "params": {"observation_scalers": []}}),
        "observation scaler is 'tuple'",
    ),
    "unfitted scaler": (
        "ddpg",
        lambda c: params_of(c).update(observation_scaler={"type": "standard", "params": {"mean": None, "std": None}}),
        "no mean; d3rlpy fits scalers to data",
    ),
    "constant observations": (
        "bc_min_max",
        lambda c: params_of(c)["observation_scaler"]["params"].update(maximum=[0.0, -3.0, -0.7]),
        "not positive",
    ),
    "numbers that are none": (
        "bc_min_max",
        lambda c: params_of(c)["observation_scaler"]["params"].update(maximum=[1.0, float("nan"), 2.0]),
        "3 finite numbers must be",
    ),
    "too few numbers": (
        "bc_min_max",
        lambda c: params_of(c)["observation_scaler"]["params"].update(maximum=[1.0]),
        "3 finite numbers must be",
    ),
    "own action scaler": (
        "ddpg",
        lambda c: params_of(c).update(action_scaler={"type": "mine", "params": {}}),
        "action scaler is 'mine'",
    ),
    "constant actions": (
        "prdc",
        lambda c: params_of(c)["action_scaler"]["params"].update(maximum=[-2.0, 0.75]),
        "each minimum must be below its maximum",
    ),
    "several critics": (
        "dqn",
        lambda c: c["torch"].update(q_funcs={**c["torch"]["q_funcs"], "1._fc.weight": np.zeros((3, 4), np.float32)}),
        "2 critics, of which d3rlpy takes the mean",
    ),
    "quantiles at fractions": (
        "dqn",
        lambda c: params_of(c).update(q_func_factory={"type": "iqn", "params": {}}),
        "of the kind 'iqn'; those that are read are 'mean' and 'qr'",
    ),
    "other quantiles": (
        "nfq_quantiles",
        lambda c: params_of(c)["q_func_factory"]["params"].update(n_quantiles=4),
        "has 14 outputs.*says 2 actions of 4 quantiles",
    ),
    "no quantiles": (
        "nfq_quantiles",
        lambda c: params_of(c)["q_func_factory"]["params"].update(n_quantiles=None),
        "n_quantiles is None, where a number from 1 to 262144 must be",
    ),
    "old release": ("ddpg", lambda c: c.update(version="1.1.1"), "d3rlpy '1.1.1'; files of d3rlpy 2 are read"),
    "no release": ("ddpg", lambda c: c.update(version=None), "d3rlpy None; files of d3rlpy 2 are read"),
    "no JSON": ("ddpg", lambda c: c.update(config="{"), "is no JSON"),
    "deep JSON": ("ddpg", lambda c: c.update(config="[" * 100_000), "is no JSON"),
    "list as JSON": ("ddpg", lambda c: c.update(config="[]"), "is a list, where a dict must be"),
    "no configuration": ("ddpg", lambda c: c["config"].pop("config"), "has config None"),
    "odd part": ("ddpg", lambda c: params_of(c).update(action_scaler=[1]), "has action_scaler"),
    "other bytes": ("ddpg", lambda c: c.update(torch=b"torch"), "in its weights, .* it does not begin as"),
    "no bytes": ("ddpg", lambda c: c.update(torch="torch"), "its weights are no bytes, but 'torch'"),
    "no module": ("ddpg", lambda c: c["torch"].pop("policy"), "lacks the module 'policy'; it has 'q_funcs'"),
    "no head": ("ddpg", lambda c: c["torch"]["policy"].pop("_fc.weight"), "lacks '_mu.weight'"),
    "odd norm": (
        "sac_batch_norm",
        lambda c: c["torch"]["policy"].update({"_encoder._layers.2.running_var": -np.ones(5, np.float32)}),
        "negative variance",
    ),
    "short norm": (
        "sac_batch_norm",
        lambda c: c["torch"]["policy"].update({"_encoder._layers.2.bias": np.ones(1, np.float32)}),
        "must be 5 floating-point numbers, but is float32 \\(1,\\)",
    ),
}


@pytest.mark.parametrize(("name", "change", "words"), CHANGES.values(), ids=CHANGES)
def test_a_part_that_is_not_read_is_named(
    tmp_path: Path, name: str, change: Callable[[Contents], object], words: str
) -> None:
    refused(tmp_path, name, change, words)


def test_weights_without_a_configuration_are_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(torch_bytes(contents_of("ddpg")["torch"]))
    with pytest.raises(ValueError, match=r"without its configuration.*algo.save\('policy.d3'\)"):
        load_policy(path)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([]) | st.just({})


@pytest.mark.slow
@given(st.data())
def test_any_change_of_the_configuration_is_read_or_refused(tmp_path_factory: Any, data: Any) -> None:
    contents = contents_of("td3_plus_bc_scaled")
    place: Any = contents["config"]
    while isinstance(place, (dict, list)) and len(place):
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or data.draw(st.booleans()):
            place[key] = data.draw(PLAIN)
            break
        place = place[key]
    path = written(tmp_path_factory.mktemp("changed") / "x.d3", contents)
    try:
        actions = load_policy(path).act(OBSERVATIONS)
        assert actions.shape == (6, 2)
    except ValueError as error:
        assert str(error).startswith(f"{path} cannot be read: ")
