"""What each part of the world model is trained to do, as losses of the parts on a clip.

Axes: B samples, C cameras, H x W pixels, T steps of a self-rollout, D state channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch import Tensor

from trimix.core.seeds import stream
from trimix.worldmodel.clips import Clip, Clips
from trimix.worldmodel.codec import decode, encode
from trimix.worldmodel.heads import Outcome
from trimix.worldmodel.normalizer import Normalizer
from trimix.worldmodel.pipeline import Belief, WorldModelPipeline
from trimix.worldmodel.refiner import Given, Refiner, size_of_change
from trimix.worldmodel.trust import PEAK_DB, Trust, psnr_db

Loss = tuple[Tensor, dict[str, float]]

# Added to the mean squared error (images in [-1, 1]) in its logarithm: about 43 dB. Without it
# the few frames that hardly move would rule the gradient.
_ERROR_FLOOR = 2e-4
# Pictures are the main thing; the heads train along on a share of the gradient.
_STATE_WEIGHT, _LABEL_WEIGHT = 0.1, 0.05
# One sampler step sees pure noise alone, so a part of the samples is at that level.
_PURE_NOISE_SHARE = 0.25
# The last of n sampler steps is at level 1/n; below this level nobody samples.
_LEAST_NOISE = 0.05
_LEAST_SCALE = 1e-3


def log_error(images: Tensor, truth: Tensor) -> Tensor:
    """Mean over samples of the logarithm of the squared error: mean PSNR, as a loss."""
    error = (images - truth).square().flatten(1).mean(1)
    return torch.log(error + _ERROR_FLOOR).mean()


def codec_loss(codec: AutoencoderTiny, images: Tensor) -> Loss:
    """Reconstruction of (B, 3C, H, W) images in [-1, 1]."""
    decoded = decode(codec, encode(codec, images))
    return log_error(decoded, images), {"psnr": _mean_psnr(decoded, images)}


def motion_loss(pipeline: WorldModelPipeline, clip: Clip) -> Loss:
    """The next frames under self-rollout over the whole clip, and what the heads say of them."""
    motion, heads, normalizer = pipeline.motion, pipeline.heads, pipeline.normalizer
    horizon = clip.action.shape[1]
    belief = clip.belief()
    loss = torch.zeros((), device=belief.last.device)
    shown = 0.0
    for k in range(horizon):
        condition = normalizer.condition(belief.previous_state, belief.state, clip.action[:, k])
        predicted = motion(belief.previous, belief.last, condition)
        truth = clip.frames[:, k + 1]
        outcome = heads(condition, predicted.features)
        loss = loss + log_error(predicted.image, truth)
        loss = loss + _outcome_loss(outcome, belief.state, clip, k, normalizer)
        belief = _advance(belief, predicted.image, outcome, normalizer)
        shown = _mean_psnr(predicted.image, truth)
    return loss / horizon, {"psnr": shown, "horizon": float(horizon)}


def _advance(belief: Belief, image: Tensor, outcome: Outcome, normalizer: Normalizer) -> Belief:
    step = normalizer.step_std * outcome.state_step.detach()
    return Belief(
        previous=belief.last,
        last=image.clamp(-1, 1),
        previous_state=belief.state,
        state=belief.state + step,
        psnr=belief.psnr,
        age=belief.age + 1,
    )


def _outcome_loss(
    outcome: Outcome, state: Tensor, clip: Clip, k: int, normalizer: Normalizer
) -> Tensor:
    wanted = (clip.state[:, k + 1] - state) / normalizer.step_std
    loss = F.binary_cross_entropy_with_logits(outcome.end_logit, clip.end[:, k])
    success = F.binary_cross_entropy_with_logits(
        outcome.success_logit, clip.success[:, k], reduction="none"
    )
    reward = (clip.reward[:, k] - normalizer.reward_mean) / normalizer.reward_std
    surprise = F.smooth_l1_loss(outcome.reward, reward, reduction="none")
    # Unlabelled samples count as nothing, not as zeros.
    loss = loss + (success * clip.has_success).mean() + (surprise * clip.has_reward).mean()
    loss = _LABEL_WEIGHT * loss
    if wanted.shape[1]:
        loss = loss + _STATE_WEIGHT * F.smooth_l1_loss(outcome.state_step, wanted)
    return loss


@dataclass(frozen=True)
class Residuals:
    """(B, CL, h, w) what the motion model missed, in latents, and what the refiner is given."""

    residual: Tensor
    given: Given

    def relative_size(self) -> Tensor:
        """Scalar: how large residuals are against the change of their frames (Refiner.scale)."""
        mean, last, _ = self.given
        ratio = self.residual / size_of_change(mean, last)
        return ratio.square().mean().sqrt().clamp_min(_LEAST_SCALE)


@torch.no_grad()
def missed(pipeline: WorldModelPipeline, clip: Clip) -> Residuals:
    """The residual of the clip's last frame, after a self-rollout up to it."""
    codec, motion, normalizer = pipeline.codec, pipeline.motion, pipeline.normalizer
    belief = clip.belief()
    image, condition = belief.last, belief.state
    for k in range(clip.action.shape[1]):
        condition = normalizer.condition(belief.previous_state, belief.state, clip.action[:, k])
        predicted = motion(belief.previous, belief.last, condition)
        image = predicted.image.clamp(-1, 1)
        outcome = pipeline.heads(condition, predicted.features)
        belief = _advance(belief, image, outcome, normalizer)
    mean, last = encode(codec, image), encode(codec, belief.previous)
    truth = encode(codec, clip.frames[:, -1])
    return Residuals(truth - mean, (mean, last, condition))


def refiner_loss(refiner: Refiner, residuals: Residuals) -> Loss:
    """Flow matching; draws noise levels and noise from torch's default generator."""
    residual = residuals.residual
    sigma = torch.rand(len(residual)).clamp_min(_LEAST_NOISE).to(residual.device)
    pure = torch.rand(len(residual)).to(residual.device) < _PURE_NOISE_SHARE
    sigma = torch.where(pure, torch.ones_like(sigma), sigma)
    noise = torch.randn(residual.shape).to(residual.device)
    return refiner.loss(residual, sigma, noise, residuals.given), {}


class TrustLoss:
    """Learns from self-rollouts of the finished model, made once, how wrong it gets.

    Args:
        pipeline: all of it is finished but its trust part.
        clips: episodes that the dynamics did not train on, if there are any such.
        horizon: T. rollouts: how many. seed: of the starts and the noise.
    """

    def __init__(
        self,
        pipeline: WorldModelPipeline,
        clips: Sequence[Clips],
        horizon: int,
        rollouts: int,
        seed: int,
        batch_size: int = 32,
    ) -> None:
        self.trust: Trust = pipeline.trust
        self.seed, self.batch_size = seed, batch_size
        device = next(pipeline.motion.parameters()).device
        parts = []
        for batch in range(0, rollouts, batch_size):
            size = min(batch_size, rollouts - batch)
            clip = draw_clip(clips, (seed, batch, "trust rollouts"), size, horizon).to(device)
            parts.append(_rollout(pipeline, clip, (seed, batch)))
        self.condition, self.features, self.change, self.psnr = (
            torch.cat(x) for x in zip(*parts, strict=True)
        )

    def __call__(self, step: int) -> Loss:
        """Gaussian negative log likelihood of the true PSNR, the head fed with its own means."""
        count = len(self.psnr)
        rng = stream(self.seed, step, "trust batch")
        rows = torch.from_numpy(rng.integers(count, size=min(count, self.batch_size)))
        rows = rows.to(self.psnr.device)
        said = torch.full_like(self.psnr[rows, 0], PEAK_DB)
        loss = torch.zeros_like(said).sum()
        horizon = self.psnr.shape[1]
        for k in range(horizon):
            age = torch.full_like(said, float(k))
            said, std = self.trust(
                self.condition[rows, k], self.features[rows, k], said, age, self.change[rows, k]
            )
            loss = loss + F.gaussian_nll_loss(said, self.psnr[rows, k], std.square())
        return loss / horizon, {}


def _rollout(
    pipeline: WorldModelPipeline, clip: Clip, key: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Condition, features, change and true PSNR: (B, T, ...) of a self-rollout over the clip."""
    belief = clip.belief()
    rows = []
    for k in range(clip.action.shape[1]):
        rng = stream(*key, k, "trust noise")
        shape = (len(belief.last), *pipeline.noise_shape())
        noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
        before = belief
        prediction = pipeline(belief, clip.action[:, k], noise.to(belief.last.device))
        belief = prediction.belief
        rows.append(
            (
                prediction.condition,
                prediction.features,
                psnr_db(belief.last, before.last),
                psnr_db(belief.last, clip.frames[:, k + 1]),
            )
        )
    condition, features, change, psnr = (torch.stack(x, 1) for x in zip(*rows, strict=True))
    return condition, features, change, psnr


def draw_clip(
    clips: Sequence[Clips],
    key: tuple[int, int, str],
    batch_size: int,
    horizon: int,
    draws: Sequence[int] | None = None,
) -> Clip:
    """B runs, from each data set as many as its turn in a fixed cycle gives, drawn by the key.

    Args:
        key: (seed, step, purpose).
        draws: turns of each data set in the cycle; None for one each.

    Raises:
        DataError: a data set has no episode of horizon + 1 frames.
    """
    rng = stream(*key)
    cycle = np.repeat(np.arange(len(clips)), draws or [1] * len(clips))
    owner = cycle[(np.arange(batch_size) + key[1] * batch_size) % len(cycle)]
    parts = []
    for i, source in enumerate(clips):
        count = int((owner == i).sum())
        if count:
            rows = source.require_starts(horizon)
            parts.append(source.gather(rows[rng.integers(len(rows), size=count)], horizon))
    return Clip.concatenate(parts)


def _mean_psnr(images: Tensor, truth: Tensor) -> float:
    return float(psnr_db(images.detach(), truth).mean())
