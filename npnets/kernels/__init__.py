"""The hot operations, one file each: notation, plain composition, fused forward, backward by hand, and their join."""
