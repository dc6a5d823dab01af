"""The learning curves of the examples."""

from __future__ import annotations

import numpy as np
import pytest

from examples.shared.learning_curve import LearningCurve

pytestmark = pytest.mark.numpy_alone("is about numbers, which know no networks")


def test_a_learning_curve_judges_a_step_once() -> None:
    curve = LearningCurve(lambda state: np.array([state, state + 1.0]))
    for step, state in ((0, 5), (10, 6), (10, 7)):
        curve.add(step, state)
    assert curve.steps == [0, 10]
    np.testing.assert_array_equal(curve.returns, [[5, 6], [6, 7]])
