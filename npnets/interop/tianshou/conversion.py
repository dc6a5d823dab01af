"""Parameters of a network from a state dict of Tianshou, and back: names and layouts change, bits do not."""

from collections.abc import Mapping
from dataclasses import replace

from npnets import tree
from npnets.backend import Array, Device, parse_device
from npnets.common import ActorCritic
from npnets.common.spec import on_device
from npnets.files.quoting import listed
from npnets.interop.tianshou.arrays import as_numpy, check_one_floating_dtype, own_copy
from npnets.interop.tianshou.differences import FoundShapes, Shapes, differences, likely_cause
from npnets.interop.tianshou.names import NETWORKS, OwnPart, Parameter, leaves, own_parts, parameters, plan
from npnets.interop.tianshou.prefixes import check_part, check_state_dict, dotted, fits, prefixes_of, split, unwrapped
from npnets.tree import Params, Tree


def from_state_dict(net: object, state_dict: Mapping[str, object], prefix: str = "") -> Params:
    """Return a network's parameters from a state dict of the same network of Tianshou.

    Parameters
    ----------
    net : network
        Any network or layer of npnets.
    state_dict : dict from str to array
        NumPy or CuPy arrays or PyTorch tensors, all of one floating-point dtype.
    prefix : str
        The part of a whole policy's state dict: `"actor"`, `"critic2"`, `"critic_old"`, `"vae"`, ... Names that begin
        otherwise are ignored. For algorithms of 2.x, `"actor"` finds `"policy.actor"` too, unless there is an `"actor"`
        beside it. The wrappers `module.`, `net.module.` and `_orig_mod.` (of `torch.compile`) are removed from all
        names.

    Returns
    -------
    dict
        Parameters of the structure that `net.init` returns, on the network's device: copies, in the dtype of the state
        dict.

    Raises
    ------
    ValueError
        If names are missing, left over, or of another shape: the message lists them, each with the nearest candidate,
        and the prefixes at which the network fits.
    TypeError
        If a value is not an array of floating-point numbers, has a dtype that NumPy lacks, or another dtype than the
        others; or if the network has a part of your own that does not convert its parameters.
    """
    if isinstance(net, ActorCritic) and net.share_preprocess:
        return net.join(from_state_dict(replace(net, share_preprocess=False), state_dict, prefix))
    planned = plan(net)
    expected, own = parameters(planned), own_parts(planned)
    shapes = {name: parameter.shape_in_tianshou for name, parameter in expected.items()}
    check_state_dict(state_dict)
    part = check_part(state_dict, prefix, shapes)
    arrays = {name: as_numpy(part[name], name) for name in expected if name in part}
    named = {name: _shape(value) for name, value in part.items() if not any(name.startswith(o.at) for o in own)}
    _check_fit(net, shapes, named, state_dict, prefix)
    check_one_floating_dtype(arrays)

    def read(leaf: Parameter | OwnPart) -> Tree:
        if isinstance(leaf, Parameter):
            return own_copy(leaf.layout.ours(arrays[leaf.name]))
        below = {n.removeprefix(leaf.at): own_copy(as_numpy(v, n)) for n, v in part.items() if n.startswith(leaf.at)}
        return leaf.part.from_state_dict(unwrapped(below))

    return on_device(tree.map(read, planned), _device(net))


def to_state_dict(net: object, params: Tree, prefix: str = "") -> dict[str, Array]:
    """Return a network's parameters as the state dict of the same network of Tianshou.

    Parameters
    ----------
    net : network
    params : dict
        As `net.init` made them, on any device.
    prefix : str
        Put in front of each name, as `"actor"` for a policy of 1.x and `"policy.actor"` for an algorithm of 2.x.

    Returns
    -------
    dict from str to array
        NumPy arrays with memory of their own, in Tianshou's order, names and layout, for
        `module.load_state_dict({name: torch.from_numpy(array) for name, array in state_dict.items()})`.

    Raises
    ------
    ValueError
        If the parameters are another network's.
    TypeError
        If they are not a dict of floating-point numbers of one dtype, or are a state dict already; or if the network
        has a part of your own that does not convert its parameters.
    """
    if isinstance(net, ActorCritic) and net.share_preprocess:
        return to_state_dict(replace(net, share_preprocess=False), net.split(params), prefix)
    planned, start = plan(net), dotted(prefix)
    arrays = _arrays_of(net, planned, params)
    state_dict: dict[str, Array] = {}
    for keys, leaf in leaves(planned):
        if isinstance(leaf, Parameter):
            state_dict[start + leaf.name] = own_copy(leaf.layout.theirs(arrays[".".join(keys)]))
        else:
            given = leaf.part.to_state_dict(_below(params, keys))
            state_dict |= {f"{start}{leaf.at}{name}": own_copy(as_numpy(value, name)) for name, value in given.items()}
    return state_dict


def _check_fit(
    net: object, expected: Shapes, found: FoundShapes, state_dict: Mapping[str, object], prefix: str
) -> None:
    """Check the names and shapes of a state dict; the error names the prefixes at which the network would fit."""
    different = differences(expected, found)
    if not different:
        return
    if prefix and fits(expected, state_dict):
        raise ValueError(f"{net!r:.80} fits in this state dict without prefix={prefix!r}: leave prefix out")
    places = prefixes_of(expected, state_dict)
    if places:
        raise ValueError(
            f"{net!r:.80} fits in this state dict at {listed(places, most=8)}: choose one, as in "
            f"from_state_dict(net, state_dict, prefix={places[0]!r})"
        )
    which = f"the part {prefix!r} of the state dict" if prefix else "the state dict"
    cause = likely_cause(expected, found, [part for part in split(state_dict) if part])
    raise ValueError(f"{which} is not that of {net!r:.300}: it {'; '.join(different)}; {cause}")


def _arrays_of(net: object, planned: Tree, params: Tree) -> dict[str, Array]:
    """Return the parameters that have names of Tianshou, by their paths, after a check that all are there."""
    if not isinstance(params, dict):
        raise TypeError(f"params must be a dict of arrays as {net!r:.80} makes them, but is a {type(params).__name__}")
    by_path = {".".join(keys): leaf for keys, leaf in leaves(planned)}
    expected = {path: leaf.shape for path, leaf in by_path.items() if isinstance(leaf, Parameter)}
    own = tuple(f"{path}." if path else "" for path in by_path if path not in expected)
    every = zip(tree.paths(params), tree.leaves(params), strict=True)
    found = {path: leaf for path, leaf in every if not f"{path}.".startswith(own)}
    shapes = {path: _shape(leaf) for path, leaf in found.items()}
    different = differences(expected, shapes)
    if different:
        _check_no_state_dict(params)
        raise ValueError(
            f"the parameters are not those of {net!r:.300}: the dict {'; '.join(different)}; "
            f"{likely_cause(expected, shapes)}"
        )
    arrays = {path: as_numpy(leaf, path) for path, leaf in found.items()}
    check_one_floating_dtype(arrays)
    return arrays


def _check_no_state_dict(params: Tree) -> None:
    """Check that parameters that do not fit are not a state dict already."""
    dotted_name = next((key for key in params if "." in str(key)), None)
    if dotted_name is not None and not any(isinstance(part, Mapping) for part in params.values()):
        raise TypeError(
            f"this is a state dict already, with names such as {dotted_name!r}: use it as it is; "
            "from_state_dict(net, state_dict) converts it to parameters"
        )


def _below(params: Tree, keys: tuple[str, ...]) -> Tree:
    """Return the parameters of a part."""
    for key in keys:
        if not isinstance(params, dict) or key not in params:
            raise ValueError(f"the parameters lack {'.'.join(keys)!r}; were they made by another network?")
        params = params[key]
    return params


def _shape(value: object) -> tuple[int, ...] | None:
    return tuple(value.shape) if hasattr(value, "shape") else None


def _device(net: object) -> Device:
    """Return the device on which a network's `init` places parameters: its own, or else the GPU of a part."""
    if not isinstance(net, (*NETWORKS, ActorCritic)):
        return None
    names = ("preprocess_net", "encoder", "decoder", "feature_net", "actor", "critic")
    devices = (getattr(net, "device", None), *(_device(getattr(net, name, None)) for name in names))
    return next((device for device in devices if parse_device(device) is not None), None)
