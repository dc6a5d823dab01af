"""Statistics of observations that other libraries saved, as a `Normalization`.

Each library has a class of running statistics with `mean`, `var` and `count`; they differ in where its limits are.
"""

import contextlib
import os
from typing import Any

import numpy as np

from npnets.backend import Array
from npnets.files.fault import Fault
from npnets.files.quoting import listed, printable
from npnets.interop import pickle_file
from npnets.interop.foreign import Foreign
from npnets.interop.library_file import LibraryFile, check_whole, described, described_value, opened
from npnets.normalization import Normalization
from npnets.normalization.statistics import checked

_CLIP, _EPSILON = 10.0, 1e-8  # of files without limits: the defaults of VecNormalize
_IN_DICTS = "obs_rms"
_READ = (
    "the file of VecNormalize (env.save(path)), a file of torch.save or a pickle with Tianshou's RunningMeanStd, alone "
    "or as the entry 'obs_rms' of a dict"
)


def load_normalization(path: str | os.PathLike[str]) -> Normalization:
    """Read the statistics of observations that another library saved, without that library.

    Nothing in the file is executed or imported.

    Parameters
    ----------
    path : str or path
        A file of Stable-Baselines3's `VecNormalize.save`, or a file of `torch.save` or a pickle that holds the
        `RunningMeanStd` of Tianshou or Gymnasium, alone or as the entry `"obs_rms"` of a dict.

    Returns
    -------
    Normalization
        With the file's own limits. Where it has none, as with Gymnasium, observations are clipped at 10 and epsilon is
        1e-8, as in `VecNormalize`.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    ValueError
        If the file is damaged, or holds no such statistics; the message says what it holds.
    TypeError
        If the path is not a path.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected a path of a file, as in load_normalization('vec.pkl'), but got {path!r:.80}")
    file = opened(path)
    try:
        return statistics_in(_contents(file))
    except Fault as refusal:
        raise ValueError(f"{printable(file.path)} cannot be read: {refusal}") from refusal


def _contents(file: LibraryFile) -> object:
    check_whole(file)
    if file.is_of_torch or file.is_pickle:
        return file.contents
    if not file.members:
        with contextlib.suppress(ValueError):
            return pickle_file.load(file.path, foreign="keep")  # of protocol 0 or 1, which begin like any text
    raise Fault(f"{described(file)}, and holds no statistics of observations. Read are {_READ}")


def statistics_in(contents: object) -> Normalization:
    """Return the statistics of observations that the contents of a file hold.

    Raises
    ------
    Fault
        If they hold none.
    """
    if isinstance(contents, dict) and isinstance(contents.get(_IN_DICTS), Foreign):
        contents = contents[_IN_DICTS]
    if not isinstance(contents, Foreign) or not isinstance(contents.state, dict):
        raise Fault(f"it holds {described_value(contents)}, and no statistics of observations. Read are {_READ}")
    if contents.name.endswith(".VecNormalize"):
        return _of_vec_normalize(contents.state)
    return _statistics(contents, contents.state.get("clip_max", _CLIP) or None, contents.state.get("eps", _EPSILON))


def holds_statistics(contents: object) -> bool:
    """Return whether the contents of a file are such statistics."""
    try:
        statistics_in(contents)
    except Fault:
        return False
    return True


def _of_vec_normalize(state: dict[str, Any]) -> Normalization:
    if not state.get("norm_obs", True):
        raise Fault("its VecNormalize has norm_obs=False: it normalizes rewards alone, so leave normalization out")
    found = state.get(_IN_DICTS)
    if isinstance(found, dict):
        raise Fault(f"its observations are dicts, of {listed(found)}; statistics of one array are read")
    return _statistics(found, state.get("clip_obs"), state.get("epsilon"))


def _statistics(found: object, clip: Any, epsilon: Any) -> Normalization:
    """Return the statistics of an object that has `mean`, `var` and `count`."""
    state = found.state if isinstance(found, Foreign) and isinstance(found.state, dict) else {}
    lacking = [name for name in ("mean", "var", "count") if name not in state]
    if lacking:
        raise Fault(f"it holds {described_value(found)} without {listed(lacking)}, and no statistics. Read are {_READ}")
    mean, var, count = _numbers(state["mean"], "mean"), _numbers(state["var"], "var"), _numbers(state["count"], "count")
    if count.ndim:
        raise Fault(f"its count has the shape {count.shape}, and must be one number; the file is damaged")
    for name, limit in (("clip", clip), ("epsilon", epsilon)):
        if not isinstance(limit, (int, float, np.number, type(None))):
            raise Fault(f"its {name} is {described_value(limit)}, and must be a number; the file is damaged")
    try:
        return checked(Normalization(mean, var, float(count), clip, epsilon))
    except (OverflowError, TypeError, ValueError) as error:
        raise Fault(f"its statistics make no sense: {error}") from error


def _numbers(value: object, name: str) -> Array:
    if isinstance(value, (int, float, np.number, np.ndarray)) and np.asarray(value).dtype.kind in "fiu":
        return np.asarray(value, np.float64)
    raise Fault(f"its {name} is {described_value(value)}, and must be numbers; the file is damaged")
