"""Marks of tests that not every system can run."""

from __future__ import annotations

import numpy as np
import pytest
import threadpoolctl

where_longdouble_is_wider = pytest.mark.skipif(
    np.dtype(np.longdouble).itemsize == 8, reason="a longdouble is a float64 here"
)
needs_known_blas = pytest.mark.skipif(
    not any(library["user_api"] == "blas" for library in threadpoolctl.threadpool_info()),
    reason="threadpoolctl does not know NumPy's BLAS, such as Apple's Accelerate, and cannot set its threads",
)
