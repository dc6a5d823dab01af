"""The source of the functions that an exported file may hold, without annotations."""

import ast
import inspect

from npnets.caches import bounded_cache
from npnets.export.python import functions


@bounded_cache(maxsize=1)
def sources() -> dict[str, str]:
    """Return the source by the name of each function, in their order."""
    text = inspect.getsource(functions)
    nodes = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    return {node.name: _plain(node, text.splitlines()) for node in nodes}


def _plain(node: ast.FunctionDef, lines: list[str]) -> str:
    """Return a function's own lines behind a first one without annotations."""
    first = f"def {node.name}({', '.join(argument.arg for argument in node.args.args)}):"
    return "\n".join([first, *lines[node.body[0].lineno - 1 : node.end_lineno]])


def called_in(text: str) -> list[str]:
    """Return the functions that code calls, and those that they call, in the order of `sources`."""
    found: set[str] = set()
    unseen = _calls(text)
    while new := unseen & sources().keys() - found:
        found |= new
        unseen = {name for function in new for name in _calls(sources()[function])}
    return [name for name in sources() if name in found]


def _calls(text: str) -> set[str]:
    """Return the names of functions that code calls, without those of modules."""
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return {function.id for function in calls if isinstance(function, ast.Name)}
