"""Tasks: one file and one line here each."""

from __future__ import annotations

from trimix.core.registry import Registry

TASKS = Registry(
    "task",
    {
        "banana_on_plate": "trimix.tasks.banana_on_plate:BananaOnPlate",
        "lift": "trimix.tasks.lift:Lift",
        "open_drawer": "trimix.tasks.open_drawer:OpenDrawer",
        "peg_insert": "trimix.tasks.peg_insert:PegInsert",
        "pick_place": "trimix.tasks.pick_place:PickPlace",
        "press_button": "trimix.tasks.press_button:PressButton",
        "push_t": "trimix.tasks.push_t:PushT",
        "push_to_zone": "trimix.tasks.push_to_zone:PushToZone",
        "put_in_drawer": "trimix.tasks.put_in_drawer:PutInDrawer",
        "reach": "trimix.tasks.reach:Reach",
        "sort_by_colour": "trimix.tasks.sort_by_colour:SortByColour",
        "stack_three": "trimix.tasks.stack_three:StackThree",
        "stack_two": "trimix.tasks.stack_two:StackTwo",
        "sweep": "trimix.tasks.sweep:Sweep",
    },
    needs=("compose", "start", "reward", "success", "expert", "axes"),
)
"""name -> class of a sim.task.Task; a user's own is "module:attribute"."""
