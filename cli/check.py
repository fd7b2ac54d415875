"""trimix check: hold a task, on any robot, against the laws that ours keep to."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.cli.verb import Verb
from trimix.core.errors import ConfigError
from trimix.tasks.laws import broken


@dataclass(frozen=True)
class CheckSettings:
    """What to check.

    Args:
        task: registered, or "module:class" of your own.
        robot: registered, "module:attribute" or a YAML file; empty for the task's own.
    """

    task: str = "???"
    robot: str = ""


def _command(settings: CheckSettings) -> None:
    count = 0
    for law, wrong in broken(settings.task, settings.robot):
        print(f"{law.replace('_', ' '):<44}{wrong or 'holds'}", flush=True)
        count += bool(wrong)
    if count:
        raise ConfigError(f"{count} laws are broken", where=settings.task, do="see the lines above")


VERB = Verb("check", CheckSettings, _command)
