"""Saving, loading, sampling steps, and the measure against repeating the last frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.configuration_utils import FrozenDict

from trimix.core.errors import ConfigError, DataError, MissingError
from trimix.data.dataset import Dataset
from trimix.worldmodel.clips import Clips
from trimix.worldmodel.metrics import evaluate_worldmodel
from trimix.worldmodel.pipeline import WorldModelPipeline


@pytest.fixture
def clip(labelled: Dataset, cache_dir: Path):
    clips = Clips(labelled, cache_dir=cache_dir)
    return clips.gather(clips.starts(2)[:3], 2)


def test_a_saved_pipeline_predicts_the_same(
    pipeline: WorldModelPipeline, clip, tmp_path: Path
) -> None:
    pipeline.save_pretrained(tmp_path)
    loaded = WorldModelPipeline.load(tmp_path)
    assert not list(tmp_path.rglob("*.bin"))
    assert loaded.weights_hash() == pipeline.weights_hash()
    assert loaded.interface == pipeline.interface
    noise = torch.randn(3, *pipeline.noise_shape())
    ours = pipeline(clip.belief(), clip.action[:, 0], noise, 2)
    theirs = loaded(clip.belief(), clip.action[:, 0], noise, 2)
    torch.testing.assert_close(ours.belief.last, theirs.belief.last, rtol=0, atol=0)
    torch.testing.assert_close(ours.trust, theirs.trust, rtol=0, atol=0)


def test_the_hash_is_of_every_weight(pipeline: WorldModelPipeline) -> None:
    before = pipeline.weights_hash()
    for part in pipeline.parts.values():
        tensor = next(t for t in part.state_dict().values() if t.is_floating_point() and t.numel())
        kept = tensor.clone()
        tensor.add_(1)
        assert pipeline.weights_hash() != before
        tensor.copy_(kept)
    assert pipeline.weights_hash() == before


@pytest.mark.parametrize("part", ["scheduler", "codec", "motion", "refiner", "heads", "trust"])
def test_the_hash_is_of_every_setting(pipeline: WorldModelPipeline, part: str) -> None:
    """The cheat: dreams of one threshold taken for those of another, whose weights are equal."""
    before = pipeline.weights_hash()
    config = getattr(pipeline, part).config
    name = next(k for k, v in config.items() if isinstance(v, (int, float)) and k[0] != "_")
    changed = {**config, name: config[name] + 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(getattr(pipeline, part), "_internal_dict", FrozenDict(changed))
        assert pipeline.weights_hash() != before
    assert pipeline.weights_hash() == before


def test_a_missing_and_a_broken_pipeline_are_errors(
    pipeline: WorldModelPipeline, tmp_path: Path
) -> None:
    with pytest.raises(MissingError, match="no world model"):
        WorldModelPipeline.load(tmp_path / "nowhere")
    pipeline.save_pretrained(tmp_path)
    weights = next((tmp_path / "motion").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(DataError, match="cannot be read"):
        WorldModelPipeline.load(tmp_path)


def test_zero_steps_need_no_noise_and_more_steps_depend_on_it(
    pipeline: WorldModelPipeline, clip
) -> None:
    def run(seed: int, steps: int) -> torch.Tensor:
        noise = torch.randn(
            3, *pipeline.noise_shape(), generator=torch.Generator().manual_seed(seed)
        )
        return pipeline(clip.belief(), clip.action[:, 0], noise, steps).belief.last

    assert torch.equal(run(0, 0), run(1, 0))
    assert not torch.equal(run(0, 3), run(1, 3))
    with pytest.raises(ConfigError, match="sampler_steps"):
        pipeline(clip.belief(), clip.action[:, 0], None, -1)


def test_copy_last_is_measured_as_its_definition_says(
    pipeline: WorldModelPipeline, labelled: Dataset, cache_dir: Path
) -> None:
    found = evaluate_worldmodel(
        pipeline, labelled, steps=(1, 3), n_starts=1000, cache_dir=cache_dir
    )
    episode = labelled.read_episode(3)  # the held-out one
    stacked = np.concatenate([episode.images[c] for c in sorted(episode.images)], -1).astype(float)
    count = len(episode) - 3
    assert found["n"] == count and found["episodes"] == 1
    for k in (1, 3):
        error = ((stacked[k : k + count] - stacked[:count]) ** 2).mean((1, 2, 3))
        expected = (10 * np.log10(255**2 / error)).mean()
        assert found["copy_last"][str(k)] == pytest.approx(expected, abs=1e-3)
        assert np.isfinite(found["psnr"][str(k)])


def test_measuring_what_is_not_there_is_an_error(
    pipeline: WorldModelPipeline, labelled: Dataset, cache_dir: Path
) -> None:
    with pytest.raises(DataError, match="no episode of split"):
        evaluate_worldmodel(pipeline, labelled, split="x", cache_dir=cache_dir)
    with pytest.raises(DataError, match="no episode has"):
        evaluate_worldmodel(pipeline, labelled, steps=(500,), cache_dir=cache_dir)
    with pytest.raises(ConfigError, match="steps"):
        evaluate_worldmodel(pipeline, labelled, steps=(0,), cache_dir=cache_dir)
