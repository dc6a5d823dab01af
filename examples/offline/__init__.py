"""Learning from recorded transitions: BCQ, beside behaviour cloning."""
