"""Policies by name, for whoever runs them: one signature for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from trimix.core.contracts import F32, Policy, PolicyInterface
from trimix.core.errors import ConfigError
from trimix.policy.baselines import MeanPolicy, RandomPolicy, ReplayPolicy
from trimix.policy.chunk import ActConfig, ChunkPolicy
from trimix.policy.normalization import Normalization
from trimix.policy.store import from_pretrained, kind_of


@dataclass(frozen=True)
class PolicyParts:
    """What policies are made of; each takes what it needs.

    Args:
        path: directory of a trained policy (flow, bc).
        act: how it acts; None is as it was saved (flow, bc).
        device: where it computes (flow, bc).
        normalization: statistics of recorded data (mean; random, where actions have no limits).
        recordings: (T, A) actions each (replay).
    """

    path: Path | None = None
    act: ActConfig | None = None
    device: torch.device | str = "cpu"
    normalization: Normalization | None = None
    recordings: Sequence[F32] = ()


def random(interface: PolicyInterface, parts: PolicyParts) -> Policy:
    """See RandomPolicy."""
    return RandomPolicy(interface, parts.normalization)


def replay(interface: PolicyInterface, parts: PolicyParts) -> Policy:
    """See ReplayPolicy."""
    return ReplayPolicy(interface, parts.recordings)


def mean(interface: PolicyInterface, parts: PolicyParts) -> Policy:
    """See MeanPolicy."""
    if parts.normalization is None:
        raise ConfigError("the mean policy needs the mean", do="give a normalization")
    return MeanPolicy(interface, parts.normalization)


def flow(interface: PolicyInterface, parts: PolicyParts) -> Policy:
    """A trained flow-matching policy."""
    return _learned("flow", interface, parts)


def bc(interface: PolicyInterface, parts: PolicyParts) -> Policy:
    """A trained behaviour-cloning policy."""
    return _learned("bc", interface, parts)


def _learned(kind: str, interface: PolicyInterface, parts: PolicyParts) -> ChunkPolicy:
    if parts.path is None:
        raise ConfigError(f"a {kind} policy is loaded from a directory", do="give its path")
    policy = from_pretrained(parts.path, act=parts.act, device=parts.device)
    if kind_of(policy.model) != kind:
        raise ConfigError(
            f"the policy is {kind_of(policy.model)!r}, not {kind!r}", where=str(parts.path)
        )
    interface.require_same(policy.interface, where=str(parts.path))
    return policy
