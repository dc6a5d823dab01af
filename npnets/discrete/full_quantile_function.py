"""The fully parameterized quantile function: quantiles of the return of each action, at fractions that are proposed."""

from dataclasses import dataclass
from typing import Any

from npnets import tree
from npnets.autodiff import bare, stop_gradient
from npnets.autodiff.devices import computes_where_params
from npnets.backend import Array, Device
from npnets.common import MLP, PreprocessNet
from npnets.common.network import Network
from npnets.common.spec import Spec
from npnets.description import Sizes, cached_property
from npnets.discrete.actions import Actions
from npnets.discrete.cosine_embedding_network import CosineEmbeddingNetwork
from npnets.discrete.fraction_proposal_network import FractionProposalNetwork, Fractions
from npnets.discrete.quantile_body import QuantileBody, head_of, set_quantile_fields, spec_of
from npnets.inputs import as_input
from npnets.tree import Params, Tree


@dataclass(frozen=True, repr=False)
class FullQuantileFunction(Network):
    """A fully parameterized quantile function: quantiles of each action's return, at fractions proposed by a network.

    Parameters
    ----------
    preprocess_net : PreprocessNet
        Turns observations into features: `Net`, or any network with `init`, `forward` and `output_dim`.
    action_shape : int, sequence of int or Discrete
        Number of actions; a shape means the product of its entries, and a `Discrete` space its `n`.
    hidden_sizes : sequence of int
        Widths of hidden layers after the product of features and embedding.
    num_cosines : int
        Number of cosines from which a fraction is embedded.
    preprocess_net_output_dim : int, optional
        Number of features, for a preprocess net without `output_dim`.
    device : str, int or None
        Where `init` places parameters.

    Notes
    -----
    Tianshou's ``FullQuantileFunction``; Yang et al. 2019. Parameters: `preprocess`, `last` and `embed_model`; those of
    the network that proposes fractions are a tree of their own.
    """

    preprocess_net: PreprocessNet
    action_shape: Actions
    hidden_sizes: Sizes = ()
    num_cosines: int = 64
    preprocess_net_output_dim: int | None = None
    device: Device = "cpu"

    def __post_init__(self) -> None:
        set_quantile_fields(self)

    @cached_property
    def last(self) -> MLP:
        """The MLP from the product of features and embedding to one value for each action."""
        return head_of(self)

    @cached_property
    def embed_model(self) -> CosineEmbeddingNetwork:
        """The embedding of fractions."""
        return CosineEmbeddingNetwork(self.num_cosines, self.last.input_dim)

    @property
    def output_dim(self) -> int:
        """Number of actions."""
        return self.last.output_dim

    @cached_property
    def spec(self) -> Spec:
        """`preprocess`, `last` and `embed_model`."""
        return spec_of(self)

    @computes_where_params
    def forward(
        self,
        params: Params,
        obs: object,
        propose_model: FractionProposalNetwork | None,
        propose_params: Params | None,
        fractions: Fractions | None = None,
        *,
        state: Tree = None,
        training: bool = True,
    ) -> tuple[tuple[Array, Fractions, Array | None], Tree]:
        """Map observations to quantiles of each action's return.

        Parameters
        ----------
        params : dict
            As `init` made them.
        obs : (batch, ...) array
            Observations, as the preprocess net takes them.
        propose_model : FractionProposalNetwork
            Proposes fractions from the preprocess net's features, which no gradient passes.
        propose_params : dict
            Its parameters.
        fractions : Fractions, optional
            Used instead of proposed ones; the two arguments before may then be `None`.
        state : any
            For a recurrent preprocess net.
        training : bool
            Whether `quantiles_tau` is computed, which the loss of the fractions needs.

        Returns
        -------
        quantiles : (batch, actions, num_fractions) array
            At `fractions.tau_hats`.
        fractions : Fractions
            Those proposed or given, in the parameters' dtype.
        quantiles_tau : (batch, actions, num_fractions - 1) array or None
            At `fractions.taus` without the first and the last; a constant to every derivative.
        state
            The preprocess net's new state; the other three are a tuple.
        """
        leaves = self.spec.read(params, self)
        features, state = self._body.features(leaves, obs, state)
        if fractions is None:
            fractions = _proposed(propose_model, propose_params, stop_gradient(features))
        fractions = _checked(fractions, features.shape[0], bare(leaves[-1]))
        taus, tau_hats, _ = fractions
        quantiles = self._body.quantiles(leaves, features, tau_hats)
        quantiles_tau = self._body.quantiles(*tree.map(bare, (leaves, features, taus[:, 1:-1]))) if training else None
        return (quantiles, fractions, quantiles_tau), state

    @cached_property
    def _body(self) -> QuantileBody:
        return QuantileBody(self)


def _proposed(model: Any, params: Any, features: Array) -> Fractions:
    """Return the fractions that a network proposes from features."""
    if not hasattr(model, "forward"):
        raise TypeError(
            f"propose_model must be a network such as FractionProposalNetwork(32, {features.shape[1]}), but is "
            f"{model!r:.80}; the order is forward(params, obs, propose_model, propose_params, fractions=None)"
        )
    proposed = model.forward(params, features)
    if not isinstance(proposed, (tuple, list)) or len(proposed) != len(Fractions._fields):
        raise TypeError(
            "propose_model must return (taus, tau_hats, entropies), as FractionProposalNetwork does, but "
            f"{model!r:.80} returned {proposed!r:.80}"
        )
    return Fractions(*proposed)


def _checked(fractions: Any, rows: int, like: Array) -> Fractions:
    """Return fractions in the dtype of a parameter, once their shapes are checked."""
    if not all(hasattr(fractions, name) for name in Fractions._fields):
        raise TypeError(f"fractions must be a Fractions(taus, tau_hats, entropies), but is {fractions!r:.80}")
    found = Fractions(*(as_input(getattr(fractions, name), like, f"fractions.{name}") for name in Fractions._fields))
    taus, tau_hats, _ = found
    if tau_hats.ndim != 2 or len(tau_hats) != rows or taus.shape != (rows, tau_hats.shape[1] + 1):
        raise ValueError(
            f"fractions must have taus of shape ({rows}, n + 1) and tau_hats of shape ({rows}, n) for {rows} "
            f"observations, but have {taus.shape} and {tau_hats.shape}; are they those of another batch?"
        )
    return found
