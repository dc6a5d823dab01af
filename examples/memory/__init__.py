"""A task that needs a memory: a recurrent policy and a feed-forward policy."""
