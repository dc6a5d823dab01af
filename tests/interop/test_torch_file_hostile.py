"""A malicious pickle is refused in one clear line: none of its code runs, and it takes little memory."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_archives import (
    NEWEST,
    RUN,
    SIX,
    Trap,
    called,
    cases,
    harmless,
    integer,
    load,
    name,
    program,
    records_of,
    refused,
    storage,
    tensor,
    tensor_v3,
    text,
    value,
    write_archive,
)

from npnets.interop.pickles import unpickling
from npnets.interop.torch import tensors

pytestmark = pytest.mark.numpy_alone("reads files, which hold NumPy's arrays")

# -- code ------------------------------------------------------------------------------------------------------------

SPRING, TRAP = name("torch_archives.spring"), name("torch_archives.Trap")
CALLS = {
    "reduce": b"\x80\x02" + called("torch_archives.spring", value(1)) + b".",
    "inst": b"\x80\x02(K\x01itorch_archives\nspring\n.",
    "obj": b"\x80\x02(" + SPRING + b"K\x01o.",
    "newobj": b"\x80\x02" + TRAP + b")\x81.",
    "newobj_ex": b"\x80\x04" + TRAP + b")}\x92.",
    "stack_global": b"\x80\x04\x8c\x0etorch_archives\x8c\x06spring\x93)R.",
    "stack_global with dots": b"\x80\x04\x8c\x0etorch_archives\x8c\x0cTrap.__new__\x93" + TRAP + b"\x85R.",
    "ext1": b"\x80\x02\x82\xf0)R.",
    "ext2": b"\x80\x02\x83\xf0\x00)R.",
    "ext4": b"\x80\x02\x84\xf0\x00\x00\x00)R.",
    "build": b"\x80\x02ccopyreg\n_reconstructor\n" + TRAP + b"cbuiltins\nobject\nN\x87R}K\x01K\x02sb.",
    "within a dict": program(x=called("torch_archives.spring")),
    "as a key": b"\x80\x02}" + called("torch_archives.spring") + b"K\x01s.",
    "after the end of a good one": program(x=tensor())[:-1] + called("torch_archives.spring") + b"0.",
    **{f"protocol {protocol}": pickle.dumps(Trap.__new__(Trap), protocol) for protocol in range(6)},
}


@pytest.fixture(scope="module", autouse=True)
def registered_extension() -> Iterator[None]:
    """The number 0xf0 means `spring` to Python's own unpickler."""
    copyreg.add_extension("torch_archives", "spring", 0xF0)
    yield
    copyreg.remove_extension("torch_archives", "spring", 0xF0)


class _Careless(pickle.Unpickler):
    def persistent_load(self, identifier: Any) -> Any:
        return identifier

    def find_class(self, module: str, attribute: str) -> Any:
        stands_in = module.startswith("torch.") or module == "torch"
        return (lambda *_: None) if stands_in else super().find_class(module, attribute)


@pytest.mark.parametrize("pickled", CALLS.values(), ids=CALLS)
def test_code_that_pythons_unpickler_would_run_is_not_run(pickled: bytes, tmp_path: Path) -> None:
    with (tmp_path / "pickle").open("wb") as file:
        file.write(pickled)
    RUN.clear()
    with (tmp_path / "pickle").open("rb") as file:
        try:
            _Careless(file).load()
        except TypeError as error:  # a key that Python cannot hash, once the call has been made
            assert "unhashable" in str(error)
    assert RUN, "this pickle does no harm to Python's own unpickler, so that the test would prove nothing"
    refused(tmp_path, pickled, r"uses '|has the instruction b'|has protocol [345]")


@pytest.mark.parametrize(
    "path",
    """os.system posix.system subprocess.Popen builtins.eval builtins.exec builtins.getattr __builtin__.eval
    builtins.__import__ functools.partial operator.attrgetter importlib.import_module runpy.run_path numpy.load
    pickle.loads collections.defaultdict collections.OrderedDict.update torch.load torch.hub.load torch.jit.load
    torch.storage._load_from_bytes torch._utils._rebuild_device_tensor_from_numpy torch._utils.os.system
    torch._utils._rebuild_tensor_v2.__globals__ torch.FloatStorage.__new__ torch_archives.spring""".split(),
)
def test_a_name_that_tensors_do_not_need_is_refused_by_name(path: str, tmp_path: Path) -> None:
    words = f"it uses '{path}', which belongs to no tensor or plain value, and was not executed".replace(".", r"\.")
    refused(tmp_path, program(x=called(path, value("x"))), words)


def test_a_name_with_control_characters_is_quoted(tmp_path: Path) -> None:
    refused(tmp_path, b"\x80\x02cos\x1b[2J\rsystem\nx\n.", r"uses 'os\\x1b\[2J\\rsystem\.x', which")


@cases(
    {
        "a storage's name": (called("torch.FloatStorage", value(6)), "calls torch.FloatStorage, which cannot"),
        "text": (text("os.system") + b")R", "calls a str, which cannot be called"),
        "a tensor": (tensor() + b")R", "calls a Tensor, which cannot be called"),
        "no tuple": (name("torch.Size") + b"]R", "calls with a list where a tuple must be"),
        "an attribute of a tensor": (tensor() + b"}b", "with a Tensor where a dict must be"),
        "a state that is no dict": (b"}N}\x86b", "with a tuple where a dict must be"),
        "items of a list": (b"](K\x01K\x02u", "with a list where a dict must be"),
        "members of a dict": (b"}(K\x01e", "with a dict where a list must be"),
        "a storage by text": (b"Ps0\n", "a storage in an unknown form"),
        "a storage by a number": (b"K\x01Q", "a storage in an unknown form"),
        "a storage of text": (
            storage().replace(name("torch.FloatStorage"), text("torch.FloatStorage")),
            "in an unknown form",
        ),
        "a storage of a function": (storage("torch.Size"), "a storage in an unknown form"),
        "arguments of a dict": (called("collections.OrderedDict", b"]"), "OrderedDict with arguments that Python"),
        "a size of text": (called("torch.Size", b"(" + text("x") + b"t"), "negative, huge or fractional size"),
        "a device of numbers": (called("torch.device", value(1)), "torch.device with arguments"),
        "a device with a long name": (called("torch.device", value("x" * 101)), "torch.device with arguments"),
        "a parameter of numbers": (called("torch._utils._rebuild_parameter", value(1)), "_parameter with arguments"),
        "a tensor of numbers": (called("torch._utils._rebuild_tensor_v2", value(1)), "_tensor_v2 with arguments"),
        "a tensor of v3 of a dtype that is none": (tensor_v3(name("torch.FloatStorage")), "_tensor_v3 with arguments"),
        "a tensor of v3 of numbers": (called("torch._utils._rebuild_tensor_v3", value(1)), "_tensor_v3 with arguments"),
    }
)
def test_an_allowed_name_is_used_only_as_pytorch_uses_it(pickled: bytes, words: str, tmp_path: Path) -> None:
    refused(tmp_path, program(x=pickled), words)


# -- damage ----------------------------------------------------------------------------------------------------------


@cases(
    {
        "empty": (b"", "breaks off"),
        "without an end": (b"\x80\x02}", "breaks off"),
        "nothing on the stack": (b"\x80\x02.", "takes a value that is not there"),
        "two values": (b"\x80\x02}}.", "does not end with one value"),
        "an open mark": (b"\x80\x02(}.", "does not end with one value|a value that is not there"),
        "a value from below a mark": (b"\x80\x02}(00.", "takes a value that is not|breaks off"),
        "appended from below a mark": (b"\x80\x02]K\x01(a.", "takes a value that is not there"),
        "no mark": (b"\x80\x02t.", "takes a group of values that is not there"),
        "bytes after the end": (b"\x80\x02}.}", "does not end with one value"),
        "a key without a value": (b"\x80\x02}(K\x01u.", "a key without a value"),
        "one key twice": (program(x=value(1))[:-1] + text("x") + b"K\x02s.", "one key twice"),
        "a recalled value that is not there": (b"\x80\x02h\x00.", "recalls value number 0, but has 0"),
        "text that is no text": (b"\x80\x02X\x01\0\0\0\xff.", "text that is no UTF-8"),
        "a name that is no text": (b"\x80\x02c\xff\nx\n.", "text that is no UTF-8"),
        "a name without an end": (b"\x80\x02c" + b"x" * 10_000, "a name without an end"),
        "a name that is too long": (b"\x80\x02c" + b"x" * 200 + b"\nx\n.", "a name without an end"),
        "a float as a key": (b"\x80\x02}" + value(0.5) + b"K\x01s.", "a dict with a float as a key"),
        "a flag as a key": (b"\x80\x02}\x88K\x01s.", "a dict with a bool as a key"),
        "a large integer as a key": (b"\x80\x02}" + integer(2**31) + b"K\x01s.", "a dict with a int as a key"),
    }
)
def test_a_pickle_that_makes_no_sense_is_refused(pickled: bytes, words: str, tmp_path: Path) -> None:
    refused(tmp_path, pickled, words)


@pytest.mark.slow
def test_a_pickle_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    records = records_of(NEWEST / "dtypes.pt")
    for end in range(0, len(records["data.pkl"]), 3):
        write_archive(tmp_path / "x.pt", {**records, "data.pkl": records["data.pkl"][:end]})
        with pytest.raises(ValueError):
            load(tmp_path / "x.pt")


@pytest.mark.slow
def test_a_pickle_with_any_byte_changed_is_read_or_refused(tmp_path: Path) -> None:
    records = records_of(NEWEST / "gpu.pt")
    for at in range(len(records["data.pkl"])):
        for changed in (0, 1, ord("."), ord("R"), 0x7F, 0xFF):
            pickled = bytearray(records["data.pkl"])
            pickled[at] = changed
            _read_or_refused(tmp_path, bytes(pickled), records)


def _read_or_refused(folder: Path, pickled: bytes, records: dict[str, bytes]) -> None:
    path = write_archive(folder / "x.pt", {**records, "data.pkl": pickled})
    try:
        assert harmless(load(path))
    except ValueError:
        pass


INSTRUCTIONS = st.one_of(
    st.sampled_from([bytes([code]) for code in unpickling._INSTRUCTIONS if code not in b"cX\x8aGJMKqrhj"]),
    st.binary(min_size=1, max_size=3),
    st.sampled_from([b"h%c" % place for place in range(8)] + [b"q%c" % place for place in range(8)]),
    st.sampled_from([name(path) for path in (*tensors.CONSTRUCTORS, *tensors.NAMES, "os.system")]),
    st.sampled_from([storage(), tensor(), text("storage"), text("s0"), text("cpu"), b"((tR", b"}", b"(t"]),
    st.integers(-(2**70), 2**70).map(integer),
    st.integers(0, 7).map(integer),
    st.floats().map(value),
    st.text(max_size=5).map(text),
)


@pytest.mark.slow
@settings(max_examples=400)
@given(body=st.lists(INSTRUCTIONS, max_size=60).map(b"".join), ending=st.sampled_from([b".", b"s.", b"u.", b""]))
def test_any_pickle_is_read_or_refused(body: bytes, ending: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    _read_or_refused(folder, b"\x80\x02" + body + ending, {"data/s0": SIX})
    _read_or_refused(folder, b"\x80\x02}(" + text("x") + body + b"u.", {"data/s0": SIX})


ARGUMENTS = st.recursive(
    st.one_of(
        st.sampled_from([storage(), tensor(), b"}", called("collections.OrderedDict"), name("torch.uint16")]),
        st.none().map(value),
        st.booleans().map(value),
        st.integers(-3, 7).map(integer),
        st.integers(-(2**200), 2**200).map(integer),
        st.text(max_size=3).map(text),
    ),
    lambda parts: st.lists(parts, max_size=4).map(lambda some: b"(" + b"".join(some) + b"t"),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=200)
@given(path=st.sampled_from(sorted(tensors.CONSTRUCTORS)), arguments=st.lists(ARGUMENTS, max_size=8))
def test_a_constructor_takes_any_arguments_or_refuses(
    path: str, arguments: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    _read_or_refused(folder, program(x=called(path, *arguments)), {"data/s0": SIX})
