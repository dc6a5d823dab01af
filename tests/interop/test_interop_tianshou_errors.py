"""The error for a state dict that does not fit lists all missing, extra and misshapen arrays, and the likely cause."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pytest
from state_dict_refusals import params_of, refusal, state_dict_of

import npnets
from npnets.interop.tianshou import from_state_dict, to_state_dict

pytestmark = pytest.mark.numpy_alone("about messages")

ENSEMBLE = functools.partial(npnets.EnsembleLinear, 3)
ACTOR = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 3)
PROB = npnets.ActorProb(npnets.Net(5, hidden_sizes=(4,)), 3)
CONDITIONED = npnets.ActorProb(npnets.Net(5, hidden_sizes=(4,)), 3, conditioned_sigma=True)
CRITIC = npnets.Critic(npnets.Net(5, hidden_sizes=(4,)), linear_layer=ENSEMBLE, flatten_input=False)
MLP = npnets.MLP(5, 2, (4,))
LAST = "last.model.0.weight"


def test_a_missing_name_is_listed_with_its_shape_and_the_nearest_extra_name() -> None:
    given = state_dict_of(ACTOR, **{LAST: None, "last.model.2.weight": np.zeros((3, 7), np.float32)})
    message = refusal(lambda: from_state_dict(ACTOR, given))
    assert message == (
        f"the state dict is not that of {ACTOR!r}: it lacks '{LAST}' of shape (3, 4) (nearest: 'last.model.2.weight' "
        "of shape (3, 7)); has 'last.model.2.weight' of shape (3, 7) besides; are hidden_sizes, norm_layer and "
        "activation (None or not) the same on both sides?"
    )


def test_a_missing_name_with_no_near_one_is_listed_alone() -> None:
    message = refusal(lambda: from_state_dict(ACTOR, state_dict_of(ACTOR, **{"last.model.0.bias": None})))
    assert "it lacks 'last.model.0.bias' of shape (3,); has one side layers without bias?" in message


def test_extra_names_are_listed_whether_or_not_they_are_arrays() -> None:
    given = state_dict_of(ACTOR, counter=np.zeros((2, 1)), words=["a"])
    message = refusal(lambda: from_state_dict(ACTOR, given))
    assert "it has 'counter' of shape (2, 1), 'words' besides; " in message


def test_a_dict_beside_arrays_is_listed_as_extra() -> None:
    given = state_dict_of(ACTOR, optimizer={"step": 3})
    assert "it has 'optimizer' besides; " in refusal(lambda: from_state_dict(ACTOR, given))
    part = {"optimizer": {}, **{f"actor.{name}": array for name, array in state_dict_of(ACTOR).items()}}
    assert list(from_state_dict(ACTOR, part, "actor")) == ["preprocess", "last"]


def test_the_nearest_name_is_the_same_one_below_another_prefix_and_of_the_same_shape_if_there_is_one() -> None:
    wider = npnets.Actor(npnets.Net(5, hidden_sizes=(6,)), 3)
    parts = {"lately.policy.critic": MLP, "lately.policy.actor": ACTOR, "actr": npnets.Critic(npnets.Net(5, 0, (6,)))}
    given = {f"{at}.{name}": array for at, net in parts.items() for name, array in state_dict_of(net).items()}
    message = refusal(lambda: from_state_dict(wider, given))
    assert "'preprocess.model.model.0.bias' of shape (6,) (nearest: 'actr.preprocess.model.model.0.bias'" in message
    assert (
        "'last.model.0.bias' of shape (3,) (nearest: 'lately.policy.actor.last.model.0.bias' of shape (3,))" in message
    )


def test_every_misshapen_array_is_listed_with_both_shapes() -> None:
    given = state_dict_of(npnets.Actor(npnets.Net(5, hidden_sizes=(6,)), 3))
    message = refusal(lambda: from_state_dict(ACTOR, given))
    assert (
        "it has the shape (6, 5) for 'preprocess.model.model.0.weight', which must be (4, 5), (6,) for "
        f"'preprocess.model.model.0.bias', which must be (4,), (3, 6) for '{LAST}', which must be (3, 4); are "
        "hidden_sizes and the shapes of observations and actions the same on both sides?"
    ) in message


def test_all_differences_are_in_one_message() -> None:
    given = state_dict_of(ACTOR, **{LAST: np.zeros((3, 9)), "last.model.0.bias": None, "extra": np.zeros(2)})
    message = refusal(lambda: from_state_dict(ACTOR, given))
    assert re.search(r"it lacks 'last.model.0.bias'.*; has 'extra' of .* besides; has the shape \(3, 9\) for", message)


def test_a_message_lists_only_a_few_of_many() -> None:
    deep, shallow = npnets.MLP(5, 2, (4,) * 30), npnets.MLP(5, 2)
    lacking = refusal(lambda: from_state_dict(deep, state_dict_of(shallow)))
    assert "and 55 more" in lacking and lacking.count("of shape (4,") == 5
    too_many = refusal(lambda: from_state_dict(shallow, state_dict_of(deep)))
    assert "and 55 more besides" in too_many
    wide = refusal(lambda: from_state_dict(deep, state_dict_of(npnets.MLP(5, 2, (6,) * 30))))
    assert "and 56 more; are hidden_sizes and" in wide
    policy = {f"agent_{number}.{name}": array for number in range(30) for name, array in state_dict_of(MLP).items()}
    assert "'agent_7' and 22 more: choose one" in refusal(lambda: from_state_dict(MLP, policy))
    assert "'agent_11' and 18 more" in refusal(lambda: from_state_dict(MLP, policy, "actor"))


@pytest.mark.parametrize(
    ("net", "of", "cause"),
    [
        (MLP, npnets.MLP(5, 2, (4,), linear_layer=ENSEMBLE), "functools.partial(npnets.EnsembleLinear, 3)"),
        (npnets.MLP(5, 2, (4,), linear_layer=ENSEMBLE), MLP, "is it of a single network, and not of an ensemble?"),
        (PROB, CONDITIONED, "is conditioned_sigma the same on both sides?"),
        (CONDITIONED, PROB, "is conditioned_sigma the same on both sides?"),
        (npnets.Net(5, 3, (4,), dueling_param=({}, {})), npnets.Net(5, 0, (4,)), "is dueling_param the same"),
        (npnets.Net(5, 0, (4,)), npnets.Net(5, 3, (4,), dueling_param=({}, {})), "is dueling_param the same"),
        (npnets.RecurrentCritic(2, 5), npnets.RecurrentCritic(1, 5), "is layer_num the same on both sides?"),
        (npnets.Recurrent(1, 5, 2), npnets.Recurrent(3, 5, 2), "is layer_num the same on both sides?"),
        (MLP, npnets.MLP(5, 2, (4,), "layer_norm"), "are hidden_sizes, norm_layer and activation (None or not)"),
        (MLP, npnets.MLP(5, 2, (4, 4)), "are hidden_sizes, norm_layer and activation (None or not)"),
        (MLP, npnets.MLP(6, 2, (4,)), "are hidden_sizes and the shapes of observations and actions"),
        (MLP, npnets.MLP(5, 2, (4,), linear_layer=functools.partial(npnets.Linear, bias=False)), "without bias?"),
        (npnets.Linear(5, 3, bias=False), npnets.Linear(5, 3), "has one side layers without bias?"),
        (ACTOR, MLP, "is it another network's"),
    ],
)
def test_the_likely_cause_is_named_in_both_directions(net: Any, of: Any, cause: str) -> None:
    assert cause in refusal(lambda: from_state_dict(net, state_dict_of(of)))
    backwards = refusal(lambda: to_state_dict(net, params_of(of)))
    assert "the parameters are not those of" in backwards and cause in backwards


def test_an_activation_that_one_side_lacks_moves_tianshous_names_and_is_named() -> None:
    without = npnets.MLP(5, 2, (4,), activation=None)
    cause = r"'model.1.weight' of shape \(2, 4\)\), .* activation \(None or not\) the same on both sides"
    with pytest.raises(ValueError, match=cause):
        from_state_dict(MLP, state_dict_of(without))
    assert list(to_state_dict(MLP, params_of(without))) != list(to_state_dict(without, params_of(without)))


def test_transposed_weights_are_recognized() -> None:
    given = {name: np.ascontiguousarray(array.T) for name, array in state_dict_of(ACTOR).items()}
    message = refusal(lambda: from_state_dict(ACTOR, given))
    assert message.endswith("weights are transposed: they are (out, in) in Tianshou, and (in, out) in npnets")
    params = npnets.tree.map(lambda leaf: leaf.T, params_of(ACTOR))
    assert refusal(lambda: to_state_dict(ACTOR, params)).endswith("and (in, out) in npnets")


def test_parameters_that_do_not_fit_are_listed_by_their_paths() -> None:
    params = params_of(ACTOR)
    params["last"] = {"linear_1": params["last"]["linear_0"]}
    message = refusal(lambda: to_state_dict(ACTOR, params))
    assert (
        f"the parameters are not those of {ACTOR!r}: the dict lacks 'last.linear_0.weight' of shape (4, 3) (nearest: "
        "'last.linear_1.weight' of shape (4, 3)), "
    ) in message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((3, 4), np.int64), f"'{LAST}' has dtype int64"),
        (np.zeros((3, 4), complex), f"'{LAST}' has dtype complex128"),
        (np.zeros((3, 4), "S1"), f"'{LAST}' has dtype .S1"),
        (np.zeros((3, 4), np.float64), r"one dtype, but there are float32 \(as 'preprocess.*float64 \(as 'last"),
        ([[1.0]], f"'{LAST}' must be an array, but is a list"),
    ],
)
def test_values_other_than_floating_point_arrays_of_one_dtype_are_refused(value: Any, words: str) -> None:
    message = refusal(lambda: from_state_dict(ACTOR, state_dict_of(ACTOR, **{LAST: value})), TypeError)
    assert re.search(words, message)


class Half:
    """A tensor of a dtype that NumPy does not have."""

    dtype, shape = "torch.bfloat16", (3, 4)

    def detach(self) -> Half:
        return self

    cpu = detach

    def numpy(self) -> Any:
        raise TypeError("Got unsupported ScalarType BFloat16")


class Empty(Half):
    """A tensor that has a dtype and a shape, and no values."""

    def __init__(self, dtype: str) -> None:
        self.dtype, self.device = dtype, "meta"

    def cpu(self) -> Any:
        raise NotImplementedError("Cannot copy out of meta tensor;\nno data!")


class Sparse(Half):
    """A tensor of a dtype that NumPy has, in a form that it has not."""

    dtype, device = "torch.float32", "cpu"

    def numpy(self) -> Any:
        raise TypeError("can't convert it. Use Tensor.to_dense() first.")


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (Empty("torch.float32"), "of dtype torch.float32 on the device meta .* out of meta tensor; no data!$"),
        (Empty("torch.bfloat16"), "of dtype torch.bfloat16 on the device meta .* out of meta tensor; no data!$"),
        (Sparse(), "of dtype torch.float32 on the device cpu cannot become a NumPy array: .* Use Tensor.to_dense"),
    ],
)
def test_a_tensor_that_cannot_become_an_array_is_refused_with_its_own_reason(tensor: Any, words: str) -> None:
    message = refusal(lambda: from_state_dict(ACTOR, state_dict_of(ACTOR, **{LAST: tensor})), TypeError)
    assert re.search(f"'{LAST}' {words}", message) and "float()" not in message


def test_a_tensor_of_a_dtype_that_numpy_lacks_is_refused_with_the_remedy() -> None:
    message = refusal(lambda: from_state_dict(ACTOR, state_dict_of(ACTOR, **{LAST: Half()})), TypeError)
    assert f"'{LAST}' has dtype torch.bfloat16 and cannot become a NumPy array" in message
    assert "tensor.float()" in message


def test_parameters_of_mixed_dtypes_are_refused() -> None:
    params = params_of(ACTOR)
    params["last"]["linear_0"]["bias"] = np.zeros(3, np.float64)
    assert "float64 (as 'last.linear_0.bias')" in refusal(lambda: to_state_dict(ACTOR, params), TypeError)
