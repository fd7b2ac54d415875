"""Tasks: one file and one line here each."""

from __future__ import annotations

from trimix.core.registry import Registry

TASKS = Registry(
    "task",
    {
        "banana_on_plate": "trimix.tasks.banana_on_plate:BananaOnPlate",
        "pick_place": "trimix.tasks.pick_place:PickPlace",
        "push_t": "trimix.tasks.push_t:PushT",
    },
    needs=("compose", "start", "reward", "success", "expert", "axes"),
)
"""name -> class of a sim.task.Task; a user's own is "module:attribute"."""
