"""Optimizers, clipping and soft updates at the edges of floating point: overflow, underflow, cancellation, NaN."""

from typing import Any

import mpmath
import numpy as np
import pytest
from backends import as_numpy, assert_array_equal, on_backend

from npnets import optim, tree

LARGEST = {np.float32: 3e38, np.float64: 1.7e308}
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def _leaf(dtype: Any, *values: float) -> Any:
    return on_backend({"w": np.array(values, dtype)})


# -- the norm of gradients --------------------------------------------------------------------------------------------


POWERS = {np.float32: (-44, -38, -30, -20, 0, 19, 38), np.float64: (-322, -300, -160, -38, 0, 150, 307)}


@pytest.mark.parametrize(("dtype", "power"), [(dtype, power) for dtype, powers in POWERS.items() for power in powers])
def test_a_norm_is_right_whatever_the_size_of_the_gradients(dtype: Any, power: int) -> None:
    values = np.array([3, -1, 0.5], dtype) * dtype(10.0**power)
    exact = mpmath.norm([mpmath.mpf(float(value)) for value in values])
    clipped, norm = optim.clip_by_global_norm(_leaf(dtype, *values), 1.0)
    assert abs(norm - exact) <= max(4 * float(np.finfo(dtype).eps) * exact, float(np.spacing(norm)))
    factor = min(1 / (exact + mpmath.mpf(10) ** -6), 1)
    for found, value in zip(as_numpy(clipped)["w"], values, strict=True):
        expected = mpmath.mpf(float(value)) * factor
        unit = float(np.spacing(np.abs(found)))
        assert abs(mpmath.mpf(float(found)) - expected) <= 4 * unit


def test_a_gradient_whose_square_overflows_is_clipped_to_the_limit() -> None:
    clipped, norm = optim.clip_by_global_norm(_leaf(np.float32, 2e19), 1)
    assert_array_equal(clipped["w"], np.ones(1, np.float32))
    assert norm == np.float32(2e19)


@each_dtype
def test_a_norm_beyond_the_largest_number_still_clips_to_the_limit(dtype: Any) -> None:
    clipped, _ = optim.clip_by_global_norm(_leaf(dtype, *[LARGEST[dtype]] * 16), 1e-3)
    np.testing.assert_allclose(as_numpy(clipped)["w"], 0.25e-3, rtol=4 * np.finfo(dtype).eps)


def test_many_squares_that_vanish_together_still_make_a_norm() -> None:
    grads = on_backend({"large": np.array([1e-18], np.float32), "small": np.full(10**6, 3e-23, np.float32)})
    _, norm = optim.clip_by_global_norm(grads, 1.0)
    assert norm == pytest.approx((1e-36 + 10**6 * 9e-46) ** 0.5, rel=1e-6, abs=0)


def test_gradients_of_zero_and_trees_without_entries_stay_as_they_are() -> None:
    for grads in ({"w": np.zeros(3, np.float32)}, {"w": np.zeros((0, 3), np.float32)}):
        clipped, norm = optim.clip_by_global_norm(on_backend(grads), 1.0)
        assert norm == 0
        assert_array_equal(clipped["w"], grads["w"])


NOT_FINITE: dict[str, tuple[Any, str]] = {
    "nan": ([1, np.nan, np.nan], "'b.w' has 2 entries nan of 3"),
    "infinity": ([np.inf, 0, 1], "'b.w' has 1 entries inf of 3"),
    "both": ([np.inf, -np.inf, np.nan], "'b.w' has 1 entries nan and 2 entries inf of 3"),
}


@pytest.mark.parametrize("kind", NOT_FINITE)
def test_a_gradient_that_is_not_finite_is_reported_by_its_path_and_spread_over_nothing(kind: str) -> None:
    values, message = NOT_FINITE[kind]
    grads = on_backend({"a": np.ones(2, np.float32), "b": {"w": np.array(values, np.float32)}})
    with pytest.raises(FloatingPointError, match=f"expected finite gradients, but {message}.*leave this step out"):
        optim.clip_by_global_norm(grads, 1.0)


def test_the_report_counts_the_other_leaves_that_are_not_finite() -> None:
    grads = on_backend([np.full(2, np.nan), np.ones(2), np.full(2, np.inf)])
    with pytest.raises(FloatingPointError, match="'0' has 2 entries nan of 2; 1 more of the 3 leaves are not finite"):
        optim.clip_by_global_norm(grads, 1.0)


@pytest.mark.numpy_alone("CuPy raises nothing at the operation")
def test_the_remedy_that_the_report_gives_finds_the_operation() -> None:
    import npnets
    import npnets.numpy as nnp

    with (
        np.errstate(divide="raise", over="raise", invalid="raise"),
        pytest.raises(FloatingPointError, match="divide by zero"),
    ):
        npnets.value_and_grad(lambda w: nnp.sum(nnp.log(w)))(np.zeros(3, np.float32))


# -- step and weight decay --------------------------------------------------------------------------------------------


def _exact_adamw(p: Any, g: Any, m: Any, s: Any, step: int, rate: float, decay: float) -> mpmath.mpf:
    """One entry's parameter after an update of AdamW with the default betas and eps, in 60 digits."""
    b1, b2 = mpmath.mpf(0.9), mpmath.mpf(0.999)
    m, s, g, p = (mpmath.mpf(float(value)) for value in (m, s, g, p))
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g
    moved = m / (1 - b1**step) / (mpmath.sqrt(s / (1 - b2**step)) + mpmath.mpf(1e-8))
    return p - rate * moved - mpmath.mpf(rate) * mpmath.mpf(decay) * p


@pytest.mark.parametrize("decay", [0.0, 1e-3, 1e-2, 1.0])
@pytest.mark.parametrize("rate", [1e-9, 1e-7, 1e-6, 1e-5, 1e-4])
def test_an_update_of_adamw_in_float32_is_the_exact_one_rounded_once(rate: float, decay: float) -> None:
    rng = np.random.default_rng(0)
    p = (rng.normal(size=200) * 10 ** rng.uniform(-1, 2, 200)).astype("f")
    g, m = (rng.normal(size=200).astype("f") for _ in range(2))
    s = rng.uniform(0.1, 2, 200).astype("f")
    trees = on_backend([{"w": array} for array in (p, g, m, s)])
    updated, _ = optim.adamw(rate, weight_decay=decay).update(*trees[:2], optim.AdamState(6, *trees[2:]))
    with mpmath.workdps(60):
        for index, found in enumerate(as_numpy(updated)["w"]):
            exact = _exact_adamw(p[index], g[index], m[index], s[index], 7, rate, decay)
            unit = float(np.spacing(np.maximum(np.abs(p[index]), np.abs(found))))
            assert abs(mpmath.mpf(float(found)) - exact) <= 0.51 * unit


def test_step_and_decay_that_are_each_lost_to_rounding_move_a_parameter_together() -> None:
    params, grads = _leaf(np.float32, 1.5), _leaf(np.float32, 1.0)
    optimizer = optim.adamw(3e-8, weight_decay=1.0)  # a step of 3e-8 and a decay of 4.5e-8; half a unit is 6e-8
    updated, _ = optimizer.update(params=params, grads=grads, state=optimizer.init(params))
    assert_array_equal(updated["w"], np.array([np.nextafter(np.float32(1.5), np.float32(0))]))


@pytest.mark.parametrize("make", [optim.sgd, optim.rmsprop, optim.adam, optim.adamw])
@each_dtype
def test_an_infinite_parameter_stays_infinite_without_weight_decay(make: Any, dtype: Any) -> None:
    params, grads = _leaf(dtype, np.inf, -np.inf, 1.0), _leaf(dtype, 0.5, -0.5, 0.5)
    optimizer = make(0.1, weight_decay=0.0)
    updated, _ = optimizer.update(params=params, grads=grads, state=optimizer.init(params))
    found = as_numpy(updated)["w"]
    assert found[0] == np.inf and found[1] == -np.inf and found[2] < 1


# -- soft updates, and the running mean of Adam -----------------------------------------------------------------------

EXTREMES = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -2.5]


@each_dtype
def test_a_soft_update_with_tau_one_is_the_source_and_with_tau_zero_the_target_whatever_they_hold(dtype: Any) -> None:
    values = [*EXTREMES, LARGEST[dtype], -LARGEST[dtype]]
    target, source = (part.ravel() for part in np.meshgrid(*[np.array(values, dtype)] * 2))
    for tau, expected in ((1, source), (0, target)):
        updated = optim.soft_update(*on_backend(({"w": target}, {"w": source})), tau)
        assert as_numpy(updated)["w"].tobytes() == expected.tobytes()


def _exact_mean(t: float, s: float, tau: float) -> float:
    if np.isfinite([t, s]).all():
        return float((1 - mpmath.mpf(tau)) * mpmath.mpf(t) + mpmath.mpf(tau) * mpmath.mpf(s))
    with np.errstate(invalid="ignore"):
        return float(np.float64(t) * (1 - tau) + np.float64(s) * tau)


@each_dtype
@pytest.mark.parametrize("tau", [0.005, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("way", ["soft update", "first moment of adam"])
def test_infinite_values_and_differences_that_overflow_are_averaged_exactly(dtype: Any, tau: float, way: str) -> None:
    values = np.array([np.inf, -np.inf, np.nan, 0.0, 1.0, -2.5, LARGEST[dtype], -LARGEST[dtype]], dtype)
    target, source = (part.ravel() for part in np.meshgrid(values, values))
    trees = on_backend(({"w": target}, {"w": source}))
    with np.errstate(over="ignore", invalid="ignore"):
        found = as_numpy(_averaged(way, *trees, tau))["w"]
    for entry, t, s in zip(found, target.tolist(), source.tolist(), strict=True):
        expected, size = _exact_mean(t, s, tau), max(abs(t), abs(s))
        if np.isfinite(expected):
            assert abs(float(entry) - expected) <= 2 * np.spacing(dtype(size))
        else:
            assert str(float(entry)) == str(expected), (t, s)


def _averaged(way: str, target: Any, source: Any, tau: float) -> Any:
    if way == "soft update":
        return optim.soft_update(target=target, source=source, tau=tau)
    zeros = tree.map(np.zeros_like, target)
    state = optim.AdamState(0, target, zeros)
    return optim.adam(betas=(1 - tau, 0.9)).update(params=zeros, grads=source, state=state)[1].mu


@pytest.mark.parametrize("tau", [0.005, 0.5, 0.8])
def test_ordinary_values_beside_extreme_ones_are_averaged_to_the_same_bits_as_alone(tau: float) -> None:
    rng = np.random.default_rng(1)
    target, source = rng.standard_normal((2, 100), np.float32)
    source[:50] = target[:50]
    alone = optim.soft_update(*on_backend(({"w": target}, {"w": source})), tau)
    assert_array_equal(alone["w"][:50], target[:50])
    extreme = [np.append(part, edge).astype("f") for part, edge in ((target, [3e38, np.inf]), (source, [-3e38, 0.0]))]
    beside = optim.soft_update(*on_backend(({"w": extreme[0]}, {"w": extreme[1]})), tau)
    assert as_numpy(beside)["w"][:100].tobytes() == as_numpy(alone)["w"].tobytes()


# -- numpy.seterr -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["sgd(0.1, momentum=0.5, weight_decay=1e-3)", "rmsprop()", "adam()", "adamw()"])
@each_dtype
def test_numbers_that_vanish_in_an_update_raise_nothing_whatever_seterr_says(dtype: Any, call: str) -> None:
    tiny = np.finfo(dtype).tiny
    params, grads = _leaf(dtype, tiny, 1.0, tiny), _leaf(dtype, 2 * tiny, 1e-30, 0.0)
    optimizer = eval(f"optim.{call}")
    with np.errstate(all="raise"):
        state = optimizer.init(params)
        for _ in range(3):
            clipped, _ = optim.clip_by_global_norm(grads, 1.0)
            clipped = optim.clip_by_global_norm(clipped, float(tiny))[0]
            params, state = optimizer.update(params=params, grads=clipped, state=state)
            params = optim.soft_update(target=params, source=grads, tau=0.005)
    assert np.isfinite(as_numpy(params)["w"]).all()


@pytest.mark.numpy_alone("numpy.seterr has no effect on CuPy")
def test_an_overflow_in_an_update_still_raises_if_seterr_says_so() -> None:
    optimizer, params = optim.adam(), _leaf(np.float32, 1.0)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="overflow"):
        optimizer.update(params=params, grads=_leaf(np.float32, 1e30), state=optimizer.init(params))


@pytest.mark.parametrize("make", [optim.adam, optim.adamw, optim.rmsprop])
@pytest.mark.parametrize("eps", [1e-44, 1e-46, 0.0])
def test_a_gradient_of_zero_moves_nothing_where_eps_is_no_number_of_the_dtype(make: Any, eps: float) -> None:
    optimizer = make(0.1, eps=eps, weight_decay=0.0)
    params = on_backend({"w": np.array([1.0, 2.0], np.float32)})
    grads = on_backend({"w": np.zeros(2, np.float32)})
    new, _ = optimizer.update(params=params, grads=grads, state=optimizer.init(params))
    np.testing.assert_array_equal(as_numpy(new["w"]), [1, 2])
