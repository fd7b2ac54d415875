"""Gymnasium spaces of a policy interface."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from trimix.core.contracts import PolicyInterface


class Instruction(gym.spaces.Text):
    """A sentence in any script: what a person may tell a robot is not spelt in ASCII alone."""

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and self.min_length <= len(x) <= self.max_length


def observation_space(interface: PolicyInterface) -> gym.spaces.Dict:
    """One row's observation: images, state and instruction as in contracts.Obs."""
    return gym.spaces.Dict(
        {
            "images": gym.spaces.Dict(
                {
                    name: gym.spaces.Box(0, 255, (h, w, 3), np.uint8)
                    for name, (h, w) in interface.cameras.items()
                }
            ),
            "state": gym.spaces.Box(-np.inf, np.inf, (len(interface.state),), np.float32),
            "instruction": Instruction(1000, min_length=0),
        }
    )
