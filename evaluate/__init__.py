"""Which mix was worth it: frozen suites, closed loop, offline metrics, statistics, the report.

A run's evidence is made in this order: `suites` freezes the scenes, `closed_loop` runs every
policy on them in any World and gives an `evaluation` each, `offline` scores the same policies on
held-out recordings, `compare` pairs the outcomes (`statistics`), `fidelity` asks whether two
worlds rank policies alike, and `report` writes report.json (`schema`) and report.html (`plots`,
`clips`, `verdict`).
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """`trimix.evaluate(policies, world)`: once the room is imported, its name in the package is
    the room's, so the room itself can be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from importlib import import_module

        # By its name: what belongs to this room does not depend on all that is evaluated with.
        return import_module("trimix.evaluate.closed_loop").evaluate_policies(*args, **kwargs)


sys.modules[__name__].__class__ = _Room
