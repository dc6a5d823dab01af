"""A schedule is called with a number of updates: any integer from zero on, and nothing else."""

import re
from typing import Any

import numpy as np
import pytest

from npnets.optim import cosine_schedule, linear_schedule

pytestmark = pytest.mark.numpy_alone("is about numbers")

each_schedule = pytest.mark.parametrize("schedule", [linear_schedule, cosine_schedule])


@each_schedule
@pytest.mark.parametrize("step", [0, 3, 10, 12])
def test_a_step_of_numpys_integers_gives_the_python_number_that_an_int_gives(schedule: Any, step: int) -> None:
    value = schedule(0, 1, 10)(np.int64(step))
    assert type(value) is float
    assert value == schedule(0, 1, 10)(step)


@each_schedule
def test_a_negative_step_is_refused(schedule: Any) -> None:
    with pytest.raises(ValueError, match="step must be zero or positive, but is -5"):
        schedule(0, 1, 10)(-5)


@each_schedule
@pytest.mark.parametrize("step", [float("nan"), 2.5, True, "3", None, np.arange(3)], ids=repr)
def test_a_step_that_is_no_integer_is_refused(schedule: Any, step: Any) -> None:
    with pytest.raises(TypeError, match=re.escape(f"step must be an integer, but is {step!r}")):
        schedule(0, 1, 10)(step)
