"""The kernels in C: a pair for each operation, in files of the same names as its plain composition.

`native` has the extension module, `None` where it is not in use; `source` has the C.
"""
