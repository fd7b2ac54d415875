"""A verb: a frozen dataclass of settings, and what is done with it, as a Hydra application."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from trimix.cli.overrides import own_folder, readable
from trimix.core import settings
from trimix.core.errors import EXIT_STATUS, ConfigError, TrimixError

CONF = Path(__file__).with_name("conf")


@dataclass(frozen=True)
class Verb:
    """What `trimix <name>` does.

    Args:
        name: as typed.
        config: frozen dataclass; its fields are what can be set.
        run: does it.
        bare: the setting that a first word without "=" stands for: `trimix bench plan`.
    """

    name: str
    config: type[Any]
    run: Callable[[Any], object]
    bare: str = ""


def call(verb: Verb, arguments: list[str]) -> int:
    """Run a verb with command-line arguments; returns the exit status.

    A user's mistake is printed as one line and gives 2.
    """
    # Hydra then raises errors instead of printing a traceback and exiting by itself.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    if verb.bare and arguments and re.match(r"[^=-][^=]*$", arguments[0]):
        arguments = [f"{verb.bare}={arguments[0]}", *arguments[1:]]
    # Overrides last: argparse takes those on one side of a flag only.
    arguments = sorted(map(readable, arguments), key=lambda a: "=" in a and not a.startswith("-"))
    ConfigStore.instance().store(name=f"{verb.name}_defaults", node=settings.schema(verb.config))
    before, sys.argv = sys.argv, [f"trimix {verb.name}", *arguments]
    if threading.current_thread() is threading.main_thread():
        # What a scheduler sends ends a run as Ctrl-C does: with its processes, and resumable.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    faults: list[TrimixError | OSError] = []

    def run(config: DictConfig) -> None:
        # Kept back from Hydra, which would print a second line about it.
        try:
            _run(verb, config, arguments)
        except (TrimixError, OSError) as fault:
            faults.append(fault)

    try:
        with TemporaryDirectory() as scratch:  # a sweep would leave its settings where it ran
            sys.argv.append(f"hydra.sweep.dir={scratch}")
            hydra.main(config_path=str(CONF), config_name=verb.name, version_base="1.3")(run)()
    except OmegaConfBaseException as fault:
        return _complain(str(settings.explain(fault, f"trimix {verb.name}")))
    except HydraException as fault:
        return _complain(str(_explain(verb, fault)))
    finally:
        sys.argv = before
    for mistake in faults:
        if isinstance(mistake, BrokenPipeError):
            raise mistake
        if isinstance(mistake, OSError):
            _complain(f"{mistake.filename or 'the system'}: {mistake.strerror or mistake}")
        else:
            _complain(str(mistake))
    return EXIT_STATUS if faults else 0


def _run(verb: Verb, config: DictConfig, arguments: list[str]) -> None:
    where = f"trimix {verb.name}"
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    given = {str(k): v for k, v in plain.items()}
    if isinstance(given.get("out"), str):
        given["out"] = own_folder(given["out"], arguments)
    verb.run(settings.build(verb.config, given, where))


def _explain(verb: Verb, fault: HydraException) -> ConfigError:
    """Hydra's complaint in one line, with the keys that exist where one does not."""
    text = str(fault).partition("\nConfig search path")[0].splitlines()
    cause = fault.__cause__
    if isinstance(cause, OmegaConfBaseException):
        return settings.explain(cause, f"trimix {verb.name}")
    known = ", ".join(map(str, settings.schema(verb.config)))
    do = f"available: {known}" if text[0].startswith("Could not override") else ""
    lines = len(text) if "Could not find" in text[0] else 1 if do else 2
    return ConfigError(" ".join(" ".join(text[:lines]).split()), do=do)


def _complain(line: str) -> int:
    print(f"trimix: {' '.join(line.split())}", file=sys.stderr)
    return EXIT_STATUS
