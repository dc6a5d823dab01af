"""Optimizers, clipping and soft updates: the numbers of PyTorch and Tianshou, purity, dtype, and what is refused."""

from typing import Any

import numpy as np
import pytest
from backends import as_numpy, assert_array_equal, bits, on_backend
from golden.fixtures import load, nested
from golden.npnets_side import OUTPUT_TOLERANCE, assert_all_close, by_path
from ownership import assert_owned

from npnets import optim, tree

GOLDEN = load("optimizers")
CASES: list[dict[str, Any]] = GOLDEN["cases"]
MAKERS: dict[str, Any] = {name: getattr(optim, name) for name in ("sgd", "rmsprop", "adam", "adamw")}

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
each_clipping = pytest.mark.parametrize("case", GOLDEN["clipping"], ids=lambda case: case["name"])
each_soft_update = pytest.mark.parametrize("case", GOLDEN["soft updates"], ids=lambda case: f"tau {case['tau']}")


def _made(call: str) -> optim.Optimizer:
    return eval(call, dict(MAKERS))  # type: ignore[no-any-return]


def _arrays(leaves: dict[str, Any]) -> Any:
    return on_backend(nested(leaves))


def _frozen(arrays: Any) -> Any:
    """Return a tree of copies; those of NumPy raise if anything is written to them."""
    copies = tree.map(np.copy, arrays)
    tree.map(lambda leaf: leaf.setflags(write=False) if isinstance(leaf, np.ndarray) else None, copies)
    return copies


def _state_arrays(state: Any) -> list[Any]:
    return [leaf for leaf in tree.leaves(state) if hasattr(leaf, "dtype")]


# -- the numbers of PyTorch and Tianshou ------------------------------------------------------------------------------


@each_case
def test_an_optimizer_visits_the_parameters_that_pytorchs_does(case: dict[str, Any]) -> None:
    optimizer, params = _made(case["call"]), _arrays(case["start"])
    state = optimizer.init(params)
    for grads, visited in zip(case["grads"], case["visited"], strict=True):
        params, state = optimizer.update(params, _arrays(grads), state)
        assert_all_close(by_path(params), visited, OUTPUT_TOLERANCE)
    assert state.step == len(case["grads"]) == 10


@each_case
def test_steps_from_zero_are_those_of_pytorch_to_the_last_digits(case: dict[str, Any]) -> None:
    optimizer, params = _made(case["call"]), _arrays(case["start"])
    state = optimizer.init(params)
    assert not params["nested"]["zero"].any()
    for grads, visited in zip(case["grads"], case["visited"], strict=True):
        params, state = optimizer.update(params, _arrays(grads), state)
        expected = visited["nested.zero"]
        assert np.abs(as_numpy(params["nested"]["zero"]) - expected).max() <= 2e-5 * np.abs(expected).max()


@each_clipping
def test_gradients_are_clipped_as_by_pytorch(case: dict[str, Any]) -> None:
    clipped, norm = optim.clip_by_global_norm(_arrays(case["grads"]), case["limit"])
    assert_all_close(by_path(clipped), case["clipped"], OUTPUT_TOLERANCE)
    assert norm == pytest.approx(float(case["norm"]), rel=OUTPUT_TOLERANCE)


@each_clipping
def test_clipping_leaves_gradients_within_the_limit_and_changes_none_that_are(case: dict[str, Any]) -> None:
    grads = nested(case["grads"])
    clipped, norm = as_numpy(optim.clip_by_global_norm(on_backend(grads), case["limit"]))
    after = np.linalg.norm(tree.ravel(tree.map(np.asarray, clipped))[0])
    assert after <= case["limit"] * (1 + 1e-6)
    unchanged = all(np.array_equal(a, b) for a, b in zip(tree.leaves(clipped), tree.leaves(grads), strict=True))
    assert unchanged == (norm < case["limit"])


@each_soft_update
def test_a_soft_update_is_that_of_tianshou(case: dict[str, Any]) -> None:
    updated = optim.soft_update(_arrays(case["target"]), _arrays(case["source"]), case["tau"])
    assert_all_close(by_path(updated), case["updated"], OUTPUT_TOLERANCE)


@pytest.mark.parametrize(("tau", "expected"), [(1.0, "source"), (0.0, "target")])
def test_a_soft_update_with_tau_one_or_zero_copies_bit_for_bit(tau: float, expected: str) -> None:
    rng = np.random.default_rng(0)
    trees = {
        "target": {"w": rng.standard_normal(1000, np.float32)},
        "source": {"w": rng.standard_normal(1000, np.float32)},
    }
    updated = optim.soft_update(*on_backend((trees["target"], trees["source"])), tau)
    assert_array_equal(updated["w"], trees[expected]["w"])


# -- purity and dtype -------------------------------------------------------------------------------------------------


@each_case
def test_an_update_changes_no_argument_and_returns_new_arrays(case: dict[str, Any]) -> None:
    optimizer, params = _made(case["call"]), _arrays(case["start"])
    state = optimizer.init(params)
    for _ in range(2):
        params, state = _frozen(params), type(state)(state[0], *(_frozen(part) if part else part for part in state[1:]))
        grads = _frozen(_arrays(case["grads"][0]))
        given = [params, grads, _state_arrays(state)]
        before = bits(given)
        params, state = optimizer.update(params, grads, state)
        assert bits(given) == before
        assert_owned([params, _state_arrays(state)], given)


@each_case
def test_the_same_update_twice_gives_the_same_bits(case: dict[str, Any]) -> None:
    optimizer, params, grads = _made(case["call"]), _arrays(case["start"]), _arrays(case["grads"][0])
    state = optimizer.update(params, grads, optimizer.init(params))[1]
    first, second = (optimizer.update(params, grads, state)[0] for _ in range(2))
    assert tree.paths(first) == tree.paths(second)
    assert bits(first) == bits(second)


def test_clipping_and_soft_updates_change_no_argument() -> None:
    params = _frozen(_arrays(CASES[0]["start"]))
    grads = _frozen(_arrays(CASES[0]["grads"][0]))
    before = bits([params, grads])
    for limit in (0.1, 100.0):
        optim.clip_by_global_norm(grads, limit)
    updated = optim.soft_update(params, grads, 0.5)
    assert bits([params, grads]) == before
    assert_owned(updated, [params, grads])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_case
def test_an_optimizer_keeps_the_dtype_and_shapes_of_the_parameters(case: dict[str, Any], dtype: Any) -> None:
    cast = lambda leaves: tree.map(lambda leaf: leaf.astype(dtype), _arrays(leaves))  # noqa: E731
    optimizer, params = _made(case["call"]), cast(case["start"])
    shapes, state = [leaf.shape for leaf in tree.leaves(params)], optimizer.init(params)
    for grads in case["grads"]:
        params, state = optimizer.update(params, optim.clip_by_global_norm(cast(grads), 3.0)[0], state)
        params = optim.soft_update(cast(case["start"]), params, 0.7)
    assert [leaf.shape for leaf in tree.leaves(params)] == shapes
    assert all(leaf.dtype == dtype for leaf in as_numpy([*tree.leaves(params), *_state_arrays(state)]))


# -- what is refused --------------------------------------------------------------------------------------------------

about_numbers = pytest.mark.numpy_alone("about hyper-parameters, which are no arrays")


@about_numbers
@pytest.mark.parametrize("call", GOLDEN["refused"])
def test_hyper_parameters_that_pytorch_refuses_are_refused(call: str) -> None:
    with pytest.raises(ValueError, match="must be|needs a momentum"):
        _made(call)


@about_numbers
@pytest.mark.parametrize("value", [-0.1, np.inf, np.nan])
@pytest.mark.parametrize("name", MAKERS)
def test_a_learning_rate_must_be_zero_or_positive_and_finite(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"learning_rate must be zero or positive, and finite, but is {value}"):
        MAKERS[name](value)


@about_numbers
@pytest.mark.parametrize("call", ["sgd(0.1, momentum=1.0)", "rmsprop(momentum=1.0)", "rmsprop(alpha=1.0)"])
def test_a_share_that_would_never_forget_is_refused(call: str) -> None:
    with pytest.raises(ValueError, match=r"must be in \[0, 1\), but is 1.0"):
        _made(call)


@pytest.mark.parametrize("tau", [-0.1, 1.1, np.nan])
def test_tau_must_be_a_share(tau: float) -> None:
    with pytest.raises(ValueError, match=r"tau must be in \[0, 1\]"):
        optim.soft_update(*on_backend(({"w": np.ones(2)}, {"w": np.ones(2)})), tau)


@pytest.mark.parametrize("limit", [0.0, -1.0, np.nan])
def test_the_limit_of_a_norm_must_be_positive(limit: float) -> None:
    with pytest.raises(ValueError, match="limit must be positive"):
        optim.clip_by_global_norm(on_backend({"w": np.ones(2)}), limit)


def _params() -> Any:
    return {"a": {"w": np.ones((3, 3), np.float32)}, "b": np.ones(3, np.float32)}


WRONG: dict[str, tuple[Any, str]] = {
    "a key is missing": ({"a": {"w": np.ones((3, 3), np.float32)}}, r"two trees differ at 'the root'.*\['b'\]"),
    "a key is left over": ({**_params(), "c": np.ones(1)}, r"has \['c'\] besides"),
    "another depth": ({"a": np.ones((3, 3), np.float32), "b": np.ones(3, np.float32)}, "expected a dict at 'a'"),
    "a shape that broadcasts": (
        {**_params(), "b": np.ones((1,), np.float32)},
        r"float32 \(3,\), but got float32 \(1,\)",
    ),
    "a number": ({**_params(), "b": 1.0}, "but got a float"),
    "another dtype": ({**_params(), "b": np.ones(3)}, r"but got float64 \(3,\); were the two trees made by different"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    "call",
    [
        *("sgd(0.1)", "sgd(0.1, momentum=0.5)", "sgd(0.1, weight_decay=0.1)", "rmsprop()", "rmsprop(weight_decay=0.1)"),
        *("adam()", "adam(weight_decay=0.1)", "adam(lambda step: 0.1)", "adamw()"),
    ],
)
def test_gradients_unlike_the_parameters_are_refused(call: str, wrong: str) -> None:
    grads, message = WRONG[wrong]
    optimizer, params = _made(call), on_backend(_params())
    with pytest.raises(ValueError, match=message):
        optimizer.update(params, on_backend(grads), optimizer.init(params))


@pytest.mark.parametrize("wrong", WRONG)
def test_a_soft_update_between_unlike_trees_is_refused(wrong: str) -> None:
    source, message = WRONG[wrong]
    with pytest.raises(ValueError, match=message):
        optim.soft_update(on_backend(_params()), on_backend(source), 0.5)


@pytest.mark.parametrize("call", ["sgd(0.1)", "rmsprop()", "adam()", "adamw()"])
def test_parameters_that_are_no_floating_point_arrays_are_refused(call: str) -> None:
    params = on_backend({"w": np.arange(3)})
    with pytest.raises(TypeError, match="expected float32 or float64 arrays as parameters, but one has dtype int64"):
        _made(call).update(params, params, _made(call).init(params))


@pytest.mark.parametrize("call", ["sgd(0.1, momentum=0.5)", "rmsprop()", "adam()", "adamw()"])
def test_a_state_of_other_parameters_is_refused(call: str) -> None:
    optimizer = _made(call)
    params = on_backend({"w": np.ones(3, np.float32)})
    for other in on_backend(({"w": np.ones((3, 3), np.float32)}, {"v": np.ones(3, np.float32)})):
        with pytest.raises(ValueError, match="state|expected an array|two trees differ"):
            optimizer.update(params, params, optimizer.init(other))


def test_integer_gradients_are_not_clipped_to_zero() -> None:
    with pytest.raises(TypeError, match="float32 or float64"):
        optim.clip_by_global_norm(on_backend({"w": np.array([3, 4])}), 1.0)


@about_numbers
def test_every_optimizer_is_an_optimizer() -> None:
    assert all(isinstance(make(0.1), optim.Optimizer) for make in MAKERS.values())


@pytest.mark.parametrize("call", ["sgd(0.1)", "rmsprop()", "adam()", "adamw()"])
def test_gradients_and_state_in_the_wrong_order_are_refused_in_words(call: str) -> None:
    optimizer = eval(f"optim.{call}")
    params = on_backend({"w": np.ones(2)})
    with pytest.raises(TypeError, match=r"but got a dict; the order is update\(params, grads, state\)"):
        optimizer.update(params, optimizer.init(params), params)


@about_numbers
@pytest.mark.parametrize("betas", [(0.9,), 0.9, "ab"])
def test_betas_must_be_a_pair_of_numbers(betas: Any) -> None:
    with pytest.raises(TypeError, match="betas must be"):
        optim.adam(betas=betas)


@about_numbers
def test_a_hyper_parameter_must_be_a_number() -> None:
    with pytest.raises(TypeError, match="learning_rate must be a number, but is '0.1'"):
        optim.adam("0.1")  # type: ignore[arg-type]
