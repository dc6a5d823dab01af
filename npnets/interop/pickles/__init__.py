"""The parts of a reader of pickles that executes nothing: the machine, what it may build, and the tree that results.

A pickle is a program for a stack machine, which can call anything. Here a name in it is only text. `machine` and
`unpickling` run the program, of protocols 0 to 5; `plain` and `numpy_values` describe what the names of Python and of
NumPy build; `contents` copies the result into a tree of bounded size. Every instruction takes constant time and memory
besides the bytes that it copies from the pickle, and so does every constructor: it returns a description.
"""
