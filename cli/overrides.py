"""Overrides as people type them: names that Hydra's grammar lacks, and a folder for every point."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode

_NAME = re.compile(r"[A-Za-z_][\w\-/@:]*")
"""What Hydra reads as a part of a key."""


def readable(argument: str) -> str:
    """The override as Hydra can read it: arms.real+sim.sim=1 becomes arms={real+sim: {sim: 1}}.

    The two mean the same: Hydra merges a mapping into the one that is there. A sweep over values
    becomes one over mappings.
    """
    found = re.fullmatch(r"(\+{0,2})([^=\s~+-][^=]*)=(.*)", argument, re.DOTALL)
    if found is None:
        return argument
    prefix, key, value = found.groups()
    names = key.split(".")
    first = next((i for i, name in enumerate(names) if not _NAME.fullmatch(name)), 0)
    if first == 0:
        return argument
    opening = "".join(f"{{{name}: " for name in names[first:])
    closing = "}" * (len(names) - first)
    points = ",".join(f"{opening}{choice}{closing}" for choice in _choices(value))
    return f"{prefix}{'.'.join(names[:first])}={points}"


def _choices(value: str) -> list[str]:
    try:
        override = OverridesParser.create().parse_override(f"value={value}")
    except HydraException:
        return [value]  # Hydra will say what is wrong with it
    return list(override.sweep_string_iterator()) if override.is_sweep_override() else [value]


def own_folder(out: str, arguments: Sequence[str]) -> str:
    """Where this point of a sweep writes: below `out`, or beside it if that is a file.

    Args:
        out: where all points would.
        arguments: of the command line, readable.
    """
    hydra = HydraConfig.get()
    if hydra.mode is not RunMode.MULTIRUN:
        return out
    parser = OverridesParser.create()
    given = parser.parse_overrides([a for a in arguments if not a.startswith("-")])
    swept = {override.key_or_group for override in given if override.is_sweep_override()}
    point = ",".join(o for o in hydra.overrides.task if o.partition("=")[0] in swept)
    name = re.sub(r"[^\w.,+=-]+", "_", point).replace("=_", "=").strip("_")
    if "out" in swept or not name or not out:
        return out
    path = Path(out)
    return str(path.with_stem(f"{path.stem}-{name}") if path.suffix else path / name)
