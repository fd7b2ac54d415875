"""Learned policies on disk: a directory of JSON and safetensors, and no pickle.

policy.json                              kind, interface, normalization, how it acts, versions
lineage.json                             fingerprints of the recordings that it learned from
model/config.json                        the network's sizes
model/diffusion_pytorch_model.safetensors
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from trimix.core.contracts import PolicyInterface
from trimix.core.episode import Fingerprint
from trimix.core.errors import DataError, MissingError, unknown
from trimix.core.registry import Registry
from trimix.core.version import release
from trimix.data.files import read_json
from trimix.data.fingerprint import is_fingerprint
from trimix.policy.chunk import ActConfig, ChunkPolicy
from trimix.policy.model import ChunkModel
from trimix.policy.normalization import Normalization

MODELS = Registry(
    "model", {"flow": "trimix.policy.flow:FlowModel", "bc": "trimix.policy.bc:BcModel"}
)
"""Networks that a chunk policy can have."""

FORMAT = 1
_LINEAGE = "lineage.json"
_WEIGHTS = "diffusion_pytorch_model.safetensors"


def build_model(kind: str, interface: PolicyInterface, **sizes: int) -> ChunkModel:
    """A new network for this interface; its weights come from torch's default generator.

    Args:
        kind: one of MODELS.
        sizes: history, chunk, width and whatever else the network takes.
    """
    model: ChunkModel = MODELS[kind](
        cameras={name: list(hw) for name, hw in interface.cameras.items()},
        state_dim=len(interface.state),
        action_dim=len(interface.action),
        **sizes,
    )
    return model


def kind_of(model: ChunkModel) -> str:
    """The network's name in MODELS."""
    return next(kind for kind, cls in MODELS.items() if type(model) is cls)


def save_pretrained(
    policy: ChunkPolicy, path: Path, learned: Sequence[Fingerprint] | None = None
) -> None:
    """Write the policy's directory, replacing a policy that is there.

    Args:
        learned: the recordings that it depends on; None if nobody knows.

    Raises:
        DataError: a directory of something else is there, or it cannot be written.
    """
    path = Path(path)
    if path.exists() and not (path / "policy.json").is_file():
        raise DataError("is there and is not a policy", where=str(path), do="choose another path")
    partial = path.with_name(path.name + ".tmp")
    lineage = {"learned_from": None if learned is None else [list(f) for f in learned]}
    about = {
        "format": FORMAT,
        "kind": kind_of(policy.model),
        "interface": policy.interface.to_json(),
        "normalization": policy.normalization.to_json(),
        "act": asdict(policy.config),
        "versions": {"trimix": release(), **{p: version(p) for p in ("torch", "diffusers")}},
    }
    try:
        if partial.exists():
            shutil.rmtree(partial)
        policy.model.save_pretrained(partial / "model", safe_serialization=True)
        (partial / "policy.json").write_text(json.dumps(about, indent=2), encoding="utf-8")
        (partial / _LINEAGE).write_text(json.dumps(lineage), encoding="utf-8")
        if path.exists():
            shutil.rmtree(path)
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"the policy cannot be written ({error})", where=str(path), do="free disk space"
        ) from error


def from_pretrained(
    path: Path, *, act: ActConfig | None = None, device: torch.device | str = "cpu"
) -> ChunkPolicy:
    """Load a policy's directory.

    Args:
        act: how it acts; None is as it was saved.

    Raises:
        MissingError: no policy there, or no safetensors: other formats can run code when loaded.
        DataError: files that do not belong together or cannot be read.
    """
    path = Path(path)
    about = about_policy(path)
    kind = about["kind"]
    if kind not in MODELS:
        raise unknown("model", str(kind), MODELS, where=str(path / "policy.json"))
    if not (path / "model" / _WEIGHTS).is_file():
        raise MissingError(
            f"{_WEIGHTS} is not there; weights are loaded from safetensors only",
            where=str(path / "model"),
            do="save the policy again with trimix",
        )
    try:
        model, report = MODELS[kind].from_pretrained(
            path / "model",
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=False,
            output_loading_info=True,
        )
        interface = PolicyInterface.from_json(about["interface"])
        normalization = Normalization.from_json(about["normalization"])
        acting = act or ActConfig(**about["act"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"the policy cannot be read ({error})", where=str(path)) from error
    strange = [key for keys in report.values() for key in keys]
    if strange:
        raise DataError(
            f"weights and configuration do not belong together: {strange[0]}", where=str(path)
        )
    sizes = (model.config.state_dim, model.config.action_dim, sorted(model.config.cameras))
    wanted = (len(interface.state), len(interface.action), sorted(interface.cameras))
    if sizes != wanted:
        raise DataError(
            f"the network's state, action and cameras {sizes} are not the interface's {wanted}",
            where=str(path),
        )
    return ChunkPolicy(model, interface, normalization, acting, device)


def learned_from(path: Path) -> tuple[Fingerprint, ...] | None:
    """The recordings that a policy depends on; None if nobody knows.

    Raises:
        DataError: the record cannot be read.
    """
    file = Path(path) / _LINEAGE
    if not file.is_file():
        return None
    found = read_json(file)
    known = found.get("learned_from") if isinstance(found, dict) else ()
    if known is None:
        return None
    if not isinstance(known, list) or not all(is_fingerprint(f) for f in known):
        raise DataError("not a policy's lineage", where=str(file), do="train the policy again")
    return tuple(tuple(f) for f in known)


def about_policy(path: Path) -> dict[str, Any]:
    """What a policy's folder says of it: kind, interface, normalization, how it acts, versions.

    Raises:
        MissingError, DataError: no policy is there, or it cannot be read.
    """
    file = path / "policy.json"
    if not file.is_file():
        raise MissingError(
            "no policy is there", where=str(path), do="give the directory of a trained policy"
        )
    try:
        about: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read ({error})", where=str(file)) from error
    if about.get("format") != FORMAT:
        raise DataError(f"policy format {about.get('format')!r} is not {FORMAT}", where=str(file))
    return about
