"""The command line: trimix <verb> key=value ..."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from trimix import __version__
from trimix.core.errors import EXIT_STATUS, ConfigError
from trimix.core.registry import Registry

# Hydra and the rooms are imported when a verb is called: help is there at once.
_TABLE = {
    "import": ("import_data", "bring in a LeRobot data set (v2.x or v3.0) of any robot"),
    "collect": ("collect", "make episodes in MuJoCo or in a world model's dreams"),
    "train": ("train", "train a policy on a mix, or a world model"),
    "mix": ("mix", "compile a recipe of sources and shares into a lock"),
    "evaluate": ("evaluate", "run policies in closed loop over paired scenes"),
    "pipeline": ("pipeline", "the main job: from episodes to a report on which mix won"),
    "report": ("report", "say what a run found"),
    "view": ("view", "write a recording of episodes for the rerun viewer"),
    "verify": ("verify", "replay sim episodes from their provenance"),
    "check": ("check", "hold a task of your own against the laws that ours keep to"),
    "randomization": ("randomization", "the axes of randomization, and what each does"),
    "store": ("store", "what is kept of results, why, and what can go"),
    "bench": ("bench", "measure trimix beside ceilings and baselines"),
    "doctor": ("doctor", "look at this machine, or check a data set"),
}
"""verb -> (module of trimix.cli that holds its VERB, one line about it)."""

VERBS = Registry("verb", {name: f"trimix.cli.{file}:VERB" for name, (file, _) in _TABLE.items()})


_READER_GONE = 141
"""What a shell gives for a program that wrote to a pipe which nobody reads any more."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 130 after an interrupt."""
    try:
        status = _main(arguments)
        print(end="", flush=True)  # here, where a reader that is gone is no fault
    except BrokenPipeError:
        # As with `| head`: no fault worth a line. What is still in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _READER_GONE
    except KeyboardInterrupt:  # also while a verb's libraries are imported
        print("\ninterrupted; run the same command again to go on", file=sys.stderr)
        return 130
    return status


def _main(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help", "help"):
        print(_usage())
        return 0
    if given[0] in ("-V", "--version"):
        print(f"trimix {__version__}")
        return 0
    try:
        VERBS.where(given[0])
    except ConfigError as error:
        print(f"trimix: {error}", file=sys.stderr)
        return EXIT_STATUS
    from trimix.cli.verb import call

    # A task of one's own, module:class, lies where one stands; last on the path it hides nothing.
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    return call(VERBS[given[0]], given[1:])


def _usage() -> str:
    lines = ["trimix <verb> key=value ...", ""]
    lines += [f"  {name:<15}{summary}" for name, (_, summary) in _TABLE.items()]
    return "\n".join([*lines, "", "trimix <verb> --cfg job shows what a verb's settings are."])


if __name__ == "__main__":
    sys.exit(main())
