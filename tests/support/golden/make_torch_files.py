"""Write `torch_files/<release>/`: files of `torch.save`, and what PyTorch itself says is in them.

    python tests/support/golden/make_torch_files.py

Needs PyTorch and NumPy, of any release: run it once with each PyTorch whose files are to be read. `expected.json` holds
the contents of the files that can be read, bit for bit. What cannot be read is written by recent releases alone.
"""

from __future__ import annotations

import collections
import json
import warnings
from pathlib import Path
from typing import Any

import torch

RELEASE = torch.__version__.split("+")[0]
FOLDER = Path(__file__).with_name("torch_files") / RELEASE
MODERN = tuple(int(part) for part in RELEASE.split(".")[:2]) >= (2, 3)


def network() -> Any:
    """A small network with all that a state dict can have: weights, buffers, an integer of no axes, an LSTM."""
    torch.manual_seed(0)
    parts = [torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh(), torch.nn.LSTM(4, 2)]
    return torch.nn.Sequential(*parts)


def dtypes() -> dict[str, Any]:
    """Return each dtype with its extreme values."""
    floats = [0.0, -0.0, 1.5, -3.25, 1e-7, 6e4, float("inf"), -float("inf"), float("nan"), 0.1]
    found = {
        name: torch.tensor(floats, dtype=getattr(torch, name)) for name in ("float64", "float32", "float16", "bfloat16")
    }
    for name in ("int8", "int16", "int32", "int64"):
        extremes = torch.iinfo(getattr(torch, name))
        found[name] = torch.tensor([extremes.min, -1, 0, 1, extremes.max], dtype=getattr(torch, name))
    found["uint8"] = torch.tensor([0, 1, 254, 255], dtype=torch.uint8)
    found["bool"] = torch.tensor([True, False, True])
    found["complex64"] = torch.tensor([1 + 2j, -3j], dtype=torch.complex64)
    found["complex128"] = torch.tensor([1 + 2j, -3j], dtype=torch.complex128)
    for name in ("uint16", "uint32", "uint64") if MODERN else ():
        found[name] = torch.tensor([0, 1, 40000], dtype=getattr(torch, name))
    return found


def views() -> dict[str, Any]:
    """Return tensors with shared storages, as every kind of view."""
    base = torch.arange(24, dtype=torch.float32)
    weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    return {
        "whole": base,
        "tied": base,
        "transposed": base.reshape(4, 6).t(),
        "permuted": base.reshape(2, 3, 4).permute(2, 0, 1),
        "sliced": base[5:20:3],
        "column": base.reshape(4, 6)[1:3, 2],
        "expanded": base[7:8].expand(3, 5),
        "one": base[11],
        "half": base.to(torch.bfloat16).reshape(4, 6).t()[1:],
        "half of one": base.to(torch.bfloat16)[3],
        "flags": (base > 11).reshape(4, 6).t(),
        "empty": torch.empty(0),
        "empty axes": torch.empty(2, 0, 3),
        "long singleton": base.as_strided((1, 2), (10**9, 3), 4),
        "parameter": weight,
        "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False),
        "traced": torch.ones(3, requires_grad=True),
        "größe.权重": torch.tensor([1.0, 2.0]),
        "": torch.tensor(3),
    }


def checkpoint() -> dict[str, Any]:
    """Return the contents of a training loop's checkpoint: a network, its optimizer after a step, and plain values."""
    net = network()[0]
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    net(torch.arange(6.0).reshape(2, 3)).sum().backward()
    optimizer.step()
    plain = [None, True, False, 0, 255, 256, 65536, -1, 2**31, -(2**63), 10**30, 0.1, "text", "", (), (1, (2,)), [], {}]
    return {
        "model": net.state_dict(),
        "optim": optimizer.state_dict(),
        "epoch": 3,
        "plain": plain,
        "history": list(range(1500)),
        "shape": torch.Size((2, 3)),
        "device": torch.device("cpu"),
        "gpu": torch.device("cuda", 1),
        "ordered": collections.OrderedDict(b=1, a=2),
        -7: {"numbered": torch.tensor([1])},
    }


def written(value: Any) -> Any:
    """Return a value as JSON; values that JSON cannot represent become a dict of one entry, whose key is their kind."""
    if isinstance(value, torch.Tensor):
        return written_tensor(value.detach())
    if isinstance(value, dict):
        return {"dict": [[key, written(part)] for key, part in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [written(part) for part in value]}
    if isinstance(value, torch.device):
        return str(value)
    return [written(part) for part in value] if isinstance(value, list) else value


def written_tensor(tensor: Any) -> dict[str, Any]:
    """Return a tensor's dtype, shape and bytes; those of bfloat16, which NumPy does not have, as float32."""
    wide = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    return {
        "tensor": str(wide.dtype)[len("torch.") :],
        "shape": list(tensor.shape),
        "hex": wide.contiguous().numpy().tobytes().hex(),
    }


def save_as_on_gpu(path: Path) -> None:
    """Save a tensor as if it were on the second GPU."""
    torch.serialization.register_package(5, lambda storage: "cuda:1", lambda storage, location: None)
    torch.save({"weight": torch.arange(3.0)}, path)
    torch.serialization._package_registry[:] = [p for p in torch.serialization._package_registry if p[0] != 5]


def save_unreadable() -> None:
    """Save contents that are not supported, each in a file named after them."""
    tensor = torch.ones(2, 2)
    torch.save({"weight": tensor}, FOLDER / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"weight": tensor}, FOLDER / "protocol_4.pt", pickle_protocol=4)
    torch.save(network(), FOLDER / "module.pt")
    torch.save(tensor, FOLDER / "bare_tensor.pt")
    torch.save({"values": [tensor.to_sparse()]}, FOLDER / "sparse.pt")
    torch.save({"values": torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)}, FOLDER / "quantized.pt")
    torch.save({"values": tensor.numpy()}, FOLDER / "numpy.pt")
    torch.save({"values": [1, torch.float32]}, FOLDER / "dtype.pt")
    torch.save({"values": {1}}, FOLDER / "set.pt")
    torch.save({(1, 2): tensor}, FOLDER / "tuple_key.pt")
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), str(FOLDER / "script.pt"))
    torch.save({"values": tensor.to(torch.float8_e4m3fn)}, FOLDER / "float8.pt")
    torch.save({"values": torch.ones(2, dtype=torch.complex64).conj()}, FOLDER / "conjugate.pt")


def main() -> None:
    """Write the files and their contents."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    contents = {"state_dict": network().state_dict(), "dtypes": dtypes(), "views": views(), "checkpoint": checkpoint()}
    for name, content in contents.items():
        torch.save(content, FOLDER / f"{name}.pt")
    save_as_on_gpu(FOLDER / "gpu.pt")
    contents["gpu"] = {"weight": torch.arange(3.0)}
    if MODERN:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            save_unreadable()
    expected = {name: written(content) for name, content in contents.items()}
    (FOLDER / "expected.json").write_text(json.dumps(expected, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
