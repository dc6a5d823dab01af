"""The parameters that a network declares are those that it draws, reads, prints and checks."""

from __future__ import annotations

import copy
import pickle
import re
from collections import defaultdict
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from autograd import grad as autograd_grad
from backends import bits, on_backend
from network_cases import Case, each_case, initial, small_net

import npnets
from npnets.common import Parameter, Spec
from npnets.common.spec import Constant, Uniform


class Shift:
    """A trunk of the user's own, with one parameter."""

    output_dim = 3

    def init(self, rng: np.random.Generator) -> Any:
        return {"by": rng.normal(size=3)}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        return obs + params["by"], state


class Wider(npnets.Net):
    """A `Net` with a parameter that a `Net` does not declare."""

    def init(self, rng: np.random.Generator, dtype: Any = np.float32) -> Any:
        return {**super().init(rng, dtype), "scale": np.ones(1, dtype)}

    def forward(self, params: Any, obs: Any, state: Any = None) -> Any:
        features, state = super().forward({"model": params["model"]}, obs, state)
        return features * params["scale"], state


@each_case
def test_a_network_declares_the_names_shapes_and_order_of_what_it_draws(case: Case) -> None:
    drawn = initial(case.net, np.random.default_rng(0), np.float64)
    declared = case.net.spec.shapes(np.float64)
    assert _listed(declared) == _listed(drawn)


def _listed(tree: Any, path: tuple[str, ...] = ()) -> list[Any]:
    """Return the path, shape and dtype of each leaf, in the order of the dicts."""
    if not isinstance(tree, dict):
        return [(path, tuple(tree.shape), tree.dtype)]
    return [found for name, part in tree.items() for found in _listed(part, (*path, name))]


TIANSHOUS = {"get_output_dim", "get_preprocess_net", "decode"}


@pytest.mark.numpy_alone("no arrays in it")
@each_case
def test_a_network_has_no_public_methods_but_init_forward_and_those_of_tianshou(case: Case) -> None:
    methods = {name for name in dir(case.net) if callable(getattr(type(case.net), name, None)) and name[0] != "_"}
    assert {"init", "forward"} <= methods <= {"init", "forward", "linear_layer"} | TIANSHOUS


@each_case
def test_leaves_are_read_in_the_order_in_which_they_are_declared(case: Case) -> None:
    params = case.params()
    leaves = [leaf for leaf in case.net.spec.read(params, case.net) if leaf is not None]
    declared = [path for path, _, _ in _listed(case.net.spec.shapes())]
    for path, leaf in zip(declared, leaves, strict=True):
        part = params
        for name in path:
            part = part[name]
        assert leaf is part


@pytest.mark.numpy_alone("which dict a leaf stands in does not depend on the backend")
def test_the_order_of_keys_in_a_tree_changes_nothing() -> None:
    net = npnets.Actor(small_net(), 3)
    params = net.init(np.random.default_rng(0))
    backwards = {key: params[key] for key in reversed(list(params))}
    obs = np.ones((2, 5), np.float32)
    assert bits(net.forward(backwards, obs)[0]) == bits(net.forward(params, obs)[0])


@pytest.mark.numpy_alone("which dict a leaf stands in does not depend on the backend")
def test_an_array_that_a_layer_lacks_is_read_as_none_and_is_no_key() -> None:
    layer = npnets.Linear(3, 2, bias=False)
    params = layer.init(np.random.default_rng(0))
    assert list(params) == ["weight"]
    weight, bias = layer.spec.read(params, layer)
    assert weight is params["weight"] and bias is None


@pytest.mark.numpy_alone("which dict a leaf stands in does not depend on the backend")
def test_a_trunk_of_the_users_own_is_read_as_one_tree_and_checks_itself() -> None:
    actor = npnets.Actor(Shift(), 2)
    params = actor.init(np.random.default_rng(0))
    assert actor.spec.read(params, actor)[0] is params["preprocess"]
    assert actor.spec.shapes()["preprocess"]["by"].shape == (3,)


@pytest.mark.numpy_alone("which dict a leaf stands in does not depend on the backend")
def test_a_subclass_that_adds_a_parameter_draws_reads_and_shows_it() -> None:
    actor = npnets.Actor(Wider(5, hidden_sizes=(4,)), 2)
    params = actor.init(np.random.default_rng(0))
    plain = npnets.Actor(npnets.Net(5, hidden_sizes=(4,)), 2)
    obs = np.ones((2, 5), np.float32)
    same = {**params, "preprocess": {"model": params["preprocess"]["model"]}}
    assert bits(actor.forward(params, obs)[0]) == bits(plain.forward(same, obs)[0])
    assert "scale" in npnets.summary(actor)
    zero = {**params["preprocess"], "scale": np.zeros(1, np.float32)}
    assert bits(actor.forward({**params, "preprocess": zero}, obs)[0]) != bits(actor.forward(params, obs)[0])


class _Reading(dict[str, Any]):
    """A dict of names, which makes an array when it is read."""

    def __init__(self, params: Any) -> None:
        super().__init__({name: name for name in params})
        self.params = params

    def __getitem__(self, name: str) -> Any:
        return self.params[super().__getitem__(name)]


@pytest.mark.numpy_alone("which dict a leaf stands in does not depend on the backend")
@pytest.mark.parametrize("view", [MappingProxyType, lambda params: type("Own", (dict,), {})(params), _Reading])
def test_mappings_other_than_dicts_are_read(view: Any) -> None:
    net = npnets.Linear(5, 3)
    params = net.init(np.random.default_rng(0))
    assert bits(net.forward(view(params), np.ones((1, 5)))) == bits(net.forward(params, np.ones((1, 5))))


@pytest.mark.numpy_alone("autograd differentiates NumPy's arrays")
def test_parameters_that_autograd_traces_as_whole_dicts_are_read() -> None:
    net, obs = npnets.Actor(small_net(), 3), np.ones((2, 5))
    params = net.init(np.random.default_rng(0), np.float64)
    theirs = autograd_grad(lambda p: (net.forward(p, obs)[0] ** 2).sum())(params)
    ours = npnets.grad(lambda p: (net.forward(p, obs)[0] ** 2).sum())(params)
    for one, other in zip(npnets.tree.leaves(theirs), npnets.tree.leaves(ours), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.numpy_alone("shapes are those of every backend")
@each_case
def test_a_summary_shows_what_init_draws_and_draws_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = case.net.init(np.random.default_rng(0))
    monkeypatch.setattr(np.random, "default_rng", None)
    assert npnets.summary(case.net) == npnets.summary(case.net, drawn)


@each_case
def test_pickles_and_copies_hold_the_fields_and_nothing_that_is_computed_from_them(case: Case) -> None:
    before = len(pickle.dumps(copy.deepcopy(case.net)))
    case.run(case.params(), *case.inputs())
    assert len(pickle.dumps(case.net)) == before


@pytest.mark.numpy_alone("no arrays of a backend in it")
def test_specs_compare_and_print_by_what_they_declare() -> None:
    spec = npnets.Linear(3, 2).spec
    assert spec == npnets.Linear(3, 2).spec != npnets.Linear(3, 4).spec
    names = {"Spec": Spec, "Parameter": Parameter, "Uniform": Uniform, "Constant": Constant}
    assert eval(repr(spec), names) == spec
    assert list(npnets.Actor(small_net(), 3).spec) == ["preprocess", "last"]


def test_the_error_for_integers_in_place_of_parameters_names_their_path() -> None:
    net = npnets.Critic(small_net())
    params = npnets.tree.map(lambda leaf: on_backend(leaf.astype(int)), net.init(np.random.default_rng(0)))
    with pytest.raises(TypeError, match=r"'preprocess.model.linear_0.weight' of Critic\(.* has dtype int64"):
        net.forward(params, np.ones((2, 5)))


@pytest.mark.numpy_alone("which dict a leaf stands in does not depend on the backend")
def test_a_defaultdict_that_lacks_a_key_is_an_error_and_stays_as_it_is() -> None:
    layer = npnets.Linear(3, 2, bias=False)
    misspelled = defaultdict(lambda: np.zeros((3, 2)), wieght=np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"lack \['weight'\] and have \['wieght'\]"):
        layer.forward(misspelled, np.ones((1, 3)))
    assert list(misspelled) == ["wieght"]


@pytest.mark.numpy_alone("about arrays of another library")
def test_the_error_for_arrays_of_another_library_shows_a_remedy_that_works() -> None:
    class Tensor:
        shape, dtype = (3, 2), "torch.float32"

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.ones(self.shape, dtype or np.float32)

    layer = npnets.Linear(3, 2, bias=False)
    with pytest.raises(TypeError, match=r"'weight' of .* of another library; .* numpy\.asarray\(x\)"):
        layer.forward({"weight": Tensor()}, np.ones((1, 3)))
    np.testing.assert_array_equal(layer.forward({"weight": np.asarray(Tensor())}, np.ones((1, 3))), [[3.0, 3.0]])


@pytest.mark.numpy_alone("shapes are those of every backend")
def test_a_summary_shows_what_a_part_of_the_users_own_holds_beside_arrays() -> None:
    class Counted(Shift):
        def init(self, rng: np.random.Generator, dtype: Any = np.float32) -> Any:
            return {"by": np.ones(3, dtype), "count": 7}

    assert re.search(r"count +int", npnets.summary(npnets.Actor(Counted(), 2)))
