"""Sums of products written with a letter for each axis: `einsum`.

Two operands at a time, from the first to the last. Letters of both that no later step needs are summed by a matrix
product; all other letters are kept. A label is a letter, or a negative number for an axis of an ellipsis.
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from npnets.backend import Array
from npnets.numpy.broadcasting import astype
from npnets.numpy.elementwise import multiply
from npnets.numpy.indexing import take
from npnets.numpy.products import matmul
from npnets.numpy.reductions import sum
from npnets.numpy.shaping import reshape, transpose, with_numbers_as_arrays

Label: TypeAlias = str | int
Labels: TypeAlias = tuple[Label, ...]


def einsum(subscripts: str, *operands: ArrayLike) -> Array:
    """Sum of products over the axes that a string names, such as `"bij,bjk->bik"`.

    Parameters
    ----------
    subscripts : str
        For each operand its axes, a letter each. Letters that the result lacks are summed over; one letter twice in an
        operand takes its diagonal; `...` stands for axes that broadcast. Without `->` the result has the axes of `...`,
        then the letters that occur once, in alphabetical order.
    *operands : array
        An axis of size one broadcasts.

    Returns
    -------
    array

    Raises
    ------
    TypeError
        If `subscripts` is no string.
    ValueError
        If it does not fit the operands, or the sizes of one letter differ.
    """
    if not isinstance(subscripts, str):
        raise TypeError(f"expected subscripts as a string such as 'ij,jk->ik', but got {type(subscripts).__name__}")
    arrays: Sequence[Any] = with_numbers_as_arrays(operands)
    dtype = np.result_type(*[array.dtype for array in arrays]) if arrays else None
    terms, output = _labels(subscripts, arrays)
    sizes = _sizes(subscripts, terms, arrays)
    arrays = [array if array.dtype == dtype else astype(array, dtype) for array in arrays]
    parts = _summed_apart([_simplified(*part, sizes) for part in zip(arrays, terms, strict=True)], output)
    x, labels = parts[0]
    for index, (y, its) in enumerate(parts[1:], 2):
        x, labels = _product(x, labels, y, its, {*output, *[label for _, later in parts[index:] for label in later]})
    result = _in_order(x, labels, output)
    return result if result.dtype == dtype else astype(result, dtype)  # a sum of small integers has a wider one


# -- reading the subscripts -------------------------------------------------------------------------------------------


def _labels(subscripts: str, arrays: Sequence[Any]) -> tuple[list[Labels], Labels]:
    """Return the labels of the axes of each operand, and of the result."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(arrays) or not arrays:
        raise _misfit(subscripts, f"{len(terms)} operands, one for each part between commas", f"{len(arrays)}")
    for term in (*terms, output):
        letters = term.replace("...", "", 1)
        if not (letters.isalpha() and letters.isascii()) and letters:
            raise _misfit(subscripts, "letters, commas, '...' once in each part, and one '->'", repr(term))
    found = [_of_operand(subscripts, *part) for part in zip(terms, arrays, strict=True)]
    dots = max([[label for label in labels if isinstance(label, int)] for labels in found], key=len)
    if arrow:
        return found, _of_output(subscripts, output, dots, {label for labels in found for label in labels})
    counts = Counter("".join(terms).replace(".", ""))
    return found, (*dots, *sorted([letter for letter, count in counts.items() if count == 1]))


def _of_operand(subscripts: str, term: str, array: Any) -> Labels:
    named = len(term.replace("...", ""))
    if named != array.ndim and ("..." not in term or named > array.ndim):
        raise _misfit(subscripts, f"an array of {named} axes for {term!r}", f"shape {array.shape}")
    before, _, after = term.partition("...")
    return (*before, *range(named - array.ndim, 0), *after)


def _of_output(subscripts: str, output: str, dots: Sequence[Label], known: Collection[Label]) -> Labels:
    before, found, after = output.partition("...")
    if dots and not found:
        raise _misfit(subscripts, "'...' in the result, as some operand has axes for it", repr(output))
    if len({*before, *after}) < len(before + after) or not {*before, *after} <= set(known):
        raise _misfit(subscripts, "letters of the operands in the result, each once", repr(output))
    return (*before, *dots, *after)


def _sizes(subscripts: str, terms: Sequence[Labels], arrays: Sequence[Any]) -> dict[Label, int]:
    """Return the size of each label."""
    sizes: dict[Label, int] = {}
    for labels, array in zip(terms, arrays, strict=True):
        for label, size in zip(labels, array.shape, strict=True):
            repeated = labels.count(label) > 1 and size != array.shape[labels.index(label)]
            if repeated or (size != 1 and sizes.get(label, 1) not in (1, size)):
                name = label if isinstance(label, str) else "..."
                shapes = ", ".join([str(one.shape) for one in arrays])
                raise _misfit(subscripts, f"axes of one size for {name!r}", f"shapes {shapes}")
            sizes[label] = size if sizes.get(label, 1) == 1 else sizes[label]
    return sizes


def _misfit(subscripts: str, expected: str, came: str) -> ValueError:
    return ValueError(f"expected {expected} in einsum({subscripts!r}, ...), but got {came}")


# -- one and two operands ---------------------------------------------------------------------------------------------


def _simplified(x: Any, labels: Labels, sizes: dict[Label, int]) -> tuple[Any, Labels]:
    """Return an operand with diagonals taken and axes of size one that broadcast dropped."""
    for label in [label for label, count in Counter(labels).items() if count > 1]:
        axes = [axis for axis, other in enumerate(labels) if other == label]
        others = [axis for axis, other in enumerate(labels) if other != label]
        x = take(transpose(x, (*axes, *others)), (np.arange(x.shape[axes[0]]),) * len(axes))
        labels = (label, *[labels[axis] for axis in others])
    kept = [axis for axis, label in enumerate(labels) if x.shape[axis] == sizes[label]]
    if len(kept) == len(labels):
        return x, labels
    return reshape(x, tuple([x.shape[axis] for axis in kept])), tuple([labels[axis] for axis in kept])


def _summed_apart(parts: Sequence[tuple[Any, Labels]], output: Labels) -> list[tuple[Any, Labels]]:
    """Return operands with those labels summed that neither another operand nor the result has."""
    counts = Counter([label for _, labels in parts for label in labels])
    lonely = {label for label, count in counts.items() if count == 1 and label not in output}
    return [
        (
            sum(x, tuple([axis for axis, label in enumerate(labels) if label in lonely])),
            tuple([label for label in labels if label not in lonely]),
        )
        if lonely.intersection(labels)
        else (x, labels)
        for x, labels in parts
    ]


def _product(x: Any, x_labels: Labels, y: Any, y_labels: Labels, kept: Collection[Label]) -> tuple[Any, Labels]:
    """Multiply two operands, and sum over the labels of both that are not kept."""
    both = [label for label in x_labels if label in y_labels]
    batch, summed = [[label for label in both if (label in kept) == is_kept] for is_kept in (True, False)]
    rows = [label for label in x_labels if label not in both]
    columns = [label for label in y_labels if label not in both]
    sizes = dict(zip((*x_labels, *y_labels), (*x.shape, *y.shape), strict=True))
    left = _grouped(x, x_labels, (batch, rows, summed), sizes)
    right = _grouped(y, y_labels, (batch, summed, columns), sizes)
    product = matmul(left, right) if summed else multiply(left, right)
    labels = (*batch, *rows, *columns)
    return reshape(product, tuple([sizes[label] for label in labels])), labels


def _grouped(x: Any, labels: Labels, groups: Sequence[Sequence[Label]], sizes: dict[Label, int]) -> Any:
    """Return an operand with one axis for each group of labels."""
    x = _in_order(x, labels, tuple([label for group in groups for label in group]))
    return reshape(x, tuple([math.prod([sizes[label] for label in group]) for group in groups]))


def _in_order(x: Any, labels: Labels, order: Labels) -> Any:
    """Return an operand with its axes in the order of labels."""
    return x if labels == order else transpose(x, [labels.index(label) for label in order])
