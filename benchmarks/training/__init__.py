"""The time of a whole training step of SAC and TD3, with npnets and with three libraries that train."""
