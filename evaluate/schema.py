"""What report.json holds, as types that are also checked when the file is written and read.

Rates and shares lie in [0, 1]; intervals are [low, high] at 95%; seconds, gigabytes, decibels.
Annotations are evaluated here (no postponed annotations): the check reads NotRequired from them.
"""

from collections.abc import Iterator
from typing import Literal, NotRequired, TypedDict, cast

from trimix.core.contracts import Origin
from trimix.core.errors import DataError
from trimix.evaluate.planned import Scope, Status, Verdict
from trimix.evaluate.typed_json import problems_of

FORMAT = "trimix-report-1"
Format = Literal["trimix-report-1"]
Label = Literal["real", "stand-in (simulated)"]
"""Episodes of a physical robot, or of a simulator that plays its part."""

BASELINES = ("predict_mean", "repeat_last")
"""The trivial predictors that stand beside every arm."""

Interval = tuple[float, float]
ROUNDING = 1e-9


class Real(TypedDict):
    """The episodes that play the part of the real robot."""

    label: Label
    episodes_train: int
    episodes_heldout: int
    name: NotRequired[str]
    frames: NotRequired[int]


class Expert(TypedDict):
    """How often a task's scripted expert succeeds."""

    n: int
    success: float
    wilson95: NotRequired[Interval]


class Heldout(TypedDict):
    """PSNR in dB on held-out episodes, by steps ahead ("1", "5", "10"); see worldmodel.metrics."""

    psnr: dict[str, float]
    copy_last: dict[str, float]
    n: int
    episodes: NotRequired[int]
    trust: NotRequired[dict[str, float]]
    right: NotRequired[dict[str, float]]
    state_rmse: NotRequired[dict[str, float]]


class WorldModelPart(TypedDict):
    """The world model's size, speed and held-out prediction, by source."""

    params: int
    train_s: float
    frames_per_s: float
    heldout: dict[str, Heldout]


class ClosedLoop(TypedDict):
    """Success of one arm on one suite, over all its training seeds (n = seeds x scenes).

    scope is that of wilson95: always these policies. ci95 is the interval of the mean over seeds,
    simultaneous over the arms, and ci95_scope what it is of.
    """

    world: str
    suite: str
    n: int
    success: float
    wilson95: Interval
    scope: NotRequired[Literal["these policies"]]
    ci95: NotRequired[Interval]
    ci95_scope: NotRequired[Scope]
    suite_hash: NotRequired[str]
    abstained: NotRequired[int]
    per_seed: NotRequired[list[float]]
    trust: NotRequired[float]


class Baseline(TypedDict):
    """A trivial predictor's figures; margin is the policy's error minus the baseline's.

    margin_ci95 is simultaneous with those of all margins of the report.
    """

    velocity_nmse: float | None
    gripper_f1: float | None
    velocity_nmse_ci95: NotRequired[Interval | None]
    gripper_f1_ci95: NotRequired[Interval | None]
    margin: NotRequired[float | None]
    margin_ci95: NotRequired[Interval | None]


class Offline(TypedDict):
    """Prediction of recorded actions in held-out episodes."""

    velocity_nmse: float | None
    gripper_f1: float | None
    baselines: dict[str, Baseline]
    velocity_nmse_ci95: NotRequired[Interval | None]
    gripper_f1_ci95: NotRequired[Interval | None]
    per_seed: NotRequired[list[float | None]]
    per_channel: NotRequired[dict[str, float]]
    channels_left_out: NotRequired[list[str]]
    windows: NotRequired[int]
    episodes: NotRequired[int]


class Candidate(TypedDict):
    """Shares that were tried: of drawn windows, by source."""

    name: str
    shares: dict[str, float]
    train_seeds: list[int]
    closed_loop: ClosedLoop


class Choice(TypedDict):
    """How an arm's shares were found, on scenes and training seeds that no arm is compared on."""

    arm: str
    chosen: str
    candidates: list[Candidate]


class Arm(TypedDict):
    """One mix: its shares of drawn windows by source, and what its policies do."""

    name: str
    shares: dict[str, float]
    train_seeds: list[int]
    closed_loop: ClosedLoop | None
    offline: Offline | None
    also: NotRequired[list[ClosedLoop]]
    policy: NotRequired[str]
    train_s: NotRequired[float]


class Comparison(TypedDict):
    """Success of a minus success of b on the same scenes.

    ci95 is simultaneous with those of all comparisons of the plan, at all its looks, and of what
    scope says. The verdict is of a against b; what is exploratory is always open. mcnemar_p is of
    these policies, and there only where each arm has one; seeds are those of the arm with fewer.
    any_time: ci95 holds at whatever scene the two policies were stopped.
    """

    a: str
    b: str
    n: int
    delta: float
    ci95: Interval
    scope: Scope
    status: Status
    verdict: Verdict
    any_time: NotRequired[bool]
    mcnemar_p: NotRequired[float]
    scenes: NotRequired[int]
    seeds: NotRequired[int]
    world: NotRequired[str]
    suite: NotRequired[str]


class Plan(TypedDict):
    """What was to be compared, and its hash; see planned.ComparisonPlan.

    Keys:
        registered: it was kept before the first of its policies was seen.
        others: further plans that the store holds.
    """

    contrasts: list[tuple[str, str]]
    looks: list[int]
    level: float
    scenes: int | None
    hash: str
    registered: NotRequired[bool]
    others: NotRequired[int]


class Open(TypedDict):
    """A comparison that is not settled, and what it would take.

    seeds_needed: training seeds per arm of a new, planned run; None if no number of seeds that was
    tried would do on so many scenes.
    """

    a: str
    b: str
    sentence: str
    seeds_needed: int | None


class InferencePart(TypedDict):
    """What the comparisons show together.

    look: the planned number of seeds that was looked at; spent: the error rate used by that look
    and those planned before it.
    """

    scope: Scope
    method: str
    level: float
    plan: Plan
    status: Status
    look: int | None
    spent: float
    headline: str
    statements: list[str]
    open: list[Open]


class MixRow(TypedDict):
    """One source in one arm's mix, over all its training seeds.

    share is the planned one; planned and drawn are windows, by the locks and by the ledgers that
    the trainings kept. Where none was kept (counted false), drawn repeats the plan.
    """

    arm: str
    source: str
    origin: Origin
    share: float
    windows: int
    planned: NotRequired[int]
    drawn: int
    counted: NotRequired[bool]
    repeats: float


class Curve(TypedDict):
    """A figure over training steps: a loss, or closed-loop success with its intervals."""

    name: str
    metric: Literal["loss", "success"]
    group: str
    steps: list[int]
    values: list[float]
    ci95: NotRequired[list[Interval]]


class Fidelity(TypedDict):
    """Whether a world ranks policies as the reference does."""

    world: str
    reference: str
    policies: list[str]
    success: list[float]
    reference_success: list[float]
    pearson: float | None
    mmrv: float


class Skipped(TypedDict):
    """Something that was asked for and not done."""

    name: str
    reason: str


class Report(TypedDict):
    """report.json."""

    format: Format
    title: str
    wall_s: dict[str, float]
    peak_rss_gb: float
    real: Real
    experts: dict[str, dict[str, Expert]]
    worldmodel: WorldModelPart | None
    arms: list[Arm]
    choice: NotRequired[Choice]
    comparisons: list[Comparison]
    inference: NotRequired[InferencePart]
    mix: list[MixRow]
    curves: list[Curve]
    fidelity: NotRequired[list[Fidelity]]
    skipped: list[Skipped]
    warnings: list[str]
    command: NotRequired[str]
    created: NotRequired[str]
    machine: NotRequired[dict[str, str]]


def validate_report(raw: object) -> Report:
    """The same object as a Report.

    Raises:
        DataError: a key is missing, unknown or of another type, a number is not finite, a rate
            is outside [0, 1], or a comparison names an arm that is not there. It names up to
            five problems.
    """
    problems = list(problems_of(raw, Report, "report"))
    if not problems:
        problems = list(_contradictions(cast(Report, raw)))
    if problems:
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        raise DataError("; ".join(problems[:5]) + more, where="report.json")
    return cast(Report, raw)


def _contradictions(report: Report) -> Iterator[str]:
    names = [arm["name"] for arm in report["arms"]]
    if len(set(names)) < len(names):
        yield f"two arms have one name among {', '.join(names)}"
    if "total" not in report["wall_s"]:
        yield "report.wall_s.total is missing"
    for place, rate in _rates(report):
        if not -ROUNDING <= rate <= 1.0 + ROUNDING:
            yield f"{place} is {rate:g}, outside 0 to 1"
    for c in report["comparisons"]:
        for name in (c["a"], c["b"]):
            if name not in names:
                yield f"comparison names arm {name!r} (arms: {', '.join(names) or 'none'})"
        low, high = c["ci95"]
        shown = "better" if low > 0 else "worse" if high < 0 else "open"
        if c["verdict"] != ("open" if c["status"] == "exploratory" else shown):
            yield f"{c['a']} against {c['b']} is {c['verdict']}, which its interval does not say"
    if "inference" in report:
        said = len(report["inference"]["statements"])
        if said != len(report["comparisons"]):
            yield f"{said} statements of {len(report['comparisons'])} comparisons"
    if "choice" in report:
        choice = report["choice"]
        if choice["arm"] not in names:
            yield f"the choice is of arm {choice['arm']!r} (arms: {', '.join(names) or 'none'})"
        if choice["chosen"] not in (c["name"] for c in choice["candidates"]):
            yield f"the choice {choice['chosen']!r} is not one of its candidates"
    for curve in report["curves"]:
        if len(curve["steps"]) != len(curve["values"]):
            yield f"curve {curve['name']!r} has unequal steps and values"


def _rates(report: Report) -> Iterator[tuple[str, float]]:
    for arm in report["arms"]:
        for source, share in arm["shares"].items():
            yield f"share of {source} in {arm['name']}", share
        for loop in (arm["closed_loop"], *arm.get("also", [])):
            if loop is not None:
                yield f"success of {arm['name']}", loop["success"]
    for task, presets in report["experts"].items():
        for preset, expert in presets.items():
            yield f"expert success in {task}/{preset}", expert["success"]
