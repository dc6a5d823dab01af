"""Random quantile networks and noisy layers. Few cosines: those of large multiples of pi magnify rounding."""

from __future__ import annotations

from drawn_common import Drawn, trunks
from drawn_layers import BATCHES, SHAPES, SIZES, Word, call, shape_of, some
from hypothesis import strategies as st

COSINES = st.integers(1, 8)
SAMPLES = st.integers(1, 6)
FRACTIONS = st.integers(2, 6)
"""One alone is constant, and has none between its ends."""


@st.composite
def cosine_embeddings(draw: st.DrawFn) -> Drawn:
    made = call("CosineEmbeddingNetwork", num_cosines=draw(COSINES), embedding_dim=draw(SIZES))
    return made, {"taus": (draw(BATCHES), draw(SAMPLES))}


@st.composite
def implicit_networks(draw: st.DrawFn) -> Drawn:
    made, obs, _ = draw(_heads("ImplicitQuantileNetwork"))
    return made, {"obs": obs, "taus": (obs[0], draw(SAMPLES))}


@st.composite
def fraction_proposals(draw: st.DrawFn) -> Drawn:
    features = draw(SIZES)
    made = call("FractionProposalNetwork", num_fractions=draw(FRACTIONS), embedding_dim=features)
    return made, {"obs": (draw(BATCHES), features)}


@st.composite
def full_functions(draw: st.DrawFn) -> Drawn:
    made, obs, features = draw(_heads("FullQuantileFunction"))
    fractions = draw(FRACTIONS)
    proposed = {"propose_weight": (features, fractions), "propose_bias": (fractions,)}
    given = {"taus": (obs[0], fractions + 1), "tau_hats": (obs[0], fractions)}
    return made, {"obs": obs, **draw(st.sampled_from([proposed, given]))}


@st.composite
def noisy_layers(draw: st.DrawFn) -> Drawn:
    inputs = draw(SIZES)
    leading = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    sizes = {"in_features": inputs, "out_features": draw(SIZES)}
    return call("NoisyLinear", **sizes, **draw(some(noisy_std=st.sampled_from([0.0, 0.1])))), {
        "obs": (*leading, inputs)
    }


@st.composite
def _heads(draw: st.DrawFn, name: str) -> tuple[Word, tuple[int, ...], int]:
    """Draw a quantile network; return it, the shape of its observations and its number of features."""
    trunk, shape, features = draw(trunks(actions=draw(st.just(0) | SHAPES)))  # which has no atoms
    arguments = {"preprocess_net": trunk, "action_shape": draw(SHAPES), "num_cosines": draw(COSINES)}
    hidden = st.lists(SIZES, max_size=2)
    others = some(hidden_sizes=hidden, preprocess_net_output_dim=st.just(features), device=st.just("cpu"))
    return call(name, **arguments, **draw(others)), shape_of(draw(BATCHES), shape), features


STRATEGIES: dict[str, st.SearchStrategy[Drawn]] = {
    "CosineEmbeddingNetwork": cosine_embeddings(),
    "ImplicitQuantileNetwork": implicit_networks(),
    "FractionProposalNetwork": fraction_proposals(),
    "FullQuantileFunction": full_functions(),
    "NoisyLinear": noisy_layers(),
}
