"""The training loop that every model here shares.

What a run computes depends on its configuration alone: `loss(step)` is a pure function of the
step, the learning rate is one too, and torch's own generator (dropout) is keyed by the step. So a
run that was stopped anywhere and resumed ends with the weights of one that was not.
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn
from tqdm import tqdm

from trimix.core.errors import ConfigError, TrimixError
from trimix.core.seeds import seed63
from trimix.data.files import require_own_folder, storage_errors
from trimix.train import checkpoint as checkpoints
from trimix.train.device import autocast, pick_device, set_threads

LOG = "log.jsonl"
Loss = Callable[[int], tuple[Tensor, dict[str, float]]]


class Account(Protocol):
    """What a run keeps beside its weights: saved in every checkpoint, taken up with it."""

    def state(self) -> dict[str, Any]:
        """All of it, as JSON."""

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Take up what `state` gave; None if the checkpoint has none."""


@dataclass(frozen=True)
class LoopConfig:
    """How a model is trained.

    Args:
        steps: optimizer steps in all.
        learning_rate: the peak, reached after the warm-up; a cosine then takes it to a tenth.
        weight_decay: AdamW's, on matrices and kernels only.
        warmup_steps: steps over which the rate rises linearly.
        grad_clip: largest norm of the gradient.
        ema_decay: of the moving average of the weights that is the run's result.
        seed: keys torch's generator at every step.
        device: auto, cpu, cuda, cuda:<index> or mps.
        precision: auto, fp32 or bf16; auto is bf16 where the device has it.
        threads: CPU threads of torch; None leaves them.
        checkpoint_every: steps between checkpoints.
    """

    steps: int = 2000
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup_steps: int = 100
    grad_clip: float = 1.0
    ema_decay: float = 0.995
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    checkpoint_every: int = 500

    def __post_init__(self) -> None:
        for name in ("steps", "learning_rate", "grad_clip", "checkpoint_every"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="give more than 0")
        if not 0 <= self.ema_decay < 1:
            raise ConfigError(f"ema_decay is {self.ema_decay}", do="give 0 <= ema_decay < 1")
        if self.warmup_steps < 0 or self.weight_decay < 0:
            raise ConfigError("warmup_steps and weight_decay cannot be negative")

    def identity(self) -> dict[str, Any]:
        """The settings that the trained weights depend on, as JSON."""
        return {k: v for k, v in asdict(self).items() if k not in _BY_MACHINE}


_BY_MACHINE = ("device", "precision", "threads", "checkpoint_every")


@dataclass(frozen=True)
class FitResult:
    """What a training run did.

    Args:
        steps: optimizer steps taken in all, resumed ones included.
        seconds: wall clock of them.
        history: one entry a step: {"step", "loss", "learning_rate", "seconds", ...metrics}.
    """

    steps: int
    seconds: float
    history: list[dict[str, float]] = field(default_factory=list)


class TrainingError(TrimixError):
    """A training run that cannot go on."""


def learning_rate(step: int, config: LoopConfig) -> float:
    """Linear warm-up, then a cosine to a tenth of the peak at the last step."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    span = max(1, config.steps - config.warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, (step - config.warmup_steps) / span)))
    return config.learning_rate * (0.1 + 0.9 * cosine)


def fit(
    model: nn.Module,
    loss: Loss,
    config: LoopConfig,
    run_dir: Path,
    *,
    progress: bool | None = None,
    fingerprint: str = "",
    label: str = "train",
    account: Account | None = None,
) -> FitResult:
    """Train the model, going on from run_dir if a run was stopped there.

    Args:
        model: trained in place; it holds the moving average of its weights on return, in eval
            mode, on the run's device. Buffers are not averaged.
        loss: step -> (loss, metrics to log), a pure function of the step. It may use torch's
            default generator, which is seeded before every call.
        config: see LoopConfig.
        run_dir: holds checkpoint.safetensors and log.jsonl.
        progress: show a bar with rate and ETA; None shows it on a terminal only.
        fingerprint: names all else that the weights depend on (data, architecture); a run
            started with another one does not resume.
        label: the bar's title.
        account: kept in step with the weights, however the run is stopped and resumed.

    Raises:
        ConfigError: run_dir holds a run with other settings, or of another model.
        TrainingError: the loss or its gradient is not finite.
        TrimixError: run_dir cannot be written, or its checkpoint cannot be read.
        KeyboardInterrupt: Ctrl-C or SIGTERM, after the step under way was finished and saved.
    """
    set_threads(config.threads)
    device = pick_device(config.device)
    model.to(device)
    run_dir = Path(run_dir)
    require_own_folder(run_dir, LOG, checkpoints.NAME)
    with storage_errors(run_dir):
        run = _Run(model, config, run_dir, fingerprint, account)
        run.resume()
    model.train()
    bar = tqdm(
        total=config.steps,
        initial=run.step,
        desc=label,
        unit="step",
        disable=None if progress is None else not progress,
    )
    with (
        bar,
        _interrupts() as interrupted,
        storage_errors(run_dir),
        run.log.open("a", encoding="utf-8") as log,
    ):
        begun = time.perf_counter() - run.seconds
        while run.step < config.steps:
            entry = run.advance(loss, device)
            run.seconds = time.perf_counter() - begun
            entry["seconds"] = round(run.seconds, 3)
            log.write(json.dumps(entry) + "\n")
            run.history.append(entry)
            bar.update()
            if run.step % 10 == 0:
                bar.set_postfix(loss=f"{entry['loss']:.4f}", refresh=False)
            stop = bool(interrupted)
            if stop or run.step % config.checkpoint_every == 0 or run.step == config.steps:
                log.flush()
                run.save()
            if stop:
                raise KeyboardInterrupt
    run.ema.copy_to(run.weights)
    model.eval()
    return FitResult(run.step, run.seconds, run.history)


class _Run:
    """The state of one training run and its place on disk."""

    def __init__(
        self,
        model: nn.Module,
        config: LoopConfig,
        run_dir: Path,
        fingerprint: str,
        account: Account | None,
    ):
        self.config, self.fingerprint, self.account = config, fingerprint, account
        self.path, self.log = run_dir / checkpoints.NAME, run_dir / LOG
        try:
            run_dir.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise ConfigError(
                "a file is in the way of the run directory", where=str(run_dir), do="name another"
            ) from error
        named = {k: p for k, p in model.named_parameters() if p.requires_grad}
        self.names, self.weights = list(named), list(named.values())
        self.buffers = dict(model.named_buffers())
        groups = [
            {
                "params": [p for p in self.weights if p.ndim >= 2],
                "weight_decay": config.weight_decay,
            },
            {"params": [p for p in self.weights if p.ndim < 2], "weight_decay": 0.0},
        ]
        groups = [g for g in groups if g["params"]]
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
        self.ema = EMAModel(self.weights, decay=config.ema_decay, foreach=True)
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []

    def advance(self, loss: Loss, device: torch.device) -> dict[str, float]:
        """One optimizer step; gives its log entry."""
        rate = learning_rate(self.step, self.config)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed63(self.config.seed, self.step, "fit"))
            with autocast(device, self.config.precision):
                value, metrics = loss(self.step)
            value.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.weights, self.config.grad_clip)
        shown, grad_norm = float(value.detach()), float(norm)
        if not (math.isfinite(shown) and math.isfinite(grad_norm)):
            raise TrainingError(
                f"step {self.step}: the loss is {shown:g}, its gradient's norm {grad_norm:g}",
                where=str(self.log.parent),
                do="lower learning_rate or grad_clip, and look for values far out in the data; "
                "the last checkpoint before this step is kept",
            )
        self.optimizer.step()
        self.ema.step(self.weights)
        self.step += 1
        return {"step": self.step, "loss": shown, "learning_rate": rate, **metrics}

    def save(self) -> None:
        tensors = {f"buffer/{k}": v for k, v in self.buffers.items()}
        for name, weight, average in zip(
            self.names, self.weights, self.ema.shadow_params, strict=True
        ):
            tensors[f"weight/{name}"] = weight
            tensors[f"ema/{name}"] = average
            for key, value in self.optimizer.state.get(weight, {}).items():
                tensors[f"adamw.{key}/{name}"] = value
        scalars: dict[str, Any] = {
            "step": self.step,
            "seconds": self.seconds,
            "config": self.config.identity(),
            "fingerprint": self.fingerprint,
        }
        if self.account is not None:
            scalars["account"] = self.account.state()
        checkpoints.save(self.path, checkpoints.Checkpoint(tensors, scalars))

    def resume(self) -> None:
        """Take up the checkpoint if there is one, and cut the log back to it."""
        saved = checkpoints.load(self.path)
        if saved is not None:
            scalars: dict[str, Any] = dict(saved.scalars)
            self._require_same(scalars, set(saved.tensors))
            if self.account is not None:
                self.account.restore(scalars.get("account"))
            self.step, self.seconds = int(scalars["step"]), float(scalars["seconds"])
            self.ema.optimization_step = self.step
            with torch.no_grad():
                for name, weight, average in zip(
                    self.names, self.weights, self.ema.shadow_params, strict=True
                ):
                    weight.copy_(saved.tensors[f"weight/{name}"])
                    average.copy_(saved.tensors[f"ema/{name}"])
                    self.optimizer.state[weight] = {
                        key: saved.tensors[f"adamw.{key}/{name}"].to(weight.device)
                        for key in ("step", "exp_avg", "exp_avg_sq")
                        if f"adamw.{key}/{name}" in saved.tensors
                    }
                for name, buffer in self.buffers.items():
                    buffer.copy_(saved.tensors[f"buffer/{name}"])
        self.history = [e for e in _read_log(self.log) if e["step"] <= self.step]
        partial = self.log.with_name(self.log.name + ".tmp")
        partial.write_text("".join(json.dumps(e) + "\n" for e in self.history), encoding="utf-8")
        partial.replace(self.log)

    def _require_same(self, scalars: dict[str, Any], tensors: set[str]) -> None:
        advice = "give another run directory, or delete this one"
        ours, theirs = self.config.identity(), scalars["config"]
        for key in sorted(ours.keys() | theirs.keys()):
            if ours.get(key) != theirs.get(key):
                raise ConfigError(
                    f"the run there has {key}={theirs.get(key)}, asked for {ours.get(key)}",
                    where=str(self.path),
                    do=advice,
                )
        if scalars["fingerprint"] != self.fingerprint:
            raise ConfigError(
                "the run there was of other data or another model", where=str(self.path), do=advice
            )
        wanted = {f"weight/{n}" for n in self.names} | {f"buffer/{n}" for n in self.buffers}
        held = {n for n in tensors if n.startswith(("weight/", "buffer/"))}
        if wanted != held:
            raise ConfigError(
                f"the run there has other weights ({min(wanted ^ held)!r} is in one of the two)",
                where=str(self.path),
                do=advice,
            )


def _read_log(path: Path) -> list[dict[str, float]]:
    """The whole lines of the log; a line torn by a crash ends it."""
    entries: list[dict[str, float]] = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                break
    return entries


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM instead of ending in mid-step; a second one ends at once."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught  # only the main thread may handle signals
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # In the background of a script Ctrl-C is ignored, and stays so.
    stops = [number for number, handler in before.items() if handler is not signal.SIG_IGN]

    def note(number: int, _frame: object) -> None:
        caught.append(number)
        for again in stops:
            signal.signal(again, signal.default_int_handler)

    for number in stops:
        signal.signal(number, note)
    try:
        yield caught
    finally:
        for number in stops:
            signal.signal(number, before[number])
