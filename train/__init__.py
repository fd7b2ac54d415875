"""The training loop, and what is trained in it: policies and world models."""
