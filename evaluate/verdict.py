"""What a comparison shows, as one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence

from trimix.evaluate.schema import BASELINES, Arm, Comparison, Offline

SEEDS_FOR_A_CLAIM = 3


def verdict(comparison: Comparison) -> str:
    """A sentence that claims a difference only when the interval excludes 0."""
    a, b = comparison["a"], comparison["b"]
    points = 100 * comparison["delta"]
    low, high = (100 * x for x in comparison["ci95"])
    evidence = f"95% CI {_signed(low)} to {_signed(high)}"
    tail = f"exact McNemar p {_p(comparison['mcnemar_p'])}, {_size(comparison)}"
    if low > 0:
        return f"{a} beat {b} by {points:.1f} points ({evidence}; {tail})."
    if high < 0:
        return (
            f"{b} beat {a} by {-points:.1f} points "
            f"(95% CI {_signed(-high)} to {_signed(-low)}; {tail})."
        )
    return (
        f"No difference could be shown between {a} and {b}: "
        f"{_signed(points)} points ({evidence}; {tail})."
    )


def caution(comparison: Comparison) -> str | None:
    """Why the comparison is a lead and not yet a claim about the mix; None if it is one."""
    seeds = comparison.get("seeds")
    if seeds is None or seeds >= SEEDS_FOR_A_CLAIM:
        return None
    return (
        f"{seeds} training {'seed' if seeds == 1 else 'seeds'}: about these policies, not yet "
        f"about the mixes (that takes {SEEDS_FOR_A_CLAIM})"
    )


def offline_verdicts(arms: Sequence[Arm]) -> list[str]:
    """Which arms predict held-out actions better than the trivial baselines, in plain sentences.

    A baseline is beaten when the interval of the difference in error lies below 0. Arms with one
    outcome share a sentence.
    """
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for arm in arms:
        offline = arm["offline"]
        if offline is None or offline["velocity_nmse"] is None:
            continue
        beaten = tuple(name for name in offline["baselines"] if _beats(offline, name))
        others = tuple(name for name in offline["baselines"] if name not in beaten)
        scored = f"{arm['name']} ({offline['velocity_nmse']:.2f})"
        groups.setdefault((beaten, others), []).append(scored)
    sentences = []
    for (beaten, others), named in groups.items():
        done = [f"beat {_listed(beaten, 'and')}"] if beaten else []
        open_ = [f"could not be shown to beat {_listed(others, 'or')}"] if others else []
        sentences.append(
            f"On held-out episodes {_listed(named, 'and')} {' but '.join(done + open_)} "
            "(normalised velocity error in brackets)."
        )
    return sentences


def _beats(offline: Offline, baseline: str) -> bool:
    margin = offline["baselines"][baseline].get("margin_ci95")
    return margin is not None and margin[1] < 0


def _listed(names: Sequence[str], word: str) -> str:
    shown = [name.replace("_", "-") if name in BASELINES else name for name in names]
    first, last = shown[:-1], shown[-1]
    return f"{', '.join(first)} {word} {last}" if first else last


def _size(comparison: Comparison) -> str:
    scenes, seeds = comparison.get("scenes"), comparison.get("seeds")
    if scenes is None or seeds is None:
        return f"n = {comparison['n']}"
    return (
        f"n = {scenes} scenes \N{MULTIPLICATION SIGN} {seeds} {'seed' if seeds == 1 else 'seeds'}"
    )


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "\N{MINUS SIGN}")


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
