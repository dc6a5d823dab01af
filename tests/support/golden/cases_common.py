"""The cases of layers, `MLP` and `Net`, and the form that every case of a network has.

Plain data: neither framework is imported here. A network is written as the call that makes it, in a vocabulary that
both sides have: classes by their names, `partial`, and activations and norms as bare words (`tanh`, `layer_norm`),
which are PyTorch's classes on the one side and names on the other.
"""

from typing import NamedTuple


class Case(NamedTuple):
    """One network and its inputs.

    Attributes
    ----------
    name : str
        The purpose of the case.
    call : str
        The call that makes the network.
    inputs : dict from str to tuple of int
        The shape of each input, in the order of the arguments. `noise` and `drawn` (a latent vector that the network
        draws by itself) take the place of random numbers.
    spread : dict from str to float
        The factor of an input's standard normal numbers, by the input's name; one by default.
    scale : dict from str to float
        The factor of parameters, by the beginning of their path.
    attains : dict from int to tuple of float
        Values that an output must have at some entries, and not at all: they show that a clamp or a saturated tanh is
        really met. `make_golden.py` checks it.
    method : str
        The method to call.
    grid : dict from str to float
        The number to whose multiples an input is rounded, to meet a bound exactly.
    integers : dict from str to int
        Inputs that are integers from zero to below this number, such as actions.
    """

    name: str
    call: str
    inputs: dict[str, tuple[int, ...]]
    spread: dict[str, float] = {}
    scale: dict[str, float] = {}
    attains: dict[int, tuple[float, ...]] = {}
    method: str = "forward"
    grid: dict[str, float] = {}
    integers: dict[str, int] = {}


def obs_of(*shape: int) -> dict[str, tuple[int, ...]]:
    return {"obs": shape}


LAYERS = [
    Case("a linear layer", "Linear(5, 3)", obs_of(4, 5)),
    Case("a linear layer, batch of one", "Linear(5, 3)", obs_of(1, 5)),
    Case("a linear layer from one number to one", "Linear(1, 1)", obs_of(6, 1)),
    Case("a linear layer without bias", "Linear(5, 3, bias=False)", obs_of(4, 5)),
    Case("a linear layer on three axes", "Linear(5, 3)", obs_of(2, 4, 5)),
    Case("an ensemble layer, one input for all members", "EnsembleLinear(3, 5, 2)", obs_of(4, 5)),
    Case("an ensemble layer, batch of one", "EnsembleLinear(3, 5, 2)", obs_of(1, 5)),
    Case("an ensemble layer, an input for each member", "EnsembleLinear(3, 5, 2)", obs_of(3, 4, 5)),
    Case("an ensemble layer without bias", "EnsembleLinear(3, 5, 2, bias=False)", obs_of(4, 5)),
    Case("an ensemble layer without bias, an input each", "EnsembleLinear(3, 5, 2, False)", obs_of(3, 1, 5)),
    Case("an ensemble layer from one number to one", "EnsembleLinear(2, 1, 1)", obs_of(4, 1)),
    Case("an ensemble of one member", "EnsembleLinear(1, 5, 2)", obs_of(4, 5)),
]

_ACTIVATIONS = {
    "relu": (None,),
    "tanh": (None,),
    "sigmoid": (None,),
    "silu": (None,),
    "elu": (None, "(0.3,)", "{'alpha': 2.5}"),
    "gelu": (None, "('none',)", "{'approximate': 'tanh'}"),
    "softplus": (None, "(0.5, 3.0)", "{'beta': 2.0}", "{'threshold': 1.0}"),
    "leaky_relu": (None, "(0.2,)", "{'negative_slope': 0.5}"),
    "selu": (None,),
    "celu": (None, "(0.3,)", "{'alpha': 2.5}"),
    "mish": (None,),
    "relu6": (None,),
    "hardtanh": (None, "(-0.3, 0.8)", "{'max_val': 0.5}"),
    "softsign": (None,),
    "hardsigmoid": (None,),
    "hardswish": (None,),
    "logsigmoid": (None,),
}


def activation_cases() -> list[Case]:
    cases = []
    for name, all_args in _ACTIVATIONS.items():
        for args in all_args:
            label = f"activation {name}" + (f" with {args}" if args else "")
            call = f"MLP(4, 3, (7, 5), activation={name}" + (f", act_args={args})" if args else ")")
            cases.append(Case(label, call, obs_of(6, 4)))
            cases.append(Case(f"{label}, far from zero", call, obs_of(6, 4), spread={"obs": 20.0}))
        bare = f"MLP(4, 0, (7,), activation={name})"
        cases.append(
            Case(f"activation {name} at zero itself", bare, obs_of(2, 4), {"obs": 0.0}, {"linear_0.bias": 0.0})
        )
        normed = f"MLP(4, 3, (6,), norm_layer=layer_norm, activation={name})"
        cases.append(Case(f"activation {name} behind a norm", normed, obs_of(5, 4)))
    return cases


MLPS = [
    Case("an MLP without hidden layers", "MLP(5, 3)", obs_of(4, 5)),
    Case("an MLP with a hidden layer", "MLP(5, 3, (7,))", obs_of(4, 5)),
    Case("an MLP with three hidden layers", "MLP(5, 3, [7, 1, 6])", obs_of(4, 5)),
    Case("an MLP of single numbers", "MLP(1, 1, (1,), activation=elu)", obs_of(4, 1)),
    Case("an MLP, batch of one", "MLP(5, 3, (7, 6))", obs_of(1, 5)),
    Case("an MLP without a last layer", "MLP(5, 0, (7, 6))", obs_of(4, 5)),
    Case("an MLP without activations", "MLP(5, 3, (7, 6), activation=None)", obs_of(4, 5)),
    Case("an activation for each layer", "MLP(5, 3, (7, 6, 4), activation=[tanh, relu, elu])", obs_of(4, 5)),
    Case("no activation in one layer", "MLP(5, 3, (7, 6, 4), activation=[tanh, None, gelu])", obs_of(4, 5)),
    Case(
        "an activation and arguments for each layer",
        "MLP(5, 3, (7, 6, 4), activation=[leaky_relu, elu, tanh], act_args=[(0.4,), {'alpha': 0.7}, None])",
        obs_of(4, 5),
    ),
    Case(
        "one set of arguments for a list of activations",
        "MLP(5, 3, (7, 6), activation=[leaky_relu, elu], act_args=(0.4,))",
        obs_of(4, 5),
    ),
    Case("layer norm", "MLP(5, 3, (7, 6), norm_layer=layer_norm)", obs_of(4, 5)),
    Case("layer norm, batch of one", "MLP(5, 3, (7,), norm_layer=layer_norm)", obs_of(1, 5)),
    Case("layer norm of three numbers", "MLP(5, 3, (3,), norm_layer=layer_norm)", obs_of(4, 5)),
    Case("layer norm of small numbers", "MLP(5, 3, (7,), layer_norm)", obs_of(4, 5), scale={"linear_0": 1e-3}),
    Case("layer norm without activation", "MLP(5, 0, (7,), layer_norm, activation=None)", obs_of(4, 5)),
    Case("layer norm with its eps", "MLP(5, 3, (7, 6), norm_layer=layer_norm, norm_args=(0.2,))", obs_of(4, 5)),
    Case("layer norm with eps by name", "MLP(5, 3, (7, 6), layer_norm, {'eps': 0.5})", obs_of(4, 5)),
    Case("layer norm without parameters", "MLP(5, 3, (7,), layer_norm, (1e-5, False))", obs_of(4, 5)),
    Case("layer norm without bias", "MLP(5, 3, (7,), layer_norm, {'bias': False})", obs_of(4, 5)),
    Case("a norm for one layer of two", "MLP(5, 3, (7, 6), norm_layer=[None, layer_norm])", obs_of(4, 5)),
    Case(
        "a norm and arguments for each layer",
        "MLP(5, 3, (7, 6, 4), [layer_norm, layer_norm, layer_norm], [(0.3,), {'elementwise_affine': False}, None])",
        obs_of(4, 5),
    ),
    Case("one set of arguments for a list of norms", "MLP(5, 3, (7, 6), [layer_norm, None], (0.3,))", obs_of(4, 5)),
    Case("layer norm on three axes", "MLP(5, 3, (7,), layer_norm, flatten_input=False)", obs_of(2, 4, 5)),
    Case("observations of two axes flattened", "MLP(6, 3, (7,))", obs_of(4, 2, 3)),
    Case("observations of three axes flattened", "MLP(12, 3, (7,))", obs_of(3, 2, 3, 2)),
    Case("observations of two axes, not flattened", "MLP(3, 4, (7,), flatten_input=False)", obs_of(4, 2, 3)),
    Case("an axis of one, not flattened", "MLP(5, 3, (7,), flatten_input=False)", obs_of(4, 1, 5)),
    Case("layers without bias", "MLP(5, 3, (7,), linear_layer=partial(Linear, bias=False))", obs_of(4, 5)),
    Case("an MLP of ensembles", "MLP(5, 3, (7, 6), linear_layer=partial(EnsembleLinear, 4))", obs_of(3, 5)),
    Case("an MLP of ensembles, batch of one", "MLP(5, 3, (7,), linear_layer=partial(EnsembleLinear, 4))", obs_of(1, 5)),
    Case("ensembles, tanh", "MLP(5, 3, (7,), activation=tanh, linear_layer=partial(EnsembleLinear, 2))", obs_of(3, 5)),
    Case(
        "ensembles, softplus",
        "MLP(5, 3, (7,), None, None, softplus, linear_layer=partial(EnsembleLinear, 2))",
        obs_of(3, 5),
    ),
    Case(
        "ensembles without bias", "MLP(5, 3, (7,), linear_layer=partial(EnsembleLinear, 4, bias=False))", obs_of(3, 5)
    ),
    Case(
        "ensembles with layer norm",
        "MLP(5, 3, (7,), layer_norm, linear_layer=partial(EnsembleLinear, 4))",
        obs_of(3, 5),
    ),
    Case(
        "ensembles, an input for each member",
        "MLP(5, 3, (7,), linear_layer=partial(EnsembleLinear, 4), flatten_input=False)",
        obs_of(4, 3, 5),
    ),
    Case(
        "ensembles, observations flattened", "MLP(6, 3, (7,), linear_layer=partial(EnsembleLinear, 4))", obs_of(4, 2, 3)
    ),
]

_DUEL = "({'hidden_sizes': (6,), 'activation': tanh}, {'hidden_sizes': (5, 4)})"

NETS = [
    Case("a net without a last layer", "Net(5, hidden_sizes=(7, 6))", obs_of(4, 5)),
    Case("a net without hidden layers", "Net(5, 3)", obs_of(4, 5)),
    Case("a net, batch of one", "Net(5, 3, (7,))", obs_of(1, 5)),
    Case("a net of shapes", "Net((2, 3), (2, 2), [7])", obs_of(4, 2, 3)),
    Case("a net of shapes with one entry", "Net([5], [3], [7])", obs_of(4, 5)),
    Case("a net of single numbers", "Net(1, 1, (1, 1), activation=tanh)", obs_of(4, 1)),
    Case("a net with softmax", "Net(5, 3, (7,), softmax=True)", obs_of(4, 5)),
    Case("softmax of large logits", "Net(5, 3, (7,), softmax=True)", obs_of(20, 5), {"obs": 8.0}, attains={0: (1.0,)}),
    Case("a net with layer norm", "Net(5, 3, (7, 6), layer_norm, (0.1,), elu, (0.5,))", obs_of(4, 5)),
    Case("a net with an activation for each layer", "Net(5, 3, (7, 6), activation=[tanh, gelu])", obs_of(4, 5)),
    Case(
        "a net with norms and activations for each layer",
        "Net(5, 3, (7, 6), norm_layer=[layer_norm, None], norm_args=[{'eps': 0.1}, None], activation=[silu, None])",
        obs_of(4, 5),
    ),
    Case("a net without activations", "Net(5, 3, (7,), activation=None)", obs_of(4, 5)),
    Case("a net for observations and actions", "Net(5, 2, (7,), concat=True)", obs_of(4, 7)),
    Case("a net for observations and actions of shapes", "Net((2, 2), (3, 1), (7,), concat=True)", obs_of(4, 7)),
    Case("a net for nothing but its input", "Net(5, 2, concat=True)", obs_of(4, 7)),
    Case("a net with atoms", "Net(5, 3, (7,), num_atoms=4)", obs_of(4, 5)),
    Case("a net with atoms and softmax", "Net(5, (3, 2), (7,), num_atoms=4, softmax=True)", obs_of(3, 5)),
    Case("a net with atoms for observations and actions", "Net(5, 2, (8,), concat=True, num_atoms=4)", obs_of(3, 13)),
    Case("a dueling net", f"Net(5, 3, (7,), dueling_param={_DUEL})", obs_of(4, 5)),
    Case("a dueling net, batch of one", f"Net(5, 3, (7,), dueling_param={_DUEL})", obs_of(1, 5)),
    Case("a dueling net without hidden layers", "Net(5, 3, (7,), dueling_param=({}, {}))", obs_of(4, 5)),
    Case("a dueling net with softmax", f"Net(5, 3, (7,), softmax=True, dueling_param={_DUEL})", obs_of(4, 5)),
    Case("a dueling net with atoms", f"Net(5, 3, (7,), num_atoms=4, dueling_param={_DUEL})", obs_of(4, 5)),
    Case(
        "a dueling net with atoms and softmax",
        f"Net((5, 1), (3, 1), (7,), softmax=True, num_atoms=2, dueling_param={_DUEL})",
        obs_of(4, 5, 1),
    ),
    Case(
        "a dueling net for observations and actions",
        "Net(5, 2, (7,), concat=True, dueling_param=({'hidden_sizes': (6,)}, {'hidden_sizes': (4, 1)}))",
        obs_of(4, 7),
    ),
    Case(
        "a dueling net with norms",
        "Net(5, 3, (7,), layer_norm, dueling_param=({'hidden_sizes': (6,), 'norm_layer': layer_norm}, {}))",
        obs_of(4, 5),
    ),
    Case(
        "a dueling net whose parts have arguments of their own",
        "Net(5, 3, (7,), dueling_param=("
        "{'hidden_sizes': (6,), 'activation': leaky_relu, 'act_args': (0.3,), 'norm_layer': layer_norm, "
        "'norm_args': (0.1,)}, "
        "{'hidden_sizes': (4,), 'activation': None, 'linear_layer': partial(Linear, bias=False)}))",
        obs_of(4, 5),
    ),
    Case(
        "a dueling net with atoms for observations and actions",
        "Net(5, 2, (7,), concat=True, num_atoms=3, dueling_param=({'hidden_sizes': (6,)}, {'hidden_sizes': (3,)}))",
        obs_of(4, 11),
    ),
    Case("a net of ensembles", "Net(5, 3, (7,), linear_layer=partial(EnsembleLinear, 2))", obs_of(4, 5)),
    Case(
        "a net of ensembles with softmax",
        "Net(5, 3, (7,), softmax=True, linear_layer=partial(EnsembleLinear, 2))",
        obs_of(4, 5),
    ),
]
