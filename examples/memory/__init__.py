"""A task that needs a memory: a recurrent policy beside a feed-forward one."""
