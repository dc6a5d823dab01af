"""Populations and rollouts on several processes, or on several machines."""
