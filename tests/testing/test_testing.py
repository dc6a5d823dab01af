"""`check_network` raises no false alarm: npnets' networks and correct networks of the user's own keep every law."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden.fixtures import load
from golden.npnets_side import make
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from network_cases import Case, each_case

import npnets
import npnets.numpy as nnp
from npnets import testing
from npnets.testing import LAWS, NetworkLawError, check_network
from npnets.testing.laws_of_gradients import _difference

pytestmark = pytest.mark.numpy_alone("draws hundreds of examples; test_testing_devices is for both backends")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "property_testing.rst"
FILES = ("networks", "recurrent", "discrete", "quantiles")
GOLDEN = sorted({case["call"] for name in FILES for case in load(name)["cases"]})


@pytest.mark.slow
@each_case
def test_a_network_of_every_class_and_option_keeps_the_laws(case: Case) -> None:
    check_network(case.net, max_examples=3)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_every_network_that_is_compared_with_tianshou_keeps_the_laws(part: int) -> None:
    for number, call in enumerate(GOLDEN[part::8]):
        skip = ["flow"] if "phi=0.0" in call else []  # the output does not depend on the parameters
        check_network(make(call), max_examples=1, seed=number, skip=skip)


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(testing.networks(), st.integers(0, 1000))
def test_random_networks_keep_the_laws(net: Any, seed: int) -> None:
    check_network(net, max_examples=2, seed=seed)


@pytest.mark.slow
def test_the_laws_of_sequences_apply_to_an_actor_on_a_recurrent_network() -> None:
    trunk = npnets.Recurrent(2, 3, 4, hidden_layer_size=3)
    for kind in (npnets.Actor, npnets.ActorProb):
        check_network(kind(trunk, 2), max_examples=3)

    @dataclass(frozen=True)
    class Forgetful(npnets.Actor):
        def forward(self, params: Any, obs: Any, state: Any = None, info: Any = None) -> Any:
            return super().forward(params, obs, None, info)

    with pytest.raises(NetworkLawError) as caught:
        check_network(Forgetful(trunk, 2), max_examples=5, skip=[law for law in LAWS if law != "steps"])
    assert caught.value.law == "steps"


# -- networks of the user's own ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trunk:
    """Has only the three required members, and not the shape of observations; draws in float64."""

    output_dim: int = 3

    def init(self, rng: Any) -> Any:
        return {"weight": rng.normal(size=(5, self.output_dim))}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return nnp.tanh(obs.astype(params["weight"].dtype) @ params["weight"]), state


def test_three_members_are_enough_if_the_shape_of_observations_is_passed() -> None:
    for net in (Trunk(), npnets.Actor(Trunk(), 2, max_action=0.1), npnets.Critic(Trunk())):
        check_network(net, state_shape=5, max_examples=4)
    check_network(Trunk(), state_shape=(5,), max_examples=1)
    with pytest.raises(TypeError, match=r"cannot be read from Trunk.*pass it: check_network\(net, state_shape=17\)"):
        check_network(Trunk())
    with pytest.raises(NetworkLawError, match="the state_shape or action_shape passed to check_network is not"):
        check_network(Trunk(), state_shape=6)


@dataclass(frozen=True)
class Quality:
    """A critic of the user's own, which requires actions."""

    state_shape: int = 4
    output_dim: int = 1

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {"weight": rng.normal(size=(self.state_shape + 2, 1)).astype(dtype)}

    def forward(self, params: Any, obs: Any, act: Any) -> Any:
        both = nnp.concatenate([obs.astype(params["weight"].dtype), act.astype(params["weight"].dtype)], 1)
        return nnp.sin(both @ params["weight"])


def test_a_critic_of_the_users_own_is_passed_actions_of_the_given_shape() -> None:
    check_network(Quality(), action_shape=2, max_examples=4)
    with pytest.raises(TypeError, match=r"the shape of actions cannot be read.*check_network\(net, action_shape=6\)"):
        check_network(Quality())
    with pytest.raises(NetworkLawError, match="ValueError"):
        check_network(Quality(), action_shape=3)


@dataclass(frozen=True)
class Choice:
    """Observes an integer and a vector, in a dict, and returns probabilities."""

    output_dim: int = 3

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        drawn = {"table": rng.normal(size=(4, 3)), "weight": rng.normal(size=(2, 3))}
        return {name: x.astype(dtype) for name, x in drawn.items()}

    def forward(self, params: Any, obs: Any) -> Any:
        place = np.eye(4, dtype=params["table"].dtype)[obs["place"]]
        return nnp.softmax(place @ params["table"] + obs["speed"].astype(place.dtype) @ params["weight"])


def _places(batch: int) -> Any:
    places = st.lists(st.integers(0, 3), min_size=batch, max_size=batch).map(np.array)
    speeds = st.integers(0, 99).map(lambda seed: np.random.default_rng(seed).normal(size=(batch, 2)))
    return st.fixed_dictionaries({"place": places, "speed": speeds})


def test_other_kinds_of_observations_come_from_a_strategy_of_the_users_own() -> None:
    check_network(Choice(), obs=_places, max_examples=4)

    class SortsTheBatch(Choice):
        def forward(self, params: Any, obs: Any) -> Any:
            return super().forward(params, {**obs, "place": np.sort(obs["place"])})

    with pytest.raises(NetworkLawError, match=r"obs = \{'place': \[") as caught:
        check_network(SortsTheBatch(), obs=_places, skip=[law for law in LAWS if law != "rows"])
    assert caught.value.law == "rows"


@dataclass(frozen=True)
class Several:
    """An ensemble of the user's own, whose description does not contain the number of members."""

    state_shape: int = 4
    output_dim: int = 2

    def init(self, rng: Any, dtype: Any = np.float32) -> Any:
        return {"weight": rng.normal(size=(3, 4, 2)).astype(dtype)}

    def forward(self, params: Any, obs: Any) -> Any:
        return nnp.tanh(obs.astype(params["weight"].dtype) @ params["weight"])


def test_the_members_of_an_ensemble_of_the_users_own_are_passed() -> None:
    check_network(Several(), members=3, max_examples=4)
    with pytest.raises(NetworkLawError, match=r"shape \(3, 1, 2\)\n(.|\n)*check_network\(net, members=...\)"):
        check_network(Several())


@dataclass(frozen=True)
class Stochastic(Trunk):
    """Draws noise with the generator that it is passed."""

    state_shape: int = 5

    def forward(self, params: Any, obs: Any, state: Any = None, *, rng: Any) -> Any:
        z = obs.astype(params["weight"].dtype) @ params["weight"]
        return nnp.tanh(z + rng.normal(size=z.shape).astype(z.dtype)), state


def test_a_network_that_draws_with_an_explicit_generator_keeps_the_laws() -> None:
    check_network(Stochastic(), max_examples=4)


def test_an_error_names_a_required_argument_that_is_not_known() -> None:
    class NeedsAGoal(Trunk):
        def forward(self, params: Any, obs: Any, goal: Any, state: Any = None) -> Any:
            return super().forward(params, obs, state)

    with pytest.raises(TypeError, match=r"requires \['goal'\], which check_network cannot supply"):
        check_network(NeedsAGoal(), state_shape=5)


def test_a_policy_with_many_kinks_raises_no_false_alarm() -> None:
    @dataclass(frozen=True)
    class Kinked(Trunk):
        def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
            z, state = super().forward(params, obs, state)
            return abs(abs(abs(z) - 0.25) - 0.125) + nnp.maximum(nnp.clip(z, -0.5, 0.3), z * z), state

    check_network(Kinked(), state_shape=5, skip=[law for law in LAWS if "gradients" not in law], max_examples=100)


def _at_a_kink(t: float) -> float:
    return 2 * t if t > 0 else -t


def _near_a_kink(t: float) -> float:
    return 2 * t if t < 3e-6 else 6e-6 - t


@pytest.mark.parametrize(
    ("phi", "slope", "contradicted"),
    [
        (_at_a_kink, 0.5, False),
        (_at_a_kink, 0.0, False),
        (_at_a_kink, 2.0, False),
        (_at_a_kink, 4.0, True),
        (_near_a_kink, 2.0, False),
        (_near_a_kink, 1.0, False),
        (np.sin, 1.0, False),
        (np.sin, 1.001, True),
        (lambda t: np.sin(1e4 * t), 1e4, False),
        (lambda t: np.sin(1e4 * t), 0.0, True),
    ],
)
def test_finite_differences_contradict_a_slope_unless_a_kink_or_curvature_explains_it(
    phi: Any, slope: float, contradicted: bool
) -> None:
    assert (_difference(phi, phi(0.0), 1.0, slope, np.finfo(float).eps) is not None) == contradicted


# -- the page and the package -----------------------------------------------------------------------------------------


def test_the_page_lists_every_law_with_its_sentence() -> None:
    listed = re.findall(
        r"^   \* - `(.+)`\n     - (.+)$", PAGE.read_text(encoding="utf-8").partition("The laws\n---")[2], re.MULTILINE
    )
    assert dict(listed) == LAWS and len(listed) == len(LAWS)


def _error_of(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return run.stderr


def test_without_hypothesis_an_error_names_the_extra_to_install() -> None:
    error = _error_of("import sys; sys.modules['hypothesis'] = None; from npnets.testing import check_network")
    assert error.endswith("npnets.testing needs hypothesis, the extra 'testing': pip install 'npnets[testing]'\n")
