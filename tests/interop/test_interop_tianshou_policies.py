"""State dicts of whole policies of Tianshou 1.0.0 and algorithms of 2.x are divided by the names of their networks."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from golden.fixtures import load
from golden.npnets_side import make

import npnets
from npnets.interop.tianshou import from_state_dict, split, to_state_dict

pytestmark = pytest.mark.numpy_alone("about names; arrays are NumPy's on both sides")

FILES = ("state_dicts", "state_dicts_quantiles")
RECORDED = [(major, case) for major in (1, 2) for file in FILES for case in load(f"{file}_{major}")["policies"]]
PARTS = [(case, prefix, call) for _, case in RECORDED for prefix, call in case["networks"].items()]

each_policy = pytest.mark.parametrize(
    "case", [case for _, case in RECORDED], ids=[case["class"] for _, case in RECORDED]
)
each_part = pytest.mark.parametrize(
    ("case", "prefix", "call"), PARTS, ids=[f"{case['class']} {prefix}" for case, prefix, _ in PARTS]
)

OTHERS = {
    "SAC": {"alpha": ["_log_alpha"]},
    **dict.fromkeys(("IQNPolicy", "FQFPolicy", "IQN", "FQF"), {"": ["tau_hat"]}),
    **dict.fromkeys(("RainbowPolicy", "RainbowDQN"), {"": ["support"]}),
}
"""By the class of a policy: values that belong to no network, in the parts that `split` gives."""

ACTOR = npnets.Actor(npnets.Net(3, hidden_sizes=(4,)), 2)


def whole(case: dict[str, Any]) -> dict[str, Any]:
    """Return a policy's state dict as Tianshou gives it, with the states of optimizers that are no arrays."""
    return {**case["state_dict"], **{key: [{"state": {}}] for key in case["no arrays"]}}


def below(case: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the part of a policy's state dict that belongs to one network, with its names as they are."""
    return {name: array for name, array in case["state_dict"].items() if name.startswith(f"{prefix}.")}


def assert_same_bits(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Assert that names, their order, and arrays are the same."""
    assert list(found) == list(expected)
    for name, array in found.items():
        assert (array.dtype, array.shape) == (expected[name].dtype, expected[name].shape), name
        assert array.tobytes() == expected[name].tobytes(), name


@each_part
def test_a_prefix_selects_a_network_of_a_policy_in_both_directions(
    case: dict[str, Any], prefix: str, call: str
) -> None:
    net = make(call)
    params = from_state_dict(net, whole(case), prefix)
    assert_same_bits(to_state_dict(net, params, prefix), below(case, prefix))


@each_part
def test_names_around_a_network_that_only_version_2_has_may_be_left_out(
    case: dict[str, Any], prefix: str, call: str
) -> None:
    short = prefix.removeprefix("policy.").removesuffix(".module")
    net = make(call)
    params = from_state_dict(net, whole(case), short)
    assert_same_bits(to_state_dict(net, params, f"{prefix}."), below(case, prefix))


@each_policy
def test_the_networks_of_a_policy_have_all_parameters_of_its_state_dict(case: dict[str, Any]) -> None:
    theirs = [name for prefix in case["networks"] for name in below(case, prefix)]
    others = {f"{part}.{name}".lstrip(".") for part, names in OTHERS.get(case["class"], {}).items() for name in names}
    assert len(theirs) == len(set(theirs))
    assert {*theirs, *others} == {name.replace("policy.support", "support") for name in case["state_dict"]}


@each_policy
def test_a_policy_is_split_into_the_state_dicts_of_its_networks(case: dict[str, Any]) -> None:
    parts = split(whole(case))
    for prefix, call in case["networks"].items():
        part = parts.pop(prefix.removeprefix("policy.").removesuffix(".module"))
        net = make(call)
        expected = {name.removeprefix(f"{prefix}."): array for name, array in below(case, prefix).items()}
        assert_same_bits(to_state_dict(net, from_state_dict(net, part)), expected)
    assert {name: list(part) for name, part in parts.items()} == OTHERS.get(case["class"], {})


def test_the_parts_that_both_versions_have_are_named_alike_in_both() -> None:
    ones, twos = ([set(split(case["state_dict"])) for major, case in RECORDED if major == m] for m in (1, 2))
    alone = [(old - new, new - old) for old, new in zip(ones, twos, strict=True)]
    unused = ({"actor_old"}, set())
    assert alone[:2] == [(set(), set())] * 2  # DDPG and TD3
    assert alone[2] == ({"actor_old"}, {"alpha"}) and alone[3] == unused  # SAC and REDQ, which have no target actor
    assert alone[4] == (set(), set())  # BCQ
    assert alone[5] == ({"_actor_critic.actor", "_actor_critic.critic"}, set())  # PPO
    assert alone[6:] == [(set(), set())] * 3  # IQN, FQF and Rainbow


@each_policy
def test_without_a_prefix_the_error_names_those_that_fit_and_the_call_to_make(case: dict[str, Any]) -> None:
    for call in set(case["networks"].values()):
        net = make(call)
        fitting = [prefix for prefix, other in case["networks"].items() if other == call]
        with pytest.raises(ValueError, match="fits in this state dict at") as caught:
            from_state_dict(net, whole(case))
        named = re.findall(r"'([^']+)'", str(caught.value).split(" at ")[1].split(": say")[0])
        assert set(named) == set(fitting)
        advised = re.search(r"from_state_dict\(net, state_dict, prefix='(.+)'\)", str(caught.value))
        assert advised is not None and advised[1] in fitting
        assert eval(advised[0], {"net": net, "state_dict": whole(case), "from_state_dict": from_state_dict})


def test_the_error_for_a_wrong_prefix_names_the_right_ones() -> None:
    case = next(case for _, case in RECORDED if case["class"] == "TD3")
    with pytest.raises(ValueError, match=r"Actor.* fits .* at 'policy.actor', 'actor_old.module': .*'policy.actor'\)"):
        from_state_dict(ACTOR, whole(case), "critic")
    with pytest.raises(
        ValueError, match=r"no name .* begins with 'critic1\.'; it has the parts 'actor', 'critic', 'critic_old', 'cri"
    ):
        from_state_dict(ACTOR, whole(case), "critic1")


def test_the_error_for_a_policy_of_another_network_names_its_parts_and_their_nearest_names() -> None:
    case = next(case for _, case in RECORDED if case["class"] == "TD3Policy")
    wider = npnets.Actor(npnets.Net(3, hidden_sizes=(5,)), 2)
    with pytest.raises(ValueError) as caught:
        from_state_dict(wider, whole(case))
    message = str(caught.value)
    assert "(nearest: 'actor.preprocess.model.model.0.weight' of shape (4, 3))" in message
    assert "another part (prefix) meant: it has the parts 'actor', 'actor_old', 'critic'" in message
    with pytest.raises(
        ValueError, match="the part 'actor' of the state dict is not that of .*hidden_sizes and the sha"
    ):
        from_state_dict(wider, whole(case), "actor")


def test_a_prefix_takes_a_part_of_its_own_name_before_that_of_the_inner_policy() -> None:
    one, two = (to_state_dict(ACTOR, ACTOR.init(np.random.default_rng(seed))) for seed in (1, 2))
    both = {**{f"policy.actor.{n}": a for n, a in one.items()}, **{f"actor.{n}": a for n, a in two.items()}}
    assert_same_bits(to_state_dict(ACTOR, from_state_dict(ACTOR, both, "actor")), two)
    assert_same_bits(to_state_dict(ACTOR, from_state_dict(ACTOR, both, "policy.actor")), one)
    parts = split(both)
    assert list(parts) == ["policy.actor", "actor"]
    assert_same_bits(parts["policy.actor"], one)
    assert_same_bits(parts["actor"], two)


@pytest.mark.parametrize("wrapper", ["module", "net.module", "module.net.module", "_orig_mod", "_orig_mod.module"])
def test_a_wrapper_around_a_whole_network_is_removed(wrapper: str) -> None:
    state_dict = to_state_dict(ACTOR, ACTOR.init(np.random.default_rng(0)))
    wrapped = {f"{wrapper}.{name}": array for name, array in state_dict.items()}
    assert_same_bits(to_state_dict(ACTOR, from_state_dict(ACTOR, wrapped)), state_dict)
    assert_same_bits(split({f"actor.{name}": array for name, array in wrapped.items()})["actor"], state_dict)


@each_policy
@pytest.mark.parametrize("wrapper", ["module", "net.module", "_orig_mod"])
def test_a_wrapper_around_a_whole_policy_is_removed(case: dict[str, Any], wrapper: str) -> None:
    wrapped = {f"{wrapper}.{name}": value for name, value in whole(case).items()}
    parts, expected = split(wrapped), split(whole(case))
    assert list(parts) == list(expected)
    for name, part in parts.items():
        assert_same_bits(part, expected[name])
    for prefix, call in case["networks"].items():
        net = make(call)
        for at in (prefix, f"{wrapper}.{prefix}"):
            assert_same_bits(to_state_dict(net, from_state_dict(net, wrapped, at), prefix), below(case, prefix))


def test_wrappers_without_which_two_names_would_be_one_are_kept() -> None:
    both = {"module.x.weight": np.zeros(1), "_orig_mod.x.weight": np.ones(1)}
    assert [list(part) for part in split(both).values()] == [["x.weight"], ["x.weight"]]


@pytest.mark.parametrize("wrapper", ["module", "net.module", "_orig_mod"])
def test_the_error_for_a_network_with_a_wrapper_inside_names_its_prefix(wrapper: str) -> None:
    state_dict = to_state_dict(ACTOR, ACTOR.init(np.random.default_rng(0)))
    named = {f"actor.{n.replace('preprocess.', f'preprocess.{wrapper}.')}": a for n, a in state_dict.items()}
    with pytest.raises(ValueError, match=r"fits in this state dict at 'actor': .*prefix='actor'\)"):
        from_state_dict(ACTOR, named)
    assert_same_bits(to_state_dict(ACTOR, from_state_dict(ACTOR, named, "actor")), state_dict)


def test_a_wrapper_around_a_part_is_removed_only_if_the_name_without_it_is_missing() -> None:
    state_dict = to_state_dict(ACTOR, ACTOR.init(np.random.default_rng(0)))
    name = "preprocess.model.model.0.bias"
    for wrapped in ("preprocess.module.model.model.0.bias", "preprocess.net.module.model.model.0.bias"):
        with pytest.raises(ValueError, match=f"has '{wrapped}' of shape .* besides"):
            from_state_dict(ACTOR, {**state_dict, wrapped: state_dict[name]})
        moved = {wrapped if key == name else key: array for key, array in state_dict.items()}
        assert_same_bits(to_state_dict(ACTOR, from_state_dict(ACTOR, moved)), state_dict)
    twice = {**moved, "module.preprocess.module.model.model.0.bias": state_dict[name]}
    with pytest.raises(ValueError, match=f"lacks '{name}'"):
        from_state_dict(ACTOR, twice)


def test_names_without_a_dot_belong_to_the_policy_itself() -> None:
    array = np.zeros(1)
    names = ("scale", "policy.shift", "policy.actor.x", "_actor_critic.y")
    assert split({**dict.fromkeys(names, array), "_optimizers": []}) == {
        "": {"scale": array, "shift": array},
        "actor": {"x": array},
        "_actor_critic": {"y": array},
    }
    assert split({"scale": array, "policy.scale": array}) == {"": {"scale": array}, "policy": {"scale": array}}
