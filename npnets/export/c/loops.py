"""Loops of C."""


def each(size: int | str, *statements: str, index: str = "j") -> list[str]:
    """Return a loop over statements."""
    head = f"for (int {index} = 0; {index} < {size}; {index}++)"
    if len(statements) == 1:
        return [head, f"    {statements[0]}"]
    return [f"{head} {{", *(f"    {statement}" for statement in statements), "}"]
