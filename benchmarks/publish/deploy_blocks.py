"""Policies of three libraries, run by npnets and as C, ONNX and plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.publish.markup import Table, plus_minus
from benchmarks.publish.records import Records, processor

FORMS = {
    "npnets": "npnets",
    "C": "C",
    "ONNX": "ONNX",
    "plain Python": "plain Python",
    "PyTorch": "its library, on PyTorch",
}
"""Headings by the names of forms; every result has all but the last."""
SAME_RETURN = 0.1
"""Returns of all forms differ by less."""

Side = dict[str, Any]
WITHOUT_PROCESS = "C"
"""The form whose process is a Python that it does not need: costs of the process are not its own."""

ROWS: dict[str, Callable[[Side], str]] = {
    "return of an episode": lambda side: plus_minus(side["returns"]),
    "one action": lambda side: f"{side['median_us']:.1f} us",
    "file": lambda side: f"{side['bytes'] / 1e3:.0f} kB",
    "difference": lambda side: f"{side['difference']:.0e} N m" if side["difference"] else "",
}
PROCESS_ROWS: dict[str, Callable[[Side], str]] = {
    "import": lambda side: f"{side['import_ms']:.0f} ms",
    "load": lambda side: f"{side['load_ms']:.0f} ms",
    "memory": lambda side: f"{side['resident_mb']:.0f} MB",
}


def tour(records: Records) -> Table:
    """Return one row for each policy: its return, and time and size in each form."""
    record = records["deploy"]
    rows = [
        [title, plus_minus(_return_of(sides)), *_time_and_size(sides)] for title, sides in _policies(record).items()
    ]
    above = (
        f"A 64-64 policy for Pendulum-v1 of each library: its return, which is the same in every form, the time of an "
        f"action and the size of what is deployed (`{record['command']}`, {processor(record)}; "
        f"[docs/deploy.rst](docs/deploy.rst)):"
    )
    return Table(["policy", "return", *FORMS.values()], rows, above)


def deployed(records: Records) -> Table:
    """Return all measurements of every policy in every form."""
    rows: list[list[str]] = []
    for title, sides in _policies(records["deploy"]).items():
        rows.append([f"**{title}**", *("" for _ in FORMS)])
        for name, show in {**ROWS, **PROCESS_ROWS}.items():
            shown = [form in sides and not (name in PROCESS_ROWS and form == WITHOUT_PROCESS) for form in FORMS]
            rows.append([name, *(show(sides[form]) if has else "" for form, has in zip(FORMS, shown, strict=True))])
    return Table(["", *FORMS.values()], rows)


def difference(records: Records) -> float:
    """Return the largest difference between npnets' actions and those of the libraries that trained the policies."""
    return max(sides["PyTorch"]["difference"] for sides in _policies(records["deploy"]).values() if "PyTorch" in sides)


def _policies(record: dict[str, Any]) -> dict[str, dict[str, Side]]:
    return record["results"]["policies"]


def _return_of(sides: dict[str, Side]) -> dict[str, float]:
    means = [side["returns"]["mean"] for side in sides.values()]
    if max(means) - min(means) > SAME_RETURN:
        raise ValueError(
            f"expected one return in every form, but they are {', '.join(f'{mean:.2f}' for mean in means)}"
        )
    return sides["npnets"]["returns"]


def _time_and_size(sides: dict[str, Side]) -> list[str]:
    cells = {form: f"{side['median_us']:.1f} us, {side['bytes'] / 1e3:.0f} kB" for form, side in sides.items()}
    cells |= {"npnets": f"{sides['npnets']['median_us']:.1f} us"}
    if "PyTorch" in sides:
        cells["PyTorch"] = f"{sides['PyTorch']['median_us']:.1f} us"
    return [cells.get(form, "") for form in FORMS]
