"""Training compared with Tianshou's: returns and training times."""
