"""A learned, action-conditioned video world model, and the World that dreams with it."""
