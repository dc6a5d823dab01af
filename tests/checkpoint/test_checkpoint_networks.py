"""Networks in a checkpoint's metadata come back equal, and nothing but networks and given classes is ever made."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from checkpoint_files import CONTAINERS, changed, each_ending, refusal, same, through_a_file
from golden.fixtures import load
from golden.npnets_side import make
from network_cases import CASES, Case, small_net

import npnets
from npnets import checkpoint

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays, and descriptions none")

FILES = ("networks", "recurrent", "discrete", "quantiles")
RECORDED = sorted({case["call"] for name in FILES for case in load(name)["cases"]})
REBUILT = {name: case for name, case in CASES.items() if "_square" not in repr(case.net)}
MEMBERS = functools.partial(npnets.EnsembleLinear, 4)


@dataclasses.dataclass(frozen=True)
class Trunk:
    """A preprocess net of the user's own."""

    width: int
    inner: Any = None
    output_dim: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "output_dim", 2 * self.width)

    def init(self, rng: Any) -> Any:
        return {}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return np.repeat(obs[:, : self.width], 2, 1), state


@dataclasses.dataclass(frozen=True)
class Swish:
    """An activation of the user's own with an argument."""

    beta: float = 1.0

    def __call__(self, z: Any) -> Any:
        return z * npnets.functional.sigmoid(self.beta * z)


@dataclasses.dataclass(frozen=True)
class Halved:
    """A layer of the user's own."""

    inputs: int
    outputs: int
    scale: float = 0.5

    def init(self, rng: Any) -> Any:
        return {"scale": np.full(1, self.scale)}

    def forward(self, params: Any, x: Any) -> Any:
        return x[..., : self.outputs] * params["scale"]


class Plain:
    """A preprocess net that is no dataclass."""

    output_dim = 2

    def init(self, rng: Any) -> Any:
        return {}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs[:, :2], state


@dataclasses.dataclass(frozen=True)
class Doubling:
    """A dataclass whose field is not its argument any more."""

    size: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 2 * self.size)


@dataclasses.dataclass(frozen=True)
class Asking:
    """A dataclass that asks for more than its fields."""

    size: int = dataclasses.field(init=False, default=1)
    more: dataclasses.InitVar[int] = dataclasses.MISSING  # type: ignore[assignment]


def again(folder: Path, net: Any, **options: Any) -> Any:
    """Return a network that went through a file's metadata."""
    return through_a_file(folder, ".npz", {}, {"network": net}, **options).metadata["network"]


# -- npnets' own ------------------------------------------------------------------------------------------------------


@each_ending
@pytest.mark.parametrize("case", REBUILT.values(), ids=REBUILT)
def test_every_network_comes_back_equal_with_the_same_outputs(case: Case, ending: str, tmp_path: Path) -> None:
    params, inputs = case.params(), case.inputs()
    found = through_a_file(tmp_path, ending, params, {"network": case.net})
    net = found.metadata["network"]
    assert net == case.net and net is not case.net and repr(net) == repr(case.net)
    outputs, expected = case._replace(net=net).run(found.params, *inputs), case.run(params, *inputs)
    assert same(outputs, expected)


def test_every_recorded_network_comes_back_equal(tmp_path: Path) -> None:
    nets = {call: make(call) for call in RECORDED}
    found = through_a_file(tmp_path, ".npz", {}, nets).metadata
    assert found == nets and len(nets) > 80
    assert [repr(net) for net in found.values()] == [repr(net) for net in nets.values()]


def test_every_way_to_write_an_argument_comes_back(tmp_path: Path) -> None:
    nets = [
        npnets.MLP(3),
        npnets.MLP(3, hidden_sizes=(4,), linear_layer=npnets.Linear),
        npnets.MLP(3, 2, (4, 5), [None, npnets.LayerNorm], [None, {"eps": np.float64(1e-3)}], ["tanh", None]),
        npnets.MLP(3, 2, (4, 5), "layer_norm", (1e-3, False), activation="leaky_relu", act_args=[(0.2,), ()]),
        npnets.MLP(3, 2, (4,), functools.partial(npnets.LayerNorm, eps=0.1), activation="elu", act_args={"alpha": 0.1}),
        npnets.MLP(3, 2, (4,), activation=npnets.functional.gelu, device=0, linear_layer=MEMBERS, flatten_input=False),
        npnets.MLP(3, 2, (4,), activation=functools.partial(npnets.functional.elu, alpha=0.5), device="cuda:1"),
        npnets.Net(3, 2, dueling_param=({"hidden_sizes": [3], "activation": None}, {"linear_layer": npnets.Linear})),
    ]
    assert [again(tmp_path, net) for net in nets] == nets


def test_networks_can_be_anywhere_in_metadata(tmp_path: Path) -> None:
    nets = {"actor": small_net(2), "critics": [small_net(1), (small_net(3), {"x": small_net(4)})], "layer": MEMBERS}
    nets |= {"class": npnets.Linear, "activation": npnets.functional.relu}  # type: ignore[dict-item]
    assert again(tmp_path, nets) == nets


def test_arguments_are_written_out_so_that_another_default_changes_no_file(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "pi.npz", {}, {"network": npnets.Linear(3, 2)})
    assert b'"arguments": {"in_features": 3, "out_features": 2, "bias": true}' in (tmp_path / "pi.npz").read_bytes()


# -- the user's own ---------------------------------------------------------------------------------------------------


def test_classes_of_the_users_own_come_back_if_they_are_listed(tmp_path: Path) -> None:
    partial = functools.partial(Halved, scale=0.25)
    nets = [
        npnets.Actor(Trunk(2), 3),
        npnets.Critic(Trunk(2, Trunk(3))),
        npnets.MLP(3, 2, (3,), activation=Swish(2.0), linear_layer=Halved),
        npnets.MLP(3, 2, (3,), linear_layer=partial),
    ]
    assert again(tmp_path, nets, classes=(Trunk, Swish, Halved)) == nets
    text = refusal(tmp_path / "file.npz", classes=(Swish, Halved))
    assert "metadata.network.0.preprocess_net names the class 'Trunk'" in text
    assert "load(path, classes=(Trunk,))" in text


def test_the_error_for_a_named_tuple_without_its_class_names_the_class(tmp_path: Path) -> None:
    state = npnets.optim.adam().init({"w": np.zeros(2)})
    checkpoint.save(tmp_path / "run.npz", {"adam": state})
    assert "params.adam names the class 'AdamState'" in refusal(tmp_path / "run.npz")
    assert "class 'AdamState'" in refusal(tmp_path / "run.npz", classes=(Trunk,))


@each_ending
def test_an_optimizer_with_a_dict_of_rates_comes_back_equal(ending: str, tmp_path: Path) -> None:
    rates = {"actor": 0.1, "critic": {"last": npnets.optim.linear_schedule(0.1, 0.0, 5), "preprocess": 0}}
    optimizer = npnets.optim.adam(rates, weight_decay={"actor": 0.5, "critic": 0.25})
    checkpoint.save(tmp_path / f"run{ending}", {}, {"optimizer": optimizer})
    classes = (npnets.optim.adam, npnets.optim.linear_schedule)
    found = checkpoint.load(tmp_path / f"run{ending}", classes=classes).metadata["optimizer"]
    assert found == optimizer and hash(found) == hash(optimizer) and repr(found) == repr(optimizer)


def test_a_class_that_has_lost_an_argument_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "pi.npz", {}, {"network": Trunk(2)})
    slim = dataclasses.make_dataclass("Trunk", [("width", int)], frozen=True)
    text = refusal(tmp_path / "pi.npz", classes=(slim,))
    assert "metadata.network cannot be made as Trunk from 'inner', 'width'" in text


def test_classes_that_are_not_dataclasses_or_named_tuples_are_refused(tmp_path: Path) -> None:
    mine = dataclasses.make_dataclass("Net", [])
    other = dataclasses.make_dataclass("Trunk", [])
    for classes, error, words in [
        (Trunk, TypeError, "classes must be a sequence"),
        ((Plain,), TypeError, "a dataclass or a named tuple"),
        ((Trunk(2),), TypeError, "a dataclass or a named tuple"),
        ((mine,), ValueError, "rename it"),
        ((Trunk, other), ValueError, "rename it"),
    ]:
        with pytest.raises(error, match=words):
            checkpoint.load(tmp_path / "missing.npz", classes=classes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("net", "error", "words"),
    [
        (CASES["MLP of a function"].net, TypeError, r"metadata\.network\.activation .*_square.* holds no functions"),
        (npnets.Net(5, activation=np.tanh), TypeError, r"metadata\.network\.activation .*'tanh'"),
        (npnets.MLP(5, 2, linear_layer=lambda i, o: npnets.Linear(i, o)), TypeError, r"network\.linear_layer .*lambda"),
        (functools.partial(len, 3), TypeError, r"metadata\.network is <built-in function len>"),
        (npnets.Actor(Plain(), 2), TypeError, r"metadata\.network\.preprocess_net must be .*frozen dataclass"),
        (Plain, TypeError, r"metadata\.network must be .*Plain"),
        (npnets.Actor(Trunk(2, np.ones(2)), 2), TypeError, r"network\.preprocess_net\.inner is an array"),
        (Doubling(3), ValueError, r"metadata\.network would not be the same when loaded"),
        (Trunk(2, float("nan")), ValueError, r"would not be the same"),
        (dataclasses.make_dataclass("Identical", [("x", int)], eq=False)(1), ValueError, "compares by value"),
        (Asking(more=3), ValueError, r"metadata\.network cannot be made as Asking from nothing"),
        (dataclasses.make_dataclass("Net", [])(), ValueError, "has the name of"),
        ([Trunk(2), dataclasses.make_dataclass("Trunk", [])()], ValueError, r"metadata\.network\.1 .*rename one"),
    ],
)
def test_a_value_that_could_not_be_made_again_is_refused_by_save(
    net: Any, error: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words):
        checkpoint.save(tmp_path / "pi.npz", {}, {"network": net})
    assert list(tmp_path.iterdir()) == []


# -- nothing else -----------------------------------------------------------------------------------------------------


class Loud(NamedTuple):
    """A named tuple that is not given to `load`."""

    x: Any = None


@pytest.mark.parametrize("ending", CONTAINERS)
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            {"$call": "os.system", "arguments": {"command": "true"}},
            "'os.system', which is not the name of a class",
        ),
        ({"$call": "Loud", "arguments": {}}, "names the class 'Loud'"),
        ({"$class": "int"}, "names the class 'int'"),
        ({"$namedtuple": "Linear", "fields": {}}, "'Linear', which is of another kind"),
        ({"$function": "eval"}, "the function 'eval'"),
        ({"$partial": {"$function": "print"}, "args": [], "keywords": {}}, "the function 'print'"),
        ({"$partial": "print", "args": [], "keywords": {}}, "the first argument must be callable"),
        ({"$pickle": "gASVAAAA"}, "of the kind '$pickle'"),
        ({"$call": "Linear", "arguments": {"in_features": -1, "out_features": 2}}, "in_features must be at least 1"),
        ({"$call": "Linear", "arguments": {"width": 3}}, "cannot be made as Linear from 'width'"),
        ({"$call": ["Linear"]}, "makes no sense"),
        ({"$call": "Linear", "arguments": 3}, "makes no sense"),
        ({"$scalar": "O", "bytes": "00" * 8}, "makes no sense"),
        ({"$array": "w"}, "makes no sense"),
        ({"$float": "text"}, "makes no sense"),
    ],
)
def test_a_file_makes_nothing_but_networks_from_values_that_they_accept(
    value: Any, words: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"pi{ending}"
    checkpoint.save(path, {"w": np.zeros(2)}, {"network": None})

    def plant(manifest: Any, arrays: Any) -> None:
        manifest["content"]["metadata"]["network"] = value
        manifest["digest"] = checkpoint.manifest._digest(manifest["content"], arrays)

    changed(path, plant)
    assert words in refusal(path)
