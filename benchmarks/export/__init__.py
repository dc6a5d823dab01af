"""The size and speed of exported C, on this processor and on a Cortex-M4."""
