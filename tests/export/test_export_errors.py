"""What cannot be exported is an error that names it and says what to do, and no file is written."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npnets
import npnets.numpy as nnp
from npnets import discrete, export
from npnets.export.names import checked_name
from npnets.normalization import Normalized

pytestmark = pytest.mark.numpy_alone("writes files")

TRUNK = npnets.Net(3, hidden_sizes=(4,))
ACTOR = npnets.Actor(TRUNK, 2)
AUTOENCODER = npnets.VAE(npnets.MLP(7, 8), npnets.MLP(9, 2), 8, 4, max_action=1.0)
QUANTILES = discrete.FullQuantileFunction(TRUNK, 2)


class OwnTrunk:
    """A trunk of the user's own."""

    output_dim = 3

    def init(self, rng: np.random.Generator) -> dict[str, Any]:
        return {}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs, state


@dataclass(frozen=True, repr=False)
class DoubledNet(npnets.Net):
    """A subclass with a `forward` of its own."""

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        features, state = super().forward(params, obs, state)
        return 2 * features, state


def own_activation(z: Any) -> Any:
    return nnp.sin(z)


def own_norm(features: int) -> Any:
    return OwnLayer()


class OwnLayer:
    """A layer of the user's own."""

    def init(self, rng: np.random.Generator) -> dict[str, Any]:
        return {}

    def forward(self, params: Any, x: Any) -> Any:
        return x


def written(tmp_path: Path, network: Any, params: Any = None, **options: Any) -> Callable[[], None]:
    given = network.init(np.random.default_rng(0)) if params is None else params
    return lambda: export.python(tmp_path / "policy.py", network, given, **options)


def check_refused(tmp_path: Path, call: Callable[[], None], kind: type[Exception], *words: str) -> None:
    with pytest.raises(kind) as raised:
        call()
    for expected in words:
        assert expected in str(raised.value), str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (npnets.Actor(OwnTrunk(), 2), ("OwnTrunk", "Python code", "use one of npnets' own networks")),
        (OwnTrunk(), ("OwnTrunk", "Python code", "use one of npnets' own networks: Actor,")),
        (DoubledNet(3, 2), ("DoubledNet", "subclass of Net")),
        (npnets.Actor(DoubledNet(3, 2), 2), ("DoubledNet", "subclass of Net", "as preprocess")),
        (npnets.MLP(3, 2, (4,), activation=own_activation), ("own_activation", "by its name: 'relu'")),
        (npnets.MLP(3, 2, (4,), norm_layer=own_norm), ("OwnLayer", "as norm_0")),
        (npnets.ActorCritic(ACTOR, npnets.Critic(TRUNK)), ("network.actor with network.split(params)['actor']",)),
        (discrete.IntrinsicCuriosityModule(npnets.MLP(3, 2), 2, 2), ("export its feature_net",)),
        (discrete.FractionProposalNetwork(4, 3), ("export the FullQuantileFunction", "fraction_proposal=(")),
        (discrete.CosineEmbeddingNetwork(4, 3), ("export the quantile network that it is part of",)),
        (Normalized(AUTOENCODER, 5), ("has no decode", "normalization=")),
    ],
)
def test_a_network_that_is_python_code_or_does_not_act_is_refused_by_name(
    tmp_path: Path, network: Any, words: tuple[str, ...]
) -> None:
    check_refused(tmp_path, written(tmp_path, network), TypeError, "cannot export", *words)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_parameter_that_is_not_finite_is_refused_by_its_path(tmp_path: Path, value: float) -> None:
    params = ACTOR.init(np.random.default_rng(0))
    params["last"]["linear_0"]["weight"][1, 0] = value
    words = ("NaN or infinite", "last.linear_0.weight", "has training diverged?")
    check_refused(tmp_path, written(tmp_path, ACTOR, params), ValueError, *words)


def test_parameters_that_overflow_for_ordinary_inputs_are_refused(tmp_path: Path) -> None:
    net = npnets.Net(3, 2, (4, 4))
    params = npnets.tree.map(lambda leaf: leaf * np.float32(1e30), net.init(np.random.default_rng(0)))
    check_refused(tmp_path, written(tmp_path, net, params), ValueError, "outputs are not finite")


def test_a_number_beyond_float32_is_refused_by_files_that_hold_float32(tmp_path: Path) -> None:
    params = ACTOR.init(np.random.default_rng(0), dtype=np.float64)
    params["last"]["linear_0"]["weight"][1, 0] = -1e39
    for write in (export.c, export.onnx):
        with pytest.raises(ValueError, match="weight of last_linear_0 in float32: its largest number, 1e\\+39"):
            write(tmp_path / "policy", ACTOR, params)
    assert list(tmp_path.iterdir()) == []
    export.python(tmp_path / "policy.py", ACTOR, params)


def refused_in_float32(tmp_path: Path, words: str, network: Any, params: Any = None, **options: Any) -> None:
    """Check that C and ONNX refuse a policy, and that plain Python holds it."""
    for write in (export.c, export.onnx):
        with pytest.raises(ValueError, match=words):
            write(tmp_path / "policy", network, params, **options)
    assert list(tmp_path.iterdir()) == []
    export.python(tmp_path / "policy.py", network, params, **options)


@pytest.mark.parametrize(("low", "high"), [(1e300, 2e300), (0.1, 0.1 + 1e-9)])
def test_bounds_between_which_no_float32_lies_are_refused_by_files_that_hold_float32(
    tmp_path: Path, low: float, high: float
) -> None:
    actor = npnets.ActorProb(TRUNK, 2, unbounded=True)
    params = actor.init(np.random.default_rng(0), dtype=np.float64)
    policy = npnets.Policy(actor, params, to_action="clip", low=low, high=high)
    refused_in_float32(tmp_path, "bounds of action_bounded in float32: none of its numbers lies between", policy)


def test_outputs_beyond_float32_are_refused_by_files_that_hold_float32(tmp_path: Path) -> None:
    net = npnets.Net(3, 2, (4,))
    params = npnets.tree.map(lambda leaf: leaf * 1e20, net.init(np.random.default_rng(0), dtype=np.float64))
    refused_in_float32(tmp_path, r"output reaches \d.*e\+\d\d for inputs of ordinary size", net, params)


def test_a_deviation_that_is_zero_in_float32_is_refused_by_files_that_hold_float32(tmp_path: Path) -> None:
    state = npnets.normalization.Normalization(np.zeros(3), np.full(3, 1e-90), 5.0, 10.0, 0.0)
    params = ACTOR.init(np.random.default_rng(0))
    refused_in_float32(tmp_path, "deviation of normalized .* a larger epsilon", ACTOR, params, normalization=state)


@pytest.mark.parametrize("write", [export.c, export.onnx])
def test_bounds_and_limits_beyond_float32_give_no_warning(tmp_path: Path, write: Callable[..., None]) -> None:
    actor = npnets.ActorProb(TRUNK, 2, unbounded=True)
    state = npnets.normalization.Normalization(np.zeros(3), np.full(3, 1e76), 5.0, 1e39, 1e-8)
    for dtype in (np.float32, np.float64):
        params = actor.init(np.random.default_rng(0), dtype=dtype)
        policy = npnets.Policy(actor, params, normalization=state, to_action="clip", low=-1e300, high=1e300)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            write(tmp_path / "policy", policy)


def test_parameters_of_another_network_are_refused(tmp_path: Path) -> None:
    params = npnets.Actor(TRUNK, 3).init(np.random.default_rng(0))
    check_refused(tmp_path, written(tmp_path, ACTOR, params), ValueError, "last", "(4, 2)", "(4, 3)")


def test_arguments_in_another_order_or_missing_are_refused(tmp_path: Path) -> None:
    path, params = tmp_path / "policy.py", ACTOR.init(np.random.default_rng(0))
    check_refused(tmp_path, lambda: export.python(path, params, ACTOR), TypeError, "(path, network, params)")  # type: ignore[arg-type]
    check_refused(tmp_path, lambda: export.python(path, ACTOR), TypeError, "expected the parameters")
    policy = npnets.Policy(ACTOR, params)
    check_refused(tmp_path, lambda: export.python(path, policy, params), TypeError, "expected a Policy alone")
    normalization = npnets.normalization.init(3)
    call = lambda: export.python(path, policy, normalization=normalization)  # noqa: E731
    check_refused(tmp_path, call, TypeError, "expected a Policy alone")
    check_refused(tmp_path, written(tmp_path, ACTOR, output="mean"), ValueError, "'action', 'network'")


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    check_refused(tmp_path, written(tmp_path, ACTOR, name=3), TypeError, "name must be a text")


def test_fractions_are_proposed_for_a_full_quantile_function_alone(tmp_path: Path) -> None:
    proposal = discrete.FractionProposalNetwork(4, 4)
    pair = proposal, proposal.init(np.random.default_rng(0))
    check_refused(tmp_path, written(tmp_path, QUANTILES), TypeError, "fraction_proposal", "needs it")
    call = written(tmp_path, ACTOR, fraction_proposal=pair)
    check_refused(tmp_path, call, TypeError, "belongs to a FullQuantileFunction")
    for output in ("action", "network"):
        call = written(tmp_path, QUANTILES, fraction_proposal=pair[::-1], output=output)
        check_refused(tmp_path, call, TypeError, "must begin with a FractionProposalNetwork")
        call = written(tmp_path, QUANTILES, fraction_proposal=proposal, output=output)
        check_refused(tmp_path, call, TypeError, "must be a pair")


@pytest.mark.parametrize(
    "network",
    [
        Normalized(ACTOR, 3),
        npnets.Actor(Normalized(TRUNK, 3), 2),
        Normalized(npnets.Critic(TRUNK), 3),
        npnets.Critic(Normalized(Normalized(TRUNK, 3), 3)),
    ],
)
def test_a_normalization_beside_that_of_the_network_is_refused(tmp_path: Path, network: Any) -> None:
    export.python(tmp_path / "policy.py", network, network.init(np.random.default_rng(0)))
    (tmp_path / "policy.py").unlink()
    call = written(tmp_path, network, normalization=npnets.normalization.init(3))
    check_refused(tmp_path, call, TypeError, "Normalized(", "normalized twice", "leave normalization out")


def test_a_normalization_of_other_observations_is_refused(tmp_path: Path) -> None:
    normalization = npnets.normalization.init(4)
    for network in (ACTOR, npnets.Critic(TRUNK)):
        call = written(tmp_path, network, normalization=normalization)
        check_refused(tmp_path, call, ValueError, "(4,)", "(3,)")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "double",
            "def",
            "class",
            "tanhf",
            "sin",
            "fma",
            "index",
            "unix",
            "3x",
            "a-b",
            "_x",
            "a__b",
            "",
            "é",
            "x" * 64,
        ),
        *("typeof", "size_t", "M_PI", "M_2_SQRTPI", "FP_NAN", "HUGE_VALF", "MATH_ERRNO", "SNANF", "signgam"),
    ],
)
def test_a_name_that_c_or_python_does_not_take_is_refused_with_a_remedy(tmp_path: Path, name: str) -> None:
    check_refused(tmp_path, written(tmp_path, ACTOR, name=name), ValueError, repr(name), "pass another one")


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/policy.h", "policy"), ("my-policy v2.h", "my_policy_v2"), ("3d.onnx", "policy_3d"), ("a__b.tar.py", "a_b")],
)
def test_a_name_is_made_from_that_of_the_file(path: str, name: str) -> None:
    assert checked_name(None, path) == name


def test_a_failed_export_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "policy.py"
    path.write_text("before")
    net = npnets.MLP(3, 2, (4,), activation=own_activation)
    with pytest.raises(TypeError, match="own_activation"):
        export.python(path, net, net.init(np.random.default_rng(0)))
    assert path.read_text() == "before"
