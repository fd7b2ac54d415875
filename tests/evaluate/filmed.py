"""Small episodes with pictures, whose grey says which episode and which frame they are."""

import numpy as np

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.data.writing.writer import DatasetWriter

INTERFACE = PolicyInterface(
    {"wrist": (16, 24), "front": (16, 16)},
    (Channel("joint_0", "rad"), Channel("joint_1", "rad")),
    (Channel("velocity", "rad/s"), Channel("gripper")),
    "joint_velocity",
    0.1,
)


def episode(
    number, t=6, *, origin="sim", success=None, abstained=False, trust=None, interface=INTERFACE
):
    """T rows; a picture's grey is 20 times its number, plus the frame's."""
    grey = (20 * number + np.arange(t)).astype(np.uint8)[:, None, None, None]
    return Episode(
        interface=interface,
        instruction="push",
        images={
            c: np.broadcast_to(grey, (t, h, w, 3)).copy() for c, (h, w) in interface.cameras.items()
        },
        state=np.full((t, 2), number, np.float32),
        action=np.stack([np.arange(t), np.arange(t) % 2], 1).astype(np.float32),
        provenance=Provenance(origin, success=success, abstained=abstained),
        reward=np.linspace(0, 1, t).astype(np.float32),
        success=np.arange(t) == t - 1,
        done=np.arange(t) == t - 1,
        trust=None if trust is None else np.full(t, trust, np.float32),
    )


def dataset(root, episodes):
    """Write them in order; the open data set."""
    with DatasetWriter(root, episodes[0].interface, robot_type="arm") as writer:
        for index, each in enumerate(episodes):
            writer.add(index, each)
        return writer.finalize()
