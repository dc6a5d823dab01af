"""Online reinforcement learning: SAC, TD3, DDPG, REDQ and PPO."""
