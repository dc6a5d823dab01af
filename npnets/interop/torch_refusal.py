"""Why a file of PyTorch's is not read: the one error that the modules beside this one raise among themselves."""


class Refusal(Exception):
    """A reason in the user's words, without the file's name: `torch_file.load` puts that before it."""


def shown(text: str, limit: int = 80) -> str:
    """Quote text of a file in an error, cut off where a hostile file would go on for megabytes."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}..."
