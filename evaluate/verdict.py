"""What a comparison shows, as one plain sentence."""

from __future__ import annotations

from trimix.evaluate.schema import Arm, Comparison, Offline

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


def offline_verdict(arm: Arm) -> str | None:
    """Whether the arm's policy predicts held-out actions better than the trivial baselines."""
    offline = arm["offline"]
    if offline is None or offline["velocity_nmse"] is None:
        return None
    beaten = [name.replace("_", "-") for name in offline["baselines"] if _beats(offline, name)]
    others = [name.replace("_", "-") for name in offline["baselines"] if not _beats(offline, name)]
    nmse = f"{arm['name']} (normalised velocity error {offline['velocity_nmse']:.2f})"
    if not others:
        return f"{nmse} beat {' and '.join(beaten)} on held-out episodes."
    lost = f"{nmse} was not shown to beat {' or '.join(others)} on held-out episodes"
    return f"{lost}; it beat {' and '.join(beaten)}." if beaten else f"{lost}."


def _beats(offline: Offline, baseline: str) -> bool:
    margin = offline["baselines"][baseline].get("margin_ci95")
    return margin is not None and margin[1] < 0


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
