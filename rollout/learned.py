"""Trained policies, by their folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from trimix.core.contracts import Json, Policy, World
from trimix.data.files import combined_digest, compact_json, digest, files_below, text_digest
from trimix.policy.store import MODELS, about_policy, from_pretrained
from trimix.train.device import pick_device


@dataclass(frozen=True)
class LearnedSpec:
    """A trained policy.

    Args:
        path: its folder.
        device: where it computes.
        execute, domain: as in policy.chunk.ActConfig; None is as it was saved.
    """

    path: str
    device: str = "cpu"
    execute: int | None = None
    domain: str | None = None

    @property
    def name(self) -> str:
        """The last two parts of its path."""
        return "/".join(Path(self.path).resolve().parts[-2:])

    def load(self, world: World) -> Policy:
        """The policy.

        Raises:
            MissingError, DataError: there is no policy, or it cannot be read.
            ConfigError, MissingError: there is no such device.
            InterfaceError: it was trained on another interface than the world's.
        """
        device = pick_device(self.device)
        policy = from_pretrained(Path(self.path), device=device)
        world.interface.require_same(policy.interface, where=self.path)
        changes = {"execute": self.execute, "domain": self.domain}
        given = {name: value for name, value in changes.items() if value is not None}
        act = replace(policy.config, **given)  # type: ignore[arg-type]
        if act == policy.config:
            return policy
        return from_pretrained(Path(self.path), act=act, device=device)

    def reads(self) -> Json:
        """The digest of its files, its network and how it acts."""
        return [policy_digest(self.path), self._network(), self.device, self.execute, self.domain]

    def code(self) -> tuple[str, ...]:
        """This module and the network's."""
        return (__name__, self._network().partition(":")[0])

    def _network(self) -> str:
        return MODELS.where(str(about_policy(Path(self.path))["kind"]))


def known_by(path: str | Path) -> tuple[str, str]:
    """Hex digests of a policy's weights, and of those together with how it acts.

    Neither knows of the versions of what wrote it.
    """
    weights = policy_digest(Path(path) / "model")
    about = {k: v for k, v in about_policy(Path(path)).items() if k not in ("format", "versions")}
    return weights, text_digest(compact_json([weights, about]))


def policy_digest(path: str | Path) -> str:
    """Hex digest of a trained policy's files."""
    root = Path(path)
    paths = files_below(root, ".")
    return combined_digest({p.relative_to(root).as_posix(): digest(p) for p in paths})
