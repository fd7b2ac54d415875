"""A policy of one's own, outside of trimix: it looks for its goal by circling ever wider.

    cd examples/own_policy
    trimix evaluate task=push_t policies.mine=spiral:make policies.chance=random scenes=20

trimix finds `make` by its name, module:function. What a policy must have is core.contracts.Policy:
any object with `interface`, `reset` and `act` will do, whatever it computes with. Axes: N rows,
A action channels.
"""

from __future__ import annotations

import numpy as np

from trimix.core.contracts import F32, I64, BoolArray, Obs, PolicyInterface
from trimix.policy.make import PolicyParts

TURN_S, WIDEN_PER_S = 4.0, 0.1


class Spiral:
    """Circles with its first two joints, wider with time; a new direction for every seed.

    Args:
        interface: what it sees and gives; made for two joint velocities.
    """

    def __init__(self, interface: PolicyInterface) -> None:
        self.interface = interface
        self._fastest = np.array([1.0 if c.high is None else c.high for c in interface.action[:2]])
        self._time_s = np.zeros(0)
        self._phase = np.zeros(0)

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Forget these rows; what is random about a row follows from its seed alone."""
        if len(self._time_s) != len(rows):
            self._time_s, self._phase = np.zeros(len(rows)), np.zeros(len(rows))
        self._time_s[rows] = 0.0
        self._phase[rows] = np.radians(seeds[rows] % 360)

    def act(self, obs: Obs) -> F32:
        """(N, A) rad/s or m/s. A learned policy looks at obs["images"]; this one at the clock."""
        angle = self._phase + 2 * np.pi * self._time_s / TURN_S
        share = np.minimum(0.1 + WIDEN_PER_S * self._time_s, 0.9)
        out = np.zeros((len(angle), len(self.interface.action)), np.float32)
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)[:, : len(self._fastest)]
        out[:, : len(self._fastest)] = share[:, None] * circle * self._fastest
        self._time_s = self._time_s + self.interface.control_dt_s
        return out


def make(interface: PolicyInterface, parts: PolicyParts) -> Spiral:
    """What trimix calls: the interface of the world, and what policies are made of.

    With `policies.mine=spiral:make:<data set>`, parts holds its statistics and its actions too.
    """
    del parts
    return Spiral(interface)
