"""The same evaluation in a world model as in MuJoCo."""

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from toy_point import PointPolicySpec

from trimix.core.contracts import Channel, Parent, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.data.writing.writer import DatasetWriter
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate
from trimix.evaluate.fidelity import agreement
from trimix.evaluate.suites import make_suite
from trimix.rollout.dream import DreamSpec
from trimix.worldmodel.codec import build_codec
from trimix.worldmodel.heads import Heads
from trimix.worldmodel.motion import MotionModel
from trimix.worldmodel.normalizer import Normalizer
from trimix.worldmodel.pipeline import WorldModelPipeline
from trimix.worldmodel.refiner import Refiner
from trimix.worldmodel.trust import Trust

INTERFACE = PolicyInterface(
    {"front": (16, 16)}, (Channel("x"),), (Channel("dx", low=-1, high=1),), "joint_velocity", 0.1
)
LENGTH = 12
ELSEWHERE = {
    "dataset": "elsewhere",
    "part": "dynamics",
    "episodes": [0],
    "fingerprints": [["0" * 48]],
    "models": [],
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    with DatasetWriter(tmp_path_factory.mktemp("dream") / "data", INTERFACE) as writer:
        for e in range(3):
            rng = stream(0, e, "toy dream")
            writer.add(
                e,
                Episode(
                    INTERFACE,
                    "go",
                    {"front": rng.integers(0, 255, (LENGTH, 16, 16, 3)).astype(np.uint8)},
                    rng.normal(size=(LENGTH, 1)).astype(np.float32),
                    rng.normal(size=(LENGTH, 1)).astype(np.float32),
                    Provenance("sim", split="heldout" if e == 2 else "train"),
                ),
            )
        return writer.finalize()


def _save(path, labelled):
    """An untrained world model."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        normalizer = Normalizer(1, 1)
        heads = Heads(1, normalizer.width, 8)
        heads.labels.copy_(torch.tensor((labelled, labelled)))
        pipeline = WorldModelPipeline(
            build_codec(8, 4, 4),
            MotionModel(1, normalizer.width, channels=(16, 32), features=4),
            Refiner(1, 4, normalizer.width, channels=(16, 32)),
            heads,
            Trust(normalizer.width, 8),
            normalizer,
            FlowMatchEulerDiscreteScheduler(),
            {"interface": INTERFACE.to_json(), "training": [ELSEWHERE], "sampler_steps": 1},
        )
        pipeline.save_pretrained(path)


def _job(tmp_path, dataset, gain, *, labelled=True, abstain_below=0.0):
    path = tmp_path / f"model {labelled}"
    if not path.exists():
        _save(path, labelled)

    def parent_for(seed, episode):
        frame = int(stream(seed, episode, "parent").integers(LENGTH - 2))
        return Parent(dataset.content_hash, 2, frame, "heldout")

    world = DreamSpec(
        worldmodel=str(path),
        datasets=(str(dataset.root),),
        split="heldout",
        seconds=0.4,
        abstain_below=abstain_below,
        cache_dir=str(tmp_path / "cache"),
    )
    suite = make_suite("point", "dream", 5, 0, "choose", parent_for=parent_for)
    return Job(f"gain {gain}", 0, world, PointPolicySpec(gain, 0.1), suite)


def test_a_suite_of_held_out_frames_is_dreamed(tmp_path, dataset):
    jobs = [_job(tmp_path, dataset, gain) for gain in (0.1, 0.9)]
    evaluations = evaluate(jobs, ClosedLoopConfig(rows=5, film=True))
    assert [e.outcomes for e in evaluate(jobs, ClosedLoopConfig(rows=5))] == [
        e.outcomes for e in evaluations
    ]
    for evaluation in evaluations:
        assert all(1 <= o.steps <= 4 and 0 <= o.trust <= 1 for o in evaluation.outcomes)
        for scene, clip in evaluation.clips.items():
            assert (clip.provenance.origin, clip.provenance.split) == ("dream", "heldout")
            assert clip.provenance.parent == jobs[0].suite.scenes[scene].parent
        assert evaluation.clips
    assert agreement(evaluations, evaluations)["mmrv"] == 0


def test_a_dream_without_trust_is_counted_as_abstained(tmp_path, dataset):
    job = _job(tmp_path, dataset, 0.5, abstain_below=1.0)
    (evaluation,) = evaluate([job], ClosedLoopConfig(rows=5))
    assert all(o.abstained and not o.success for o in evaluation.outcomes)


def test_a_model_that_never_saw_success_cannot_judge(tmp_path, dataset):
    with pytest.raises(ConfigError, match="dream world cannot tell success"):
        evaluate([_job(tmp_path, dataset, 0.5, labelled=False)])
