"""Faults of functions that sort, accumulate, contract, repeat and replace entries."""

from fault import Fault

FUNCTIONS = "tests/numpy/test_numpy_gradients.py"
ACCUMULATING = "tests/numpy/test_accumulating.py"
ANGLES = "tests/numpy/test_angles.py"
CONTRACTION = "tests/numpy/test_contraction.py"
SORTING = "tests/numpy/test_sorting.py"
TILING = "tests/numpy/test_tiling.py"

ARRAYS = [
    Fault(
        "arrays: the gradient of a sorted array is permuted once more instead of back",
        "numpy/sorting.py",
        "_permuted(g, _order(args[1], args[2]), args[2])",
        "_permuted(g, args[1], args[2])",
        FUNCTIONS,
    ),
    Fault(
        "arrays: equal entries are sorted in any order",
        "numpy/sorting.py",
        'np.argsort(bare(x), axis, kind="stable")',
        "np.argsort(bare(x)[..., ::-1], axis) if axis == -1 else np.argsort(bare(x), axis)",
        SORTING,
    ),
    Fault(
        "arrays: a mask passes as indices",
        "numpy/sorting.py",
        'if indices.dtype.kind not in "iu":',
        'if indices.dtype.kind not in "iub":',
        SORTING,
    ),
    Fault(
        "arrays: the gradient of a running sum runs forward",
        "numpy/accumulating.py",
        "_cumsum(g, args[1], not args[2])",
        "_cumsum(g, args[1], args[2])",
        FUNCTIONS,
    ),
    Fault(
        "arrays: the slope of a product is a quotient",
        "numpy/accumulating.py",
        "    y = squeeze(y, -1) if count else sum(y, -1) + 1",
        "    import npnets.numpy as nnp; flat = reshape(transpose(x, (*others, *axes)), (*shape, -1)); "
        "y = (nnp.prod(nnp.sign(flat), -1)) * nnp.exp(sum(nnp.log(nnp.abs(flat)), -1))",
        ACCUMULATING,
    ),
    Fault(
        "arrays: the last of an odd number of entries is left out of a product",
        "numpy/accumulating.py",
        "concatenate([pairs, y[..., -1:]], -1) if odd else pairs, half + odd",
        "pairs, half",
        FUNCTIONS,
    ),
    Fault(
        "arrays: an angle has an infinite slope at the origin",
        "numpy/angles.py",
        "usable = (largest != 0) & ~np.isinf(largest)",
        "usable = ~np.isinf(largest)",
        ANGLES,
    ),
    Fault(
        "arrays: the squares of an angle's slope overflow",
        "numpy/angles.py",
        "scale = np.where(usable, largest, 1)",
        "scale = np.where(usable, 1, 1)",
        ANGLES,
    ),
    Fault(
        "arrays: the slope of a remainder by its divisor is a quotient that is not rounded",
        "numpy/angles.py",
        "-np.floor_divide(bare(x), bare(y))",
        "-np.divide(bare(x), bare(y))",
        FUNCTIONS,
    ),
    Fault(
        "arrays: a diagonal is summed in the result of einsum",
        "numpy/contraction.py",
        "count == 1 and label not in output}",
        "count == 1}",
        CONTRACTION,
    ),
    Fault(
        "arrays: an axis of size one is not broadcast in einsum",
        "numpy/contraction.py",
        "kept = [axis for axis, label in enumerate(labels) if x.shape[axis] == sizes[label]]",
        "kept = list(range(len(labels)))",
        CONTRACTION,
    ),
    Fault(
        "arrays: einsum sums over a letter that a later operand has",
        "numpy/contraction.py",
        "{*output, *[label for _, later in parts[index:] for label in later]}",
        "{*output}",
        CONTRACTION,
    ),
    Fault(
        "arrays: the gradient of an array rolled along two axes rolls back along one",
        "numpy/tiling.py",
        "tuple([-shift for shift in args[1]])",
        "tuple([-args[1][0], *args[1][1:]])",
        FUNCTIONS,
    ),
    Fault(
        "arrays: the gradient of a tiled array takes its first copy",
        "numpy/tiling.py",
        "reshape(sum(reshape(g, split), tuple(range(0, len(split), 2))), x.shape)",
        "reshape(reshape(g, split)[(slice(0, 1), slice(None)) * (len(split) // 2)], x.shape)",
        TILING,
    ),
    Fault(
        "arrays: the gradient of what replaces NaN reaches the NaN",
        "numpy/elementwise.py",
        "y = where(np.isnan(values), nan, x)",
        "y = x * 1 + where(np.isnan(values), nan - bare(x), 0)",
        ANGLES,
    ),
]
