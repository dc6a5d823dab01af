"""Loops and sums of C."""

import re
from collections.abc import Iterable

WIDTH = 100
"""The longest sum in one line, without its indentation."""


_DECLARE = ("const ", "float ", "int ")


def each(size: int | str, *statements: str, index: str = "j") -> list[str]:
    """Return a loop over statements, or the statements alone if the loop runs once: in a block, if they declare."""
    if size == 1:
        alone = [_at_zero(statement, index) for statement in statements]
        return ["{", *indented(alone), "}"] if any(one.startswith(_DECLARE) for one in alone) else alone
    return loop(f"int {index} = 0; {index} < {size}; {index}++", statements)


def loop(control: str, statements: Iterable[str]) -> list[str]:
    """Return a `for` loop, with braces if there is more in it than one line."""
    body = indented(statements)
    return [f"for ({control})", *body] if len(body) == 1 else [f"for ({control}) {{", *body, "}"]


def indented(lines: Iterable[str]) -> list[str]:
    """Return lines one level further in."""
    return [f"    {line}" for line in lines]


def assignment(target: str, terms: Iterable[str]) -> list[str]:
    """Return a statement such as `y = a + b`, with a term a line where one line is too short; `target` is `y =`."""
    terms = list(terms)
    line = f"{target} {' + '.join(terms)};"
    if len(line) <= WIDTH:
        return [line]
    first, *rest = terms
    margin = " " * (len(target) - 1)
    lines = [f"{target} {first}", *(f"{margin}+ {term}" for term in rest)]
    return [*lines[:-1], f"{lines[-1]};"]


def _at_zero(statement: str, index: str) -> str:
    """Return a statement with zero in place of an index, without the terms that vanish."""
    zeroed = re.sub(rf"\b{index}\b(?: \* \d+)?", "0", statement)
    return re.sub(r" \+ 0(?=\])", "", re.sub(r"(?<=[\[ ])0 \+ ", "", zeroed))
