"""The world model as one diffusers pipeline: a belief and an action give the next belief.

Axes: B samples, C cameras, H x W pixels, D state channels, A action channels, L latent channels,
h x w latent cells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypedDict

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from diffusers.utils import logging
from safetensors import SafetensorError
from torch import Tensor

from trimix.core.contracts import PolicyInterface
from trimix.core.episode import Fingerprint
from trimix.core.errors import ConfigError, DataError, InterfaceError, MissingError
from trimix.worldmodel.codec import decode, encode, latent_channels
from trimix.worldmodel.heads import Heads
from trimix.worldmodel.motion import MotionModel
from trimix.worldmodel.normalizer import Normalizer
from trimix.worldmodel.refiner import Refiner
from trimix.worldmodel.trust import PEAK_DB, Trust, psnr_db, to_levels

_MULTIPLE = 8


@dataclass(frozen=True)
class Belief:
    """What a dream goes on from.

    Args:
        previous, last: (B, 3C, H, W) in [-1, 1], one control period apart.
        previous_state, state: (B, D) in physical units.
        psnr: (B,) dB that the last frame is thought to have; PEAK_DB if it was recorded.
        age: (B,) frames dreamed so far, float.
    """

    previous: Tensor
    last: Tensor
    previous_state: Tensor
    state: Tensor
    psnr: Tensor
    age: Tensor

    @classmethod
    def recorded(
        cls, previous: Tensor, last: Tensor, previous_state: Tensor, state: Tensor
    ) -> Belief:
        """The belief after two recorded frames."""
        known = state.new_full((len(state),), PEAK_DB)
        return cls(previous, last, previous_state, state, known, torch.zeros_like(known))

    def to(self, device: torch.device | str) -> Belief:
        """The same on another device."""
        return Belief(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def take(self, index: Tensor) -> Belief:
        """These samples alone. index: (b,) int64."""
        return Belief(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def put(self, index: Tensor, other: Belief) -> Belief:
        """A copy in which these samples are `other`'s. index: (b,) int64."""
        return Belief(
            **{
                f.name: getattr(self, f.name).index_copy(0, index, getattr(other, f.name))
                for f in fields(self)
            }
        )


@dataclass(frozen=True)
class Prediction:
    """What follows an action.

    Args:
        belief: after it.
        reward: (B,), 0 if no training data had rewards.
        success, end: (B,) probabilities; success is 0 if no training data had labels of it.
        trust: (B,) probability that the new frame is right.
        condition, features: what the heads were told, see Normalizer and MotionModel.
    """

    belief: Belief
    reward: Tensor
    success: Tensor
    end: Tensor
    trust: Tensor
    condition: Tensor
    features: Tensor


class TrainedOn(TypedDict):
    """A part of a data set that a world model learned from.

    dataset: its content hash. part: what was learned from it, "dynamics" or "trust".
    episodes: indices. fingerprints: of these episodes; empty for a dream that nobody can trace.
    models: what the world models learned from that dreamed them; None if nobody knows.
    """

    dataset: str
    part: str
    episodes: list[int]
    fingerprints: list[list[str]]
    models: list[list[str]] | None


class WorldModelPipeline(DiffusionPipeline):
    """codec, motion, refiner, heads and trust, with what they were trained on.

    Args:
        card: plain JSON: "interface" (PolicyInterface.to_json), "training" (list of TrainedOn),
            "sampler_steps" (default of __call__).
    """

    codec: AutoencoderTiny
    motion: MotionModel
    refiner: Refiner
    heads: Heads
    trust: Trust
    normalizer: Normalizer
    scheduler: FlowMatchEulerDiscreteScheduler

    def __init__(
        self,
        codec: AutoencoderTiny,
        motion: MotionModel,
        refiner: Refiner,
        heads: Heads,
        trust: Trust,
        normalizer: Normalizer,
        scheduler: FlowMatchEulerDiscreteScheduler,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.register_modules(  # type: ignore[no-untyped-call]
            codec=codec,
            motion=motion,
            refiner=refiner,
            heads=heads,
            trust=trust,
            normalizer=normalizer,
            scheduler=scheduler,
        )
        self.register_to_config(card=dict(card or {}))  # type: ignore[no-untyped-call]

    @classmethod
    def load(cls, path: Path | str) -> WorldModelPipeline:
        """`from_pretrained` of a local folder, quietly.

        Raises:
            MissingError: there is no world model.
            DataError: there is one, but it cannot be read.
        """
        path = Path(path)
        if not (path / cls.config_name).is_file():
            raise MissingError(
                "no world model is there", where=str(path), do="give a folder of save_pretrained"
            )
        verbosity = logging.get_verbosity()
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            pipeline: WorldModelPipeline = cls.from_pretrained(
                path, local_files_only=True, low_cpu_mem_usage=False
            )
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise DataError(
                f"the world model cannot be read ({error})", where=str(path), do="train it again"
            ) from error
        finally:
            logging.set_verbosity(verbosity)
            logging.enable_progress_bar()
        for part in pipeline.parts.values():
            part.eval().requires_grad_(False)
        return pipeline

    @property
    def card(self) -> dict[str, Any]:
        """See the class."""
        return dict(self.config["card"])

    def learned_from(self) -> tuple[Fingerprint, ...] | None:
        """Every recorded episode that the weights depend on, also through dreams.

        None if that is not known of all of them.
        """
        found: set[Fingerprint] = set()
        for part in self.card.get("training", ()):
            through = part.get("models")
            if through is None:
                return None
            found.update(map(tuple, [*part["fingerprints"], *through]))
        return tuple(sorted(found)) if found and () not in found else None

    @property
    def interface(self) -> PolicyInterface:
        """What the model saw and was given."""
        return PolicyInterface.from_json(self.card["interface"])

    @property
    def parts(self) -> dict[str, torch.nn.Module]:
        """The parts that have weights, by name."""
        names = ("codec", "motion", "refiner", "heads", "trust", "normalizer")
        return {name: getattr(self, name) for name in names}

    @property
    def n_parameters(self) -> int:
        """Learned numbers in all parts."""
        return sum(p.numel() for part in self.parts.values() for p in part.parameters())

    def weights_hash(self) -> str:
        """Hash of every weight, setting and the card; equal after a save and a load."""
        digest = hashlib.blake2b(digest_size=16)
        for name, part in self.parts.items():
            for key, value in sorted(part.state_dict().items()):
                digest.update(f"{name}.{key}{tuple(value.shape)}".encode())
                digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        configured: list[Any] = [self.scheduler, *self.parts.values()]
        for part in configured:
            # What begins with an underscore says where it was loaded from, and by what.
            settings = {k: v for k, v in part.config.items() if not k.startswith("_")}
            digest.update(json.dumps(settings, sort_keys=True, default=str).encode())
        digest.update(json.dumps(self.card, sort_keys=True).encode())
        return digest.hexdigest()

    def noise_shape(self) -> tuple[int, int, int]:
        """(CL, h, w): the noise of one sample."""
        cameras, (height, width) = image_layout(self.interface)
        patch = self.motion.patch
        channels = len(cameras) * latent_channels(self.codec)
        return channels, height // patch, width // patch

    @torch.no_grad()
    def __call__(
        self,
        belief: Belief,
        action: Tensor,
        noise: Tensor | None = None,
        sampler_steps: int | None = None,
    ) -> Prediction:
        """One control period.

        Args:
            action: (B, A) in physical units.
            noise: (B, CL, h, w) standard normal, see noise_shape; None only at 0 sampler steps.
            sampler_steps: 0: the motion model's mean alone. 1: plus the residual's mean.
                More: plus a sample of the residual. None: the card's.

        Raises:
            ConfigError: sampler_steps is negative.
        """
        steps = int(self.card["sampler_steps"]) if sampler_steps is None else sampler_steps
        if steps < 0:
            raise ConfigError(f"sampler_steps is {steps}", do="give 0 or more")
        condition = self.normalizer.condition(belief.previous_state, belief.state, action)
        motion = self.motion(belief.previous, belief.last, condition)
        image = motion.image.clamp(-1, 1)
        if steps:
            if noise is None:
                raise ValueError(f"{steps} sampler steps need noise of {self.noise_shape()}")
            mean, last = encode(self.codec, image), encode(self.codec, belief.last)
            residual = self.refiner.sample(self.scheduler, noise, steps, (mean, last, condition))
            image = image + decode(self.codec, mean + residual) - decode(self.codec, mean)
        # The dream goes on from the bytes that it shows, so its frames say what follows.
        image = to_levels(image) / 127.5 - 1
        outcome = self.heads(condition, motion.features)
        mean_db, std_db = self.trust(
            condition, motion.features, belief.psnr, belief.age, psnr_db(image, belief.last)
        )
        return Prediction(
            belief=Belief(
                previous=belief.last,
                last=image,
                previous_state=belief.state,
                state=belief.state + self.normalizer.step_std * outcome.state_step,
                psnr=mean_db,
                age=belief.age + 1,
            ),
            reward=self.normalizer.reward_mean + self.normalizer.reward_std * outcome.reward
            if self.heads.knows_reward
            else torch.zeros_like(outcome.reward),
            success=outcome.success_logit.sigmoid()
            if self.heads.knows_success
            else torch.zeros_like(outcome.reward),
            end=outcome.end_logit.sigmoid(),
            trust=self.trust.probability(mean_db, std_db),
            condition=condition,
            features=motion.features,
        )


def image_layout(interface: PolicyInterface) -> tuple[Sequence[str], tuple[int, int]]:
    """The cameras in the order in which the model stacks them, and their size (H, W).

    Raises:
        InterfaceError: no camera, cameras of different sizes, or sides that are no multiple of 8.
    """
    cameras = sorted(interface.cameras)
    sizes = {interface.cameras[c] for c in cameras}
    listed = ", ".join(f"{c} {h}x{w}" for c, (h, w) in sorted(interface.cameras.items())) or "none"
    if len(sizes) != 1:
        raise InterfaceError(
            f"the world model needs cameras of one size, not: {listed}",
            do="import the data with one image_hw for all cameras, or select cameras",
        )
    (height, width) = sizes.pop()
    if height % _MULTIPLE or width % _MULTIPLE:
        raise InterfaceError(
            f"the world model needs image sides that are multiples of {_MULTIPLE}, not: {listed}",
            do="import the data with another image_hw",
        )
    return cameras, (height, width)
