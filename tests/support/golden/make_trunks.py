"""Write `trunks_1_1.npz`, `trunks_1_2.npz` or `trunks_2_0.npz`: critics whose preprocess net sees observations alone.

Run it once with each of Tianshou 1.1.0, 1.2.0 and 2.0.1; the README in this folder says how. The cases are those of
`cases_trunks.py`, recorded as `make_golden.py` records the others, and with their state dicts.
"""

from typing import Any
from zlib import crc32

import fixtures
import make_golden
import make_state_dicts
import numpy as np
import tianshou
import torch
from cases_common import Case
from cases_trunks import TRUNKS
from torch_trunks import Tokens

make_golden.VOCABULARY["Tokens"] = Tokens
if make_state_dicts.MAJOR > 1:
    make_golden.VOCABULARY |= {name: make_state_dicts.constructor(name) for name in ("Net", "Critic")}


def main() -> None:
    """Write the file of the version that is installed."""
    versions = {"tianshou": tianshou.__version__, "torch": torch.__version__, "numpy": np.__version__}
    name = "trunks_" + "_".join(tianshou.__version__.split(".")[:2])
    cases = [recorded(case) for case in TRUNKS if make_state_dicts.MAJOR == 1 or "given its number" not in case.name]
    signatures = {"Critic": make_golden.signatures("Critic")} if make_state_dicts.MAJOR == 1 else {}
    content = {"versions": versions, "cases": cases, "initial": [], "signatures": signatures, "warnings": []}
    fixtures.save(name, content)
    print(f"{len(cases)} critics, with {versions}")


def recorded(case: Case) -> dict[str, Any]:
    """Return the record of a case, and its state dict."""
    net, rng = make_golden.random_network(case, crc32(case.name.encode()))
    return {**make_golden.recorded(case, net, rng), "state_dict": make_state_dicts.arrays(net.state_dict())}


if __name__ == "__main__":
    main()
