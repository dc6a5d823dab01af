"""What the readers of other libraries' policies share: layers, activations, spaces, and what the caller says."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3_archives import NEWEST, close, pickled, recorded, with_setting

from npnets import interop
from npnets.files.fault import Fault
from npnets.functional import resolve_activation
from npnets.interop import Foreign
from npnets.interop.policies import activations, sequential, spaces

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

BOX = gymnasium.spaces.Box(-1.0, 1.0, (3,))
IMAGES = gymnasium.spaces.Box(0, 255, (1, 1, 5), np.uint8)


def _layer(name: str, inputs: int, outputs: int, dtype: Any = np.float32) -> dict[str, Any]:
    rng = np.random.default_rng(inputs)
    return {
        f"{name}.weight": rng.normal(size=(outputs, inputs)).astype(dtype),
        f"{name}.bias": rng.normal(size=outputs).astype(dtype),
    }


# -- layers ----------------------------------------------------------------------------------------------------------


def test_layers_are_taken_in_the_order_of_their_numbers() -> None:
    state = {"other.0.weight": 1, 3: 4}
    for number in (10, 0, 2, 8, 4, 6):
        state |= _layer(f"net.{number}", number + 1, number + 3)
    layers = sequential.linear_layers(state, "net")
    assert [layer.weight.shape for layer in layers] == [(number + 1, number + 3) for number in range(0, 11, 2)]
    assert np.array_equal(layers[5].weight, state["net.10.weight"].T)
    assert sequential.linear_layers(state, "nothing") == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({**_layer("net.0", 3, 4), **_layer("net.1", 5, 2)}, "a layer of 4 outputs is followed by one of 5 inputs"),
        ({**_layer("net.0", 3, 4), "net.1.running_mean": np.ones(4)}, "has 'net.1.running_mean' in 'net', where only"),
        ({"net.0.weight": np.ones((4, 3), np.float32)}, "lacks 'net.0.bias', which must be an array"),
        ({"net.0.weight": 3.0, "net.0.bias": np.ones(4)}, "has a float as 'net.0.weight', which must be an array"),
        (_layer("net.0", 3, 4, np.int64), "'net.0.weight' is of int64, where floating-point numbers must be"),
        ({"net.0.weight": np.ones(4), "net.0.bias": np.ones(4)}, r"has a weight \(4,\) and a bias \(4,\), where those"),
        ({"net.0.weight": np.ones((4, 3)), "net.0.bias": np.ones(3)}, r"a weight \(4, 3\) and a bias \(3,\), where"),
        ({"net.0.weight": np.ones((4, 0)), "net.0.bias": np.ones(4)}, r"a weight \(4, 0\) and a bias \(4,\), where"),
    ],
)
def test_layers_that_are_not_linear_or_do_not_fit_are_refused_by_name(state: dict[str, Any], words: str) -> None:
    with pytest.raises(Fault, match=words):
        sequential.linear_layers(state, "net")


# -- activations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "args", "kwargs", "expected"),
    [
        ("activation.ReLU", (), {"inplace": True}, ("relu", None)),
        ("activation.ReLU", (True,), {}, ("relu", None)),
        ("activation.LeakyReLU", (0.2,), {}, ("leaky_relu", {"negative_slope": 0.2})),
        ("activation.ELU", (), {"alpha": 0.5}, ("elu", {"alpha": 0.5})),
        ("activation.Hardtanh", (-2.0, 3.0), {}, ("hardtanh", {"min_val": -2.0, "max_val": 3.0})),
        ("activation.GELU", (), {"approximate": "tanh"}, ("gelu", {"approximate": "tanh"})),
        ("linear.Identity", (), {}, (None, None)),
    ],
)
def test_a_module_of_pytorch_becomes_the_activation_of_its_name(
    path: str, args: tuple[Any, ...], kwargs: dict[str, Any], expected: tuple[Any, Any]
) -> None:
    assert activations.of_module(f"torch.nn.modules.{path}", args, kwargs) == expected


@pytest.mark.parametrize(
    ("path", "args", "words"),
    [
        ("mine.ReLU", (), "its activation is 'mine.ReLU', which npnets does not have; pass activation='relu', or"),
        ("torch.nn.modules.activation.PReLU", (), "'torch.nn.modules.activation.PReLU', which npnets does not have$"),
        ("torch.nn.modules.activation.Tanh", (1,), "its activation Tanh is made with 1 arguments, more than it takes"),
        ("torch.nn.modules.activation.ELU", ("x",), "its activation cannot be computed: activation 'elu'"),
        (
            "torch.nn.modules.activation.ELU",
            (np.ones(2),),
            "its activation ELU is made with 'alpha' of another type th",
        ),
        ("torch.nn.modules.activation.ELU", (10**400,), "its activation cannot be computed: "),
        ("torch.nn.modules.activation.GELU", ("sinh",), "its activation cannot be computed: "),
    ],
)
def test_other_activations_are_refused_by_name(path: str, args: tuple[Any, ...], words: str) -> None:
    with pytest.raises(Fault, match=words):
        activations.of_module(path, args)


def test_every_activation_of_the_table_is_one_of_npnets() -> None:
    for name, parameters in activations.MODULES.values():
        assert resolve_activation(name) is not None and "inplace" not in parameters[:-1]


# -- spaces ----------------------------------------------------------------------------------------------------------


def test_a_space_is_one_of_gym_or_gymnasium_with_attributes() -> None:
    assert spaces.kind(Foreign("gym.spaces.box.Box", {"low": 1}), "actions") == "Box"
    for other in (Foreign("mine.spaces.Box", {"low": 1}), Foreign("gym.spaces.box.Box", None), {"low": 1}, None):
        with pytest.raises(Fault, match="its actions are of '.*', where a space of Gym or Gymnasium must be"):
            spaces.kind(other, "actions")


@pytest.mark.parametrize("number", [True, 3.0, "3", None, np.ones(1)])
def test_a_number_of_actions_is_an_integer(number: Any) -> None:
    with pytest.raises(Fault, match="its actions are a space whose 'n' is .*, where an integer must be"):
        spaces.whole_number(Foreign("gym.spaces.discrete.Discrete", {"n": number}), "n", "actions")
    assert spaces.whole_number(Foreign("gym.spaces.discrete.Discrete", {"n": np.int64(4)}), "n", "actions") == 4


def test_discrete_actions_that_do_not_start_at_zero_are_refused(tmp_path: Path) -> None:
    actions = pickle.dumps(gymnasium.spaces.Discrete(4, start=2))
    changed = with_setting(tmp_path / "policy.zip", NEWEST / "a2c_discrete.zip", "action_space", actions)
    with pytest.raises(ValueError, match="its actions are a Discrete that starts at 2; those that start at 0 are read"):
        interop.load_policy(changed)


@pytest.mark.parametrize(("name", "count"), [("dqn", 5), ("a2c_discrete", 5), ("dqn", 3)])
def test_another_number_of_actions_than_the_network_has_is_refused(name: str, count: int, tmp_path: Path) -> None:
    actions = pickle.dumps(gymnasium.spaces.Discrete(count))
    changed = with_setting(tmp_path / "policy.zip", NEWEST / f"{name}.zip", "action_space", actions)
    with pytest.raises(ValueError, match=f"{changed} cannot be read: .*4"):
        interop.load_policy(changed)


def test_values_of_continuous_actions_are_refused(tmp_path: Path) -> None:
    changed = with_setting(tmp_path / "policy.zip", NEWEST / "dqn.zip", "action_space", pickle.dumps(BOX))
    with pytest.raises(
        ValueError, match="it has values of 4 actions, but its actions are of another space than a Discr"
    ):
        interop.load_policy(changed)


def test_images_are_refused_unless_the_policy_takes_them_as_they_are(tmp_path: Path) -> None:
    source, path = NEWEST / "ppo.zip", tmp_path / "policy.zip"
    with_setting(path, source, "observation_space", pickle.dumps(IMAGES))
    with pytest.raises(
        ValueError, match=r"its observations are images of shape \(1, 1, 5\), which npnets does not have"
    ):
        interop.load_policy(path)
    with_setting(path, path, "policy_kwargs", {"normalize_images": False})
    rows, expected = (recorded("2.9.2")[f"ppo.{part}"] for part in ("observations", "actions"))
    assert close(interop.load_policy(path).act(rows.reshape(-1, 1, 1, 5)), expected)
    darker = pickle.dumps(gymnasium.spaces.Box(0, 254, (1, 1, 5), np.uint8))
    with_setting(path, source, "observation_space", darker)
    assert close(interop.load_policy(path).act(rows.reshape(-1, 1, 1, 5)), expected)


# -- what the caller says --------------------------------------------------------------------------------------------


def test_an_action_space_of_another_shape_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"its actions have the low \[-1.0, -2.0, 0.5\], but action_space has \[-1.0, -2.0\]"
    ):
        interop.load_policy(NEWEST / "sac.zip", action_space=([-1, -2], [1, 3]))


def test_an_error_of_a_file_within_names_the_whole_file_once(tmp_path: Path) -> None:
    (tmp_path / "policy.pth").write_bytes((NEWEST / "sac_policy.pth").read_bytes()[:-100])
    with pytest.raises(ValueError, match="cannot be read") as caught:
        interop.load_policy(tmp_path / "policy.pth")
    assert str(caught.value).count(str(tmp_path)) == 1


def test_the_arguments_of_a_policy_are_interpreted_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    arguments = pickle.dumps({"net_arch": [8, 6], "of": "the arguments"})
    changed = with_setting(tmp_path / "policy.zip", NEWEST / "ppo.zip", "policy_kwargs", arguments)
    read: list[bytes] = []
    load = interop.pickle_file.load
    monkeypatch.setattr(interop.pickle_file, "load", lambda path, **given: (read.append(path), load(path, **given))[1])
    interop.load_policy(changed)
    assert read.count(arguments) == 1


def test_the_pickles_of_the_fixtures_are_those_of_gym_and_gymnasium() -> None:
    """The tests that replace a space would prove little if real archives had other classes."""
    assert b"gymnasium.spaces.box" in pickled(NEWEST / "sac.zip", "action_space")
    assert b"gym.spaces.box" in pickled(NEWEST.with_name("1.0") / "sac.zip", "action_space")
