"""The cost of reading a state dict or a pickle is bounded by limits that no real one reaches."""

from __future__ import annotations

import io
import pickle
import tracemalloc

import numpy as np
import pytest
from counted_comparisons import CountsComparisons

import npnets
from npnets.files.fault import Fault
from npnets.interop.pickles import machine, unpickling
from npnets.interop.tianshou import from_state_dict, prefixes, to_state_dict

pytestmark = pytest.mark.numpy_alone("files hold NumPy's arrays")

ACTOR = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 3)
LONGEST_MESSAGE = 2000


def test_a_network_is_tried_at_few_of_very_many_places_in_a_state_dict(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = to_state_dict(ACTOR, ACTOR.init(np.random.default_rng(0)))
    looked: list[str] = []
    fits = prefixes.fits
    monkeypatch.setattr(prefixes, "fits", lambda e, s, place="": looked.append(place) or fits(e, s, place))
    for state_dict in (
        {f"p{n}.{name}": value for n in range(500) for name, value in whole.items()},
        {f"p{n}.{next(iter(whole))}": np.zeros(3) for n in range(2000)},
        {f"{next(iter(whole))}{n}": np.zeros(3) for n in range(2000)},
        {"module." * 5000 + name: value for name, value in list(whole.items())[1:]},
        {"a." * 50_000 + next(iter(whole)): np.zeros(3)},
        {"x" * 100_000: np.zeros(3)},
    ):
        counter = CountsComparisons(monkeypatch)
        looked.clear()
        with pytest.raises(ValueError) as raised:
            from_state_dict(ACTOR, state_dict)
        assert len(str(raised.value)) < 2 * LONGEST_MESSAGE
        assert len(looked) <= 101 and counter.number <= 5000


@pytest.mark.slow
@pytest.mark.parametrize("code", [b"]", b"}", b")\x85"], ids=["lists", "dicts", "tuples"])
def test_a_pickle_of_very_many_containers_is_refused_in_little_memory(code: bytes) -> None:
    body = b"\x80\x02](" + code * 600_000 + b"e."
    tracemalloc.start()
    try:
        with pytest.raises(Fault, match=f"more than {machine.MOST_VALUES} containers"):
            unpickling.run(body, {}, (), lambda value: value, lambda path: Fault(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 2**20


@pytest.mark.slow
def test_a_pickle_of_many_thousand_parameters_is_still_read() -> None:
    content = {f"layer_{n}.weight": [(n, 2, 3), {"a": [n]}] for n in range(20_000)}
    file = io.BytesIO()
    pickle.Pickler(file, protocol=2).dump(content)
    assert unpickling.run(file.getvalue(), {}, (), lambda value: value, lambda path: Fault(path)) == content
