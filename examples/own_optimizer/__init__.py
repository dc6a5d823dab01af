"""External optimizers: SciPy's L-BFGS-B, Lion, CMA-ES and a natural gradient."""
