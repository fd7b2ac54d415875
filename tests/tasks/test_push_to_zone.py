"""push_to_zone: all of the block in the zone, alone and let go; a rest on a bouncy table is one."""

import numpy as np
import pytest

from trimix.randomization.distributions import Constant
from trimix.randomization.vary import Randomizer, Vary
from trimix.sim.contacts import TABLE
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks.detour import detour
from trimix.tasks.push_to_zone import HALF, MARGIN, OBJECTS, PushToZone
from trimix.tasks.tabletop import CUBE

ZONE = np.array([0.05, 0.10])
LOW = CUBE - 0.0003  # contacts give a little


@pytest.fixture
def stage(staged):
    """Red is to go into the yellow zone; everything is far from it."""
    stage = staged("push_to_zone", object="red", into="yellow")
    for name, y in (("red", -0.15), ("green", -0.05), ("blue", 0.0)):
        stage.put(name, (-0.10, y, LOW))
    for name, y in (("white", -0.02), ("purple", -0.16)):
        stage.put(name, (0.05, y, 0.0))
    return stage.put("yellow", (*ZONE, 0.0))


def _at(x, y):
    return (ZONE[0] + x, ZONE[1] + y, LOW)


@pytest.mark.parametrize(("part", "good"), [(0.9, True), (1.1, False)])
@pytest.mark.parametrize("way", [(1, 0), (0, -1), (-1, 1)])
def test_all_of_the_block_must_be_in(stage, part, good, way):
    out = part * (HALF - MARGIN) * np.array(way)
    assert not stage.solved
    assert stage.put("red", _at(*out), 0.3).solved == good
    assert stage.run(0.5).solved == good


def test_another_block_in_the_zone_spoils_it(stage):
    stage.put("red", _at(-0.02, 0.0))
    assert stage.put("blue", _at(0.045, 0.0)).solved is False
    assert stage.put("blue", _at(0.08, 0.0)).solved


def test_another_block_or_another_zone_is_refused(stage):
    assert not stage.put("green", _at(0.0, 0.0)).solved
    stage.put("green", (-0.10, -0.05, LOW))
    assert not stage.put("red", (0.05, -0.02, LOW)).solved


def test_a_block_that_moves_lies_on_another_or_is_gripped_is_refused(stage):
    assert not stage.put("red", _at(0, 0)).move("red", (0.05, 0, 0)).solved
    stage.put("green", _at(0, 0)).put("red", (ZONE[0], ZONE[1], 3 * CUBE))
    assert not stage.solved
    stage.put("green", (-0.10, -0.05, LOW)).put("red", _at(0, 0))
    assert not stage.tool((*ZONE, CUBE), gap_m=2 * CUBE - 0.001).solved


def test_what_rests_on_a_bouncy_table_does_not_buzz():
    bouncy = Randomizer(
        [
            Vary("geom/table/restitution", "set", Constant(0.35)),
            Vary("geom/table/softness", "scale", Constant(1.6)),
        ],
        "bouncy",
    )
    config = MujocoConfig(draw_images=False)
    world = MujocoWorld(PushToZone(), 1, config=config, randomization=bouncy)
    world.reset(seed=3)
    physics, rest = world.physics, []
    for _ in range(30):
        physics.step([0], np.repeat(np.array(physics.ctrl[:1])[:, None], 20, axis=1))
        rest.append([physics.resting(c)[0] and physics.touching(c, TABLE)[0] for c in OBJECTS])
    world.close()
    assert np.all(rest[15:])


def test_a_detour_leads_on():
    centers, radii = np.array([[0.0, 0.0]]), np.array([0.05])
    start, goal = np.array([-0.1, 0.001]), np.array([0.1, 0.0])
    at, length = start, 0.0
    for _ in range(6):
        corner = detour(at, goal, centers, radii)
        step = float(np.linalg.norm(corner - at))
        assert step > 1e-6
        at, length = corner, length + step
        if np.allclose(at, goal):
            break
    assert np.allclose(at, goal) and 0.2 < length < 0.26
