"""Mixing sources at chosen shares: recipe -> lock -> batches, each from its number alone."""
