"""Learning while acting: SAC, TD3, DDPG, REDQ and PPO."""
