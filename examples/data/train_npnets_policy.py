"""Writes `npnets_policy_pendulum.npz`, a policy for Pendulum-v1 that SAC trained with npnets.

    python examples/data/train_npnets_policy.py

Trains as `examples/online/sac.py` does, from observations divided by running standard deviations, and saves the policy
as it acts: the actor, its parameters, the statistics of the observations, and the bounds of the torque.
`examples/deploy/deploy_policy.py` runs it.
"""
