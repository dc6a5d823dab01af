"""Random algorithms of d3rlpy: an algorithm, an encoder, and scalers of observations and actions."""

from __future__ import annotations

from typing import Any, NamedTuple

import d3rlpy
import make_d3rlpy
import numpy as np
from d3rlpy.models.encoders import DefaultEncoderFactory, VectorEncoderFactory
from d3rlpy.models.q_functions import QRQFunctionFactory
from d3rlpy.preprocessing import MinMaxActionScaler, MinMaxObservationScaler, StandardObservationScaler
from hypothesis import strategies as st

CONTINUOUS = ["AWAC", "BC", "CQL", "CalQL", "DDPG", "IQL", "PRDC", "ReBRAC", "SAC", "TD3", "TD3PlusBC"]
DISCRETE = ["DQN", "DiscreteBC", "DiscreteCQL", "DiscreteSAC", "DoubleDQN", "NFQ"]
ACTIVATIONS = st.sampled_from(["gelu", "none", "relu", "swish", "tanh"])


class Drawn(NamedTuple):
    """An algorithm with large random parameters, and observations of the scale that its scaler expects."""

    algorithm: Any
    observations: Any


@st.composite
def algorithms(draw: st.DrawFn) -> Drawn:
    """Return an algorithm of any kind that has a deterministic policy."""
    is_discrete = draw(st.booleans())
    config = getattr(d3rlpy.algos, f"{draw(st.sampled_from(DISCRETE if is_discrete else CONTINUOUS))}Config")
    inputs, actions = draw(st.integers(1, 8)), draw(st.integers(2 if is_discrete else 1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    mean, deviation = rng.normal(0, 3, inputs), np.exp(rng.normal(0, 2, inputs))
    given = {name: make_d3rlpy.SMALL for name in config.__dataclass_fields__ if name.endswith("encoder_factory")}
    given["actor_encoder_factory" if "actor_encoder_factory" in given else "encoder_factory"] = draw(_encoders())
    given["observation_scaler"] = draw(st.sampled_from([None, *_scalers(mean, deviation)]))
    if not is_discrete and draw(st.booleans()):
        low = rng.normal(0, 3, actions)
        given["action_scaler"] = MinMaxActionScaler(minimum=low, maximum=low + rng.uniform(0.1, 5, actions))
    if "q_func_factory" in config.__dataclass_fields__ and is_discrete and draw(st.booleans()):
        given["q_func_factory"] = QRQFunctionFactory(n_quantiles=draw(st.integers(1, 5)))
    is_scaled = given["observation_scaler"] is not None
    observations = rng.normal(size=(5, inputs)) * (deviation if is_scaled else 1) + (mean if is_scaled else 0)
    return Drawn(make_d3rlpy.created(config(**given), inputs, actions), observations.astype(np.float32))


def _scalers(mean: Any, deviation: Any) -> list[Any]:
    bounds = {"minimum": mean - 2 * deviation, "maximum": mean + 2 * deviation}
    return [StandardObservationScaler(mean=mean, std=deviation), MinMaxObservationScaler(**bounds)]


@st.composite
def _encoders(draw: st.DrawFn) -> Any:
    shared = {"activation": draw(ACTIVATIONS), "use_batch_norm": draw(st.booleans())}
    shared["dropout_rate"] = draw(st.sampled_from([None, 0.3]))
    if draw(st.integers(0, 9)) == 0:
        return DefaultEncoderFactory(**shared)
    return VectorEncoderFactory(
        hidden_units=draw(st.lists(st.integers(1, 20), min_size=1, max_size=4)),
        use_layer_norm=draw(st.booleans()),
        exclude_last_activation=draw(st.booleans()),
        last_activation=draw(st.none() | ACTIVATIONS),
        **shared,
    )
