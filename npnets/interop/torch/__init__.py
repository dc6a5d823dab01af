"""The parts of a reader of `torch.save`'s files: the archive, its pickle, and the tensors that the pickle describes.

`npnets.interop.torch_file` puts them together. None of them imports PyTorch or executes anything that is in a file.
"""
