"""A comparison of mixes as a Python object: sources, arms, seeds, scores, one store of results."""
