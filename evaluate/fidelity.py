"""Whether one world ranks policies as another does: what a dream is good for as a test bench."""

from __future__ import annotations

from collections.abc import Sequence

from trimix.core.errors import ConfigError
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.schema import Fidelity
from trimix.evaluate.statistics import mean_maximum_rank_violation, pearson


def agreement(world: Sequence[Evaluation], reference: Sequence[Evaluation]) -> Fidelity:
    """How well success in a world stands for success in the reference, over the same policies.

    Args:
        world: evaluations in the world that is judged, e.g. the dream.
        reference: evaluations of the same (arm, training seed) in the world that it stands for.

    Raises:
        ConfigError: fewer than two policies, or not the same ones on both sides.
    """
    rates, reference_rates = (
        {(e.arm, e.train_seed): float(e.success.mean()) for e in side}
        for side in (world, reference)
    )
    odd = sorted(rates.keys() ^ reference_rates.keys())
    if odd:
        raise ConfigError(
            f"policy {odd[0][0]!r} of seed {odd[0][1]} was evaluated in one world only",
            do="evaluate the same policies in both",
        )
    if len(rates) < 2:
        raise ConfigError("a ranking takes at least two policies")
    policies = sorted(rates)
    ours = [rates[p] for p in policies]
    theirs = [reference_rates[p] for p in policies]
    return {
        "world": world[0].world,
        "reference": reference[0].world,
        "policies": [f"{arm}, seed {seed}" for arm, seed in policies],
        "success": ours,
        "reference_success": theirs,
        "pearson": pearson(ours, theirs),
        "mmrv": mean_maximum_rank_violation(ours, theirs),
    }
