"""Algorithms for discrete actions, in CartPole-v1, Acrobot-v1 and environments like them."""
