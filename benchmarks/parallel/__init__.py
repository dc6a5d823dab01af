"""Populations on several processes and on Ray: cost of a task, efficiency, start-up, and the driver's own work."""
