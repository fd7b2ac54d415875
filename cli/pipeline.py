"""trimix pipeline: real episodes, MuJoCo and a world model into mixes, policies and a report.

import (or stand-in) -> collect -> world model -> dream -> mixes -> policies -> evaluate -> report
"""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

from trimix.cli.pipeline_config import PipelineConfig
from trimix.cli.pipeline_stages import Run
from trimix.cli.report import summary
from trimix.cli.stage import Stages
from trimix.cli.verb import Verb
from trimix.evaluate.report import load_report


def pipeline(config: PipelineConfig, command: str = "") -> Path:
    """Run the main job; stages whose inputs did not change are not run again.

    Args:
        command: recorded in the report.

    Returns:
        The path of report.html.

    Raises:
        TrimixError: what a stage could not use; what was done stays.
    """
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {line}", flush=True)

    return Run(config, Stages(Path(config.out), say), command).all()


def _command(config: PipelineConfig) -> None:
    page = pipeline(config, shlex.join(["trimix", "pipeline", *sys.argv[1:]]))
    print(summary(load_report(page.parent)))
    print(f"\nreport: {page}")


VERB = Verb("pipeline", PipelineConfig, _command)
