"""`check_network` draws inputs on the device of a network's parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from backends import device
from network_cases import CASES, there

import npnets.numpy as nnp
from npnets import Actor
from npnets.testing import NetworkLawError, check_network


@pytest.mark.parametrize("name", ["Actor", "Critic of an ensemble", "VAE", "RecurrentCritic of actions"])
def test_a_network_on_either_backend_keeps_the_laws(name: str) -> None:
    check_network(there(CASES[name].net), max_examples=2)


@dataclass(frozen=True)
class Centred(Actor):
    def forward(self, params: Any, obs: Any, state: Any = None, info: Any = None) -> Any:
        action, state = super().forward(params, obs, state, info)
        return action - nnp.mean(action, axis=0), state


@pytest.mark.slow
def test_a_fault_is_found_on_either_backend() -> None:
    actor = there(CASES["Actor"].net)
    with pytest.raises(NetworkLawError, match="batch = 2") as caught:
        check_network(Centred(actor.preprocess_net, 3, device=device()), skip=["bound"])
    assert caught.value.law == "rows"
