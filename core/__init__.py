"""The nouns every room shares: contracts, episodes, the rollout loop, random streams, errors."""
