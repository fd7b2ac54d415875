"""What no world can have, refused before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence

from trimix.core.errors import ConfigError

MAX_SIDE = 4096
MAX_DT_S = 10.0


def require_view(image_hw: Sequence[int], control_dt_s: float = MAX_DT_S) -> None:
    """Raise ConfigError for pictures or a control period that cannot be.

    Args:
        image_hw: height and width of a camera's picture, in px.
        control_dt_s: period of the controller, in seconds.
    """
    if len(image_hw) != 2 or not all(0 < side <= MAX_SIDE for side in image_hw):
        raise ConfigError(
            f"image_hw is {list(image_hw)}", do=f"give height and width, 1 to {MAX_SIDE} px each"
        )
    if not 0 < control_dt_s <= MAX_DT_S:
        raise ConfigError(f"control_dt_s is {control_dt_s:g}", do=f"above 0, to {MAX_DT_S:g} s")
