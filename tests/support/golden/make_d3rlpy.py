"""Write `d3rlpy/<release>/`: files of d3rlpy's `algo.save(path)`, and the actions that d3rlpy itself predicts.

    python tests/support/golden/make_d3rlpy.py

Needs d3rlpy 2.x and PyTorch: run it once with each release whose files are to be read. `expected.npz` holds
observations and `algo.predict` of them for each file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import d3rlpy
import numpy as np
import torch
from d3rlpy.dataset import MDPDataset
from d3rlpy.models.encoders import VectorEncoderFactory
from d3rlpy.models.q_functions import QRQFunctionFactory
from d3rlpy.preprocessing import MinMaxActionScaler, MinMaxObservationScaler, StandardObservationScaler

FOLDER = Path(__file__).with_name("d3rlpy") / d3rlpy.__version__
OBSERVATIONS, ACTIONS = 3, 2
IS_LATEST = not d3rlpy.__version__.startswith(("2.0.", "2.2."))

SMALL = VectorEncoderFactory(hidden_units=[2])
LOW, HIGH = np.array([-2.0, 0.5]), np.array([1.0, 0.75])
MEAN, STD = np.array([1.0, -2.0, 0.3]), np.array([0.5, 3.0, 0.001])


def encoder(**given: Any) -> VectorEncoderFactory:
    """A small encoder for the actor."""
    return VectorEncoderFactory(**{"hidden_units": [5, 4], **given})


def algorithms() -> dict[str, Any]:
    """Return configurations by the name of their file: each algorithm, and each flag of encoders and scalers."""
    configs = d3rlpy.algos
    action_scaler = MinMaxActionScaler(minimum=LOW, maximum=HIGH)
    quantiles = QRQFunctionFactory(n_quantiles=7)
    scalers = {
        "observation_scaler": StandardObservationScaler(mean=MEAN, std=STD),
        "action_scaler": action_scaler,
    }
    min_max = MinMaxObservationScaler(minimum=MEAN - 1, maximum=MEAN + 2)
    found = {
        "td3_plus_bc_scaled": actor_critic(configs.TD3PlusBCConfig, encoder(), **scalers),
        "sac_dropout": actor_critic(configs.SACConfig, encoder(dropout_rate=0.5)),
        "bc_min_max": configs.BCConfig(encoder_factory=encoder(activation="tanh"), observation_scaler=min_max),
    }
    if not d3rlpy.__version__.startswith("2.2."):  # which cannot make batch norms
        found["sac_batch_norm"] = actor_critic(configs.SACConfig, encoder(use_batch_norm=True, dropout_rate=0.5))
    if IS_LATEST:
        found |= {
            "ddpg": actor_critic(configs.DDPGConfig, encoder(exclude_last_activation=True)),
            "td3_one_layer": actor_critic(configs.TD3Config, encoder(hidden_units=[6], activation="gelu")),
            "cql_layer_norm": actor_critic(configs.CQLConfig, encoder(use_layer_norm=True)),
            "iql_tanh": actor_critic(configs.IQLConfig, encoder(last_activation="tanh")),
            "awac_both_norms": actor_critic(
                configs.AWACConfig, encoder(activation="swish", use_batch_norm=True, use_layer_norm=True)
            ),
            "rebrac_linear": actor_critic(configs.ReBRACConfig, encoder(activation="none")),
            "cal_ql": actor_critic(configs.CalQLConfig, encoder(hidden_units=[4, 4, 4])),
            "prdc": actor_critic(
                configs.PRDCConfig, encoder(activation="tanh"), action_scaler=scalers["action_scaler"]
            ),
            "dqn": configs.DQNConfig(encoder_factory=encoder()),
            "nfq_quantiles": configs.NFQConfig(encoder_factory=encoder(activation="tanh"), q_func_factory=quantiles),
            "discrete_cql": configs.DiscreteCQLConfig(encoder_factory=encoder(activation="tanh")),
            "discrete_sac": actor_critic(configs.DiscreteSACConfig, encoder(activation="tanh")),
            "discrete_bc": configs.DiscreteBCConfig(encoder_factory=encoder()),
            "bc_stochastic": configs.BCConfig(policy_type="stochastic", encoder_factory=encoder()),
        }
    return found


def actor_critic(config: Any, actor_encoder: Any, **given: Any) -> Any:
    """A configuration whose critics are as small as possible."""
    others = ("critic_encoder_factory", "value_encoder_factory")
    small = {name: SMALL for name in others if name in config.__dataclass_fields__}
    return config(actor_encoder_factory=actor_encoder, **small, **given)


def created(config: Any, observations: int = OBSERVATIONS, actions: int = ACTIONS) -> Any:
    """An algorithm with larger weights than at first, and norms that change every action."""
    torch.manual_seed(0)
    algorithm = config.create(device="cpu")
    algorithm.create_impl((observations,), actions)
    for layer in layers_of(algorithm):
        for name, values in layer.state_dict().items():
            if isinstance(layer, torch.nn.Linear):
                values *= 2
            elif values.is_floating_point() and name:
                values.uniform_(0.2, 1.8)
    return algorithm


def layers_of(algorithm: Any) -> list[Any]:
    """Return the linear layers and norms of an algorithm; releases differ in where they have them."""
    parts = {**vars(algorithm.impl), **vars(getattr(algorithm.impl, "_modules", object))}
    modules = [part for part in parts.values() if isinstance(part, torch.nn.Module)]
    kinds = (torch.nn.Linear, torch.nn.BatchNorm1d, torch.nn.LayerNorm)
    return list({id(one): one for module in modules for one in module.modules() if isinstance(one, kinds)}.values())


def trained() -> Any:
    """An algorithm after some steps of training, whose scalers d3rlpy fitted to the data."""
    torch.manual_seed(0)
    np.random.seed(0)
    rng = np.random.default_rng(1)
    observations = (MEAN + STD * rng.normal(size=(64, OBSERVATIONS))).astype(np.float32)
    actions = rng.uniform(LOW, HIGH, (64, ACTIONS)).astype(np.float32)
    dataset = MDPDataset(observations, actions, rng.normal(size=64).astype(np.float32), np.arange(64) % 16 == 15)
    scalers = {"observation_scaler": StandardObservationScaler(), "action_scaler": MinMaxActionScaler()}
    algorithm = d3rlpy.algos.BCConfig(batch_size=16, encoder_factory=encoder(), **scalers).create(device="cpu")
    quiet = d3rlpy.logging.NoopAdapterFactory()
    algorithm.fit(dataset, n_steps=30, n_steps_per_epoch=30, logger_adapter=quiet, show_progress=False)
    return algorithm


def main() -> None:
    """Write all files of this release."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    observations = (MEAN + STD * np.random.default_rng(0).normal(size=(6, OBSERVATIONS))).astype(np.float32)
    expected: dict[str, Any] = {"observations": observations}
    found = {name: created(config) for name, config in algorithms().items()}
    if IS_LATEST:
        found["bc_trained"] = trained()
    for name, algorithm in found.items():
        algorithm.save(str(FOLDER / f"{name}.d3"))
        expected[name] = algorithm.predict(observations)
        if name.startswith(("dqn", "nfq")):
            indices = [np.full(len(observations), action) for action in range(ACTIONS)]
            values = [algorithm.predict_value(observations, each) for each in indices]
            expected[f"values of {name}"] = np.stack(values, axis=-1)
        if IS_LATEST and name.startswith(("cal_ql", "cql", "sac")):
            with torch.no_grad():
                output = algorithm.impl.modules.policy(torch.as_tensor(observations))
            expected[f"deviation of {name}"] = output.logstd.exp().numpy()
    np.savez_compressed(FOLDER / "expected.npz", **expected)


if __name__ == "__main__":
    main()
