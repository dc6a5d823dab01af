"""Running a policy trained with Tianshou without PyTorch."""
